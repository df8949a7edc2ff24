"""Assessments: starting one, what is shown of one, and dismissing what it found."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from domain.access import Role
from domain.assessing.assessment import Finding
from domain.assessing.judging.plan import judgements, judging_tokens
from domain.chapters import Chapter, ChapterVersion
from domain.errors import InvalidInput, NotFound
from domain.jobs.job import AssessmentRequest, Job, JobKind
from domain.ports import Records
from domain.projects import Project
from domain.prompting.loading import load_material
from domain.prompting.material import PromptMaterial
from domain.spending import CostEstimate, add_estimates, estimate_calls
from domain.writing import checks
from resolvers.access import find_chapter, find_finding, find_version
from resolvers.context import RequestContext
from resolvers.models import judging_model
from resolvers.prompts import entity_of
from resolvers.starting import Start, Terms, start, started_before

VERSION: Final = ("input", "versionId")
FREE: Final = add_estimates("")
"""Of a job that calls no model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentStart:
    version_id: UUID
    metrics_only: bool
    terms: Terms

    @property
    def fingerprint(self) -> str:
        return self.terms.fingerprint(JobKind.ASSESSMENT.name, str(self.version_id), self.metrics_only)


@dataclass(frozen=True, slots=True)
class Conflict:
    """The other side of a contradiction: the reference file or version itself, and what it says."""

    source: Any
    quote: str


async def start_assessment(context: RequestContext, request: AssessmentStart) -> Job:
    """The judge's calls are planned before the transaction that starts the job; the job plans its own when it runs."""
    async with context.reading() as records:
        version = await find_version(records, request.version_id, Role.EDITOR)
        if (started := await started_before(context, records, request.terms, request.fingerprint)) is not None:
            return started
        text = await text_of(records, version)
        chapter = await find_chapter(records, version.chapter_id, Role.EDITOR, VERSION)
        loaded = await load_material(records, chapter, context.prompt_memory)
    model = judging_model(context, loaded.project.settings)
    if request.metrics_only:
        estimate = FREE
    else:
        estimate = await asyncio.to_thread(lambda: estimate_judging(context, text, loaded.material(), model=model))

    def asked(_project: Project, _chapter: Chapter) -> AssessmentRequest:
        return AssessmentRequest(version_id=version.id, model=model, metrics_only=request.metrics_only)

    return await start(
        context,
        Start(
            kind=JobKind.ASSESSMENT,
            chapter=chapter,
            path=VERSION,
            terms=request.terms,
            fingerprint=request.fingerprint,
            estimate=estimate,
            request=asked,
        ),
    )


def estimate_judging(context: RequestContext, text: str, material: PromptMaterial, *, model: str) -> CostEstimate:
    """Of all calls that judge this text as the chapter's. CPU-bound: off the event loop."""
    prompt_tokens, completion_tokens = judging_tokens(judgements(text, material, model=model, tokens=context.tokens))
    return estimate_calls(model, prompt_tokens=prompt_tokens, completion_tokens=completion_tokens, cost=context.prices.cost)


async def text_of(records: Records, version: ChapterVersion) -> str:
    """Raises NotFound, or InvalidInput where there is nothing to read."""
    text = (await records.versions.texts([version.id])).get(version.id)
    if text is None:
        raise NotFound(version.id, path=VERSION)
    if not text.strip():
        raise InvalidInput("There is no text in this version.", VERSION)
    return text


async def dismiss_finding(context: RequestContext, finding_id: UUID, reason: str) -> Finding:
    """Whoever dismisses a finding again gives another reason."""
    accepted = checks.checked({"reason": reason}, checks.DISMISSAL)
    async with context.writing() as records:
        await find_finding(records, finding_id, Role.EDITOR)
        await records.assessments.dismiss(finding_id, reason=accepted["reason"], at=context.clock())
        return await find_finding(records, finding_id, Role.EDITOR)


async def conflict_of(context: RequestContext, finding: Finding) -> Conflict | None:
    """None where there is none, and where what it was found in has been deleted since."""
    evidence = finding.issue.conflicts_with
    if evidence is None:
        return None
    source = await entity_of(context, evidence.source)
    return None if source is None else Conflict(source, evidence.quote)
