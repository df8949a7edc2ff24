"""Measuring every text that is saved, and keeping what was measured with its version.

What is measured of a text is worth having, and the text itself is worth more: where measuring fails, the version is saved without.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.assessing.assessment import Assessment, FoundIssue, Measurement
from domain.assessing.dismissals import without_dismissed
from domain.assessing.judging.verdict import combine
from domain.assessing.metrics.measuring import measure
from domain.chapters import Chapter, ChapterVersion
from domain.ports import Ids, Records
from domain.prompting.loading import LoadedMaterial, load_material
from domain.prompting.memory import PromptMemory
from domain.spending import Usage

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a chapter's text is measured against: its project, and the author's own accepted chapters."""

    loaded: LoadedMaterial
    accepted: Sequence[Mapping[str, float]]

    @classmethod
    async def of(cls, records: Records, chapter: Chapter, memory: PromptMemory) -> "Surroundings":
        """Raises NotFound when the chapter's project is not, or no longer, to be seen."""
        loaded = await load_material(records, chapter, memory)
        return cls(loaded, await records.assessments.accepted(chapter.project_id, besides=chapter.id))

    async def measure(self, text: str) -> Measurement | None:
        """None where it could not be measured; why is logged."""
        try:
            return await asyncio.to_thread(lambda: measure(text, self.loaded.material(), accepted=self.accepted))
        except Exception:
            logger.exception("assessment.measuring_failed", extra={"chapter_id": str(self.loaded.chapter.id)})
            return None


async def keep_measurement(
    records: Records, version: ChapterVersion, measurement: Measurement | None, *, ids: Ids, at: datetime, job_id: UUID | None = None
) -> UUID | None:
    """The new assessment's id. In the transaction that adds the version, so that no version is seen without its metrics."""
    if measurement is None:
        return None
    verdict = combine((), measurement)
    assessment = Assessment(
        id=ids(),
        project_id=version.project_id,
        chapter_id=version.chapter_id,
        version_id=version.id,
        job_id=job_id,
        score=verdict.score,
        score_low=verdict.low,
        score_high=verdict.high,
        dimensions=verdict.dimensions,
        metrics=measurement.metrics,
        notes=measurement.notes,
        judge=None,
        rubric=None,
        rehearsal=False,
        usage=Usage(),
        created_at=at,
    )
    await keep_assessment(records, assessment, verdict.findings, ids=ids)
    return assessment.id


async def keep_assessment(records: Records, assessment: Assessment, issues: Sequence[FoundIssue], *, ids: Ids) -> None:
    """With its findings but those that the chapter's author has dismissed before."""
    dismissed = await records.assessments.dismissed(assessment.chapter_id)
    await records.assessments.add(assessment, [(ids(), issue) for issue in without_dismissed(issues, dismissed)])
