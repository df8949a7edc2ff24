"""Assessments and their findings, in the transaction of one user."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Uuid, bindparam, exists, func, select, true
from sqlalchemy.dialects.postgresql import insert

from domain.access import Role
from domain.assessing.assessment import Assessment, ChapterQuality, Finding, FoundIssue
from domain.assessing.dismissals import Dismissed
from domain.chapters import ChapterStatus
from persistence.connection import Connection
from persistence.documents import from_document, to_document
from persistence.membership import ACTING_USER, accessible, change, given, insert_if
from persistence.projection import any_of, by_id, columns_of, to_row, to_value, to_values
from persistence.tables.assessments import assessment, dismissal, finding
from persistence.tables.books import chapter, chapter_version

ACCEPTED_CHAPTERS = 50
"""So many accepted chapters, the last ones of the book, say how their author writes."""

_ASSESSMENTS = select(*columns_of(Assessment, assessment)).where(accessible(assessment.c.project_id))
_BY_JUDGES_FIRST = (assessment.c.judge.is_(None), assessment.c.created_at.desc(), assessment.c.id.desc())
_LATEST = select(*columns_of(Assessment, assessment)).order_by(*_BY_JUDGES_FIRST).limit(1)
_CURRENT_FIRST = (assessment.c.judge.is_(None), assessment.c.version_id != chapter.c.current_version_id, *_BY_JUDGES_FIRST[1:])
_BY_ID = _ASSESSMENTS.where(any_of(assessment.c.id, "ids"))
_OF_JOB = _ASSESSMENTS.where(assessment.c.job_id == bindparam("job_id", type_=Uuid)).order_by(assessment.c.created_at, assessment.c.id)

_WANTED = func.unnest(bindparam("ids", type_=ARRAY(Uuid))).table_valued("version_id", name="wanted").render_derived()
_LATEST_OF_VERSION = _LATEST.where(assessment.c.version_id == _WANTED.c.version_id, accessible(assessment.c.project_id)).lateral("latest")
_OF_VERSIONS = select(*_LATEST_OF_VERSION.c).select_from(_WANTED.join(_LATEST_OF_VERSION, true()))

_LATEST_OF_CHAPTER = (
    select(*columns_of(Assessment, assessment))
    .where(assessment.c.chapter_id == chapter.c.id)
    .order_by(*_CURRENT_FIRST)
    .limit(1)
    .lateral("latest")
)
_QUALITY = (
    select(*_LATEST_OF_CHAPTER.c, (_LATEST_OF_CHAPTER.c.version_id != chapter.c.current_version_id).label("stale"))
    .select_from(chapter.join(_LATEST_OF_CHAPTER, true()))
    .where(any_of(chapter.c.project_id, "ids"), accessible(chapter.c.project_id), chapter.c.current_version_id.is_not(None))
    .order_by(chapter.c.position)
)

_MEASURED_OF_VERSION = _LATEST.where(assessment.c.version_id == chapter.c.current_version_id).lateral("latest")
_METRIC = func.jsonb_array_elements(_MEASURED_OF_VERSION.c.metrics).column_valued("metric")
_VALUES = select(func.jsonb_object_agg(_METRIC.op("->>")("name"), _METRIC.op("->")("value"))).scalar_subquery()
_ACCEPTED = (
    select(_VALUES)
    .select_from(chapter.join(_MEASURED_OF_VERSION, true()))
    .where(
        chapter.c.project_id == bindparam("project_id", type_=Uuid),
        chapter.c.id != bindparam("besides", type_=Uuid),
        chapter.c.status == ChapterStatus.FINAL.value,
        accessible(chapter.c.project_id),
    )
    .order_by(chapter.c.position.desc())
    .limit(bindparam("limit", type_=Integer))
)

_DISMISSED = exists().where(dismissal.c.finding_id == finding.c.id).label("dismissed")
_FINDING = (_DISMISSED if field.name == "dismissed" else finding.c[field.name] for field in fields(Finding))
_FINDINGS = select(*_FINDING).where(accessible(finding.c.project_id))
_FINDINGS_BY_ID = _FINDINGS.where(any_of(finding.c.id, "ids"))
_FINDINGS_OF = _FINDINGS.where(any_of(finding.c.assessment_id, "ids")).order_by(finding.c.assessment_id, finding.c.position)
_DISMISSED_ISSUES = (
    select(finding.c.issue)
    .join(dismissal, dismissal.c.finding_id == finding.c.id)
    .where(dismissal.c.chapter_id == bindparam("chapter_id", type_=Uuid), accessible(dismissal.c.project_id))
)

_ADD = insert_if(
    assessment,
    given(assessment, [column.name for column in columns_of(Assessment, assessment)]),
    exists().where(
        chapter_version.c.id == bindparam("version_id", type_=Uuid),
        chapter_version.c.chapter_id == bindparam("chapter_id", type_=Uuid),
        accessible(chapter_version.c.project_id, minimum=Role.EDITOR),
    ),
)
_ADD_FINDINGS = insert(finding)
_NEW_DISMISSAL = insert_if(
    dismissal,
    {
        "finding_id": finding.c.id,
        "project_id": finding.c.project_id,
        "chapter_id": finding.c.chapter_id,
        "user_id": ACTING_USER,
        **given(dismissal, ("reason", "at")),
    },
    (finding.c.id == bindparam("id", type_=Uuid)) & accessible(finding.c.project_id, minimum=Role.EDITOR),
)
_DISMISS = _NEW_DISMISSAL.on_conflict_do_update(
    index_elements=["finding_id"], set_={name: _NEW_DISMISSAL.excluded[name] for name in ("user_id", "reason", "at")}
)


class AssessmentRecords:
    def __init__(self, connection: Connection, user_id: UUID) -> None:
        self._connection = connection
        self._user_id = user_id

    async def add(self, new: Assessment, issues: Sequence[tuple[UUID, FoundIssue]]) -> None:
        """Raises NotFound."""
        await change(self._connection, _ADD, {**to_row(new), "acting_user": self._user_id}, entity=new.version_id)
        whose = {"project_id": new.project_id, "chapter_id": new.chapter_id, "assessment_id": new.id}
        rows = [{"id": id_, **whose, "position": at, "issue": to_document(issue)} for at, (id_, issue) in enumerate(issues)]
        if rows:
            await self._connection.execute_many(_ADD_FINDINGS, rows)

    async def get_many(self, ids: Sequence[UUID]) -> Mapping[UUID, Assessment]:
        rows = await self._connection.execute(_BY_ID, {"ids": ids, "acting_user": self._user_id})
        return by_id(to_values(Assessment, rows))

    async def of_versions(self, version_ids: Sequence[UUID]) -> Mapping[UUID, Assessment]:
        rows = await self._connection.execute(_OF_VERSIONS, {"ids": version_ids, "acting_user": self._user_id})
        return {latest.version_id: latest for latest in to_values(Assessment, rows)}

    async def of_job(self, job_id: UUID) -> Sequence[Assessment]:
        rows = await self._connection.execute(_OF_JOB, {"job_id": job_id, "acting_user": self._user_id})
        return to_values(Assessment, rows)

    async def quality(self, project_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[ChapterQuality]]:
        rows = await self._connection.execute(_QUALITY, {"ids": project_ids, "acting_user": self._user_id})
        found: dict[UUID, list[ChapterQuality]] = {}
        for row in rows:
            latest = to_value(Assessment, row)
            found.setdefault(latest.project_id, []).append(ChapterQuality(chapter_id=latest.chapter_id, assessment=latest, stale=row.stale))
        return found

    async def accepted(self, project_id: UUID, *, besides: UUID) -> Sequence[Mapping[str, float]]:
        parameters = {"project_id": project_id, "besides": besides, "limit": ACCEPTED_CHAPTERS, "acting_user": self._user_id}
        return [values for values in await self._connection.scalars(_ACCEPTED, parameters) if values]

    async def findings(self, assessment_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Finding]]:
        rows = await self._connection.execute(_FINDINGS_OF, {"ids": assessment_ids, "acting_user": self._user_id})
        found: dict[UUID, list[Finding]] = {}
        for each in to_values(Finding, rows):
            found.setdefault(each.assessment_id, []).append(each)
        return found

    async def get_findings(self, ids: Sequence[UUID]) -> Mapping[UUID, Finding]:
        rows = await self._connection.execute(_FINDINGS_BY_ID, {"ids": ids, "acting_user": self._user_id})
        return by_id(to_values(Finding, rows))

    async def dismissed(self, chapter_id: UUID) -> Sequence[Dismissed]:
        issues = await self._connection.scalars(_DISMISSED_ISSUES, {"chapter_id": chapter_id, "acting_user": self._user_id})
        return [Dismissed.of(from_document(FoundIssue, issue)) for issue in issues]

    async def dismiss(self, finding_id: UUID, *, reason: str, at: datetime) -> None:
        """Raises NotFound."""
        parameters = {"id": finding_id, "reason": reason, "at": at, "acting_user": self._user_id}
        await change(self._connection, _DISMISS, parameters, entity=finding_id)
