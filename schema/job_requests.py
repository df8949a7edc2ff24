"""Inputs that start jobs, checked and as the resolvers take them. Null and absent are the same in them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from strawberry import ID

from domain.assessing.assessment import Finding
from domain.chapters import ChapterVersion
from domain.jobs.job import JobPriority
from domain.writing import checks
from resolvers.assessments import AssessmentStart
from resolvers.revisions import RevisionStart
from resolvers.starting import Terms
from schema import ids
from schema.fields import given, present
from schema.jobs import StartAssessmentInput, StartChapterRevisionInput


def assessment_start(sent: StartAssessmentInput) -> AssessmentStart:
    checked = checked_request(sent, "version_id", "metrics_only", "priority")
    return AssessmentStart(version_id=_version(sent.version_id), metrics_only=bool(sent.metrics_only), terms=terms(sent.priority, checked))


def revision_start(sent: StartChapterRevisionInput) -> RevisionStart:
    checked = checked_request(sent, "version_id", "finding_ids", "priority")
    return RevisionStart(
        version_id=_version(sent.version_id),
        finding_ids=_findings(present(sent.finding_ids)),
        terms=terms(sent.priority, checked),
        instructions=checked.get("instructions", ""),
    )


def checked_request(sent: object, *leaving: str) -> dict[str, Any]:
    """What was sent but for some fields, each accepted by its name."""
    values = given(sent, *leaving)
    return checks.checked({name: value for name, value in values.items() if value is not None}, checks.GENERATION)


def terms(priority: JobPriority | None, checked: dict[str, Any]) -> Terms:
    """Takes out of `checked` what is asked of any job."""
    return Terms(
        priority=present(priority) or JobPriority.INTERACTIVE,
        cost_limit=checked.pop("cost_limit", None),
        idempotency_key=checked.pop("idempotency_key", None),
    )


def _version(sent: ID) -> UUID:
    return ids.require(ChapterVersion, sent, "input", "versionId")


def _findings(sent: Sequence[ID] | None) -> tuple[UUID, ...]:
    path = ("input", "findingIds")
    checks.at_most(len(sent or ()), limit_name="findingIds", limit=checks.CHOSEN_FINDINGS, path=path)
    return tuple(ids.require(Finding, text, *path, str(index)) for index, text in enumerate(sent or ()))
