"""What is left of a run, as plain values: the rows of the database, the calls the model heard, and what people saw."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from domain.jobs.events import Event
from domain.jobs.job import CallResult, JobKind
from persistence.documents import from_document
from persistence.events import to_event
from tests.reliability.chaos.writer import HeardCall

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """`title` is its chapter's; from `version_id` on, what was asked for."""

    id: UUID
    project_id: UUID
    chapter_id: UUID | None
    status: str
    attempt: int
    last_sequence: int
    reserved: Decimal
    title: str
    result_version_id: UUID | None
    kind: str = JobKind.CHAPTER
    result_assessment_id: UUID | None = None
    remark: str | None = None
    version_id: UUID | None = None
    metrics_only: bool = False
    max_revisions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """`recorded_at` is when the row was last committed, where the database keeps that; else what the row says of itself."""

    job_id: UUID
    name: str
    status: str
    call_id: UUID | None
    result: dict[str, Any] | None
    uncertain: bool
    recorded_at: datetime | None

    @property
    def recorded(self) -> CallResult | None:
        return None if self.result is None else from_document(CallResult, self.result)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """Of the ledger. `committed_at` as with steps."""

    call_id: UUID | None
    job_id: UUID
    project_id: UUID | None
    step: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost: Decimal | None
    estimated: bool
    uncertain: bool
    committed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    job_id: UUID
    sequence: int
    at: datetime
    kind: str
    body: dict[str, Any]

    @property
    def event(self) -> Event:
        return to_event(self.kind, self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    id: UUID
    job_id: UUID | None
    chapter_id: UUID
    origin: str
    text: str
    is_current: bool
    number: int = 1
    current_number: int | None = 1
    parent_id: UUID | None = None

    @property
    def had_its_place(self) -> bool:
        """Whether it is the chapter's text, or may have been before a later version took its place."""
        return self.is_current or (self.current_number or 0) > self.number


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentRow:
    """`issues` are its findings."""

    id: UUID
    job_id: UUID | None
    version_id: UUID
    judge: str | None
    issues: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request that the model server heard. `at` is the wall clock; `billed`: it had begun to answer."""

    call_id: UUID | None
    code: str
    digest: str
    at: float
    follows_on: bool
    billed: bool
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """What one person saw of one job. `sequences` and `text` are None where nobody followed; the text is the one that was shown in the end."""

    code: str
    answered: Sequence[UUID]
    sequences: Sequence[int] | None = None
    text: str | None = None
    complaints: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSeen:
    """As the API tells it."""

    spent: Decimal
    reserved: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecords:
    """`waiting_messages`: jobs that the engine is still about to deliver."""

    jobs: Mapping[UUID, JobRow]
    steps: Sequence[StepRow]
    entries: Sequence[EntryRow]
    events: Mapping[UUID, Sequence[EventRow]]
    versions: Sequence[VersionRow]
    assessments: Sequence[AssessmentRow]
    waiting_messages: Sequence[UUID]

    def with_testimony(self, **testimony: Any) -> "Evidence":
        """`testimony`: what Evidence has besides."""
        return Evidence(**{field.name: getattr(self, field.name) for field in fields(StoredRecords)}, **testimony)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence(StoredRecords):
    """`texts`: of each job, and `budgets`: of each project, as the API tells them."""

    calls: Sequence[Call]
    witnesses: Sequence[Witness]
    texts: Mapping[UUID, str]
    budgets: Mapping[UUID, BudgetSeen]


def calls_heard(heard: Sequence[HeardCall]) -> list[Call]:
    return [
        Call(
            call_id=None if call.call_id is None else UUID(call.call_id),
            code=call.code,
            digest=call.digest,
            at=call.at,
            follows_on=call.offset is not None,
            billed=call.call.billed,
            prompt_tokens=call.call.prompt_tokens,
            completion_tokens=call.call.completion_tokens,
        )
        for call in heard
    ]


_JOBS = """
    SELECT job.*, chapter.title, CAST(request ->> 'version_id' AS uuid) AS version_id,
           coalesce(CAST(request ->> 'metrics_only' AS boolean), false) AS metrics_only,
           coalesce(CAST(request ->> 'max_revisions' AS integer), 0) AS max_revisions
    FROM job JOIN chapter ON chapter.id = job.chapter_id
"""
_STEPS = "SELECT *, CASE WHEN finished_at IS NOT NULL THEN {committed_at} END AS recorded_at FROM job_step"
_ENTRIES = "SELECT *, {committed_at} AS committed_at FROM ledger_entry"
_VERSIONS = """
    SELECT version.*, coalesce(current.id = version.id, false) AS is_current, current.number AS current_number
    FROM chapter_version AS version JOIN chapter ON chapter.id = version.chapter_id
    LEFT JOIN chapter_version AS current ON current.id = chapter.current_version_id
"""
_ASSESSMENTS = """
    SELECT assessment.*,
           coalesce((SELECT jsonb_agg(issue ORDER BY position) FROM finding WHERE assessment_id = assessment.id), '[]') AS issues
    FROM assessment
"""
_WAITING_MESSAGES = "SELECT CAST(args ->> 'job_id' AS uuid) FROM procrastinate_jobs WHERE status = 'todo'"


def read_records(database_url: str) -> StoredRecords:
    """As somebody whom row security does not bind."""
    with psycopg.connect(database_url) as connection:
        keeps_commit_times = connection.execute("SHOW track_commit_timestamp").fetchone() == ("on",)
        commit = "pg_xact_commit_timestamp(xmin)"
        steps = _STEPS.format(committed_at=commit if keeps_commit_times else "finished_at")
        entries = _ENTRIES.format(committed_at=commit if keeps_commit_times else "at")
        events: defaultdict[UUID, list[EventRow]] = defaultdict(list)
        for event in _rows(connection, EventRow, "SELECT * FROM job_event ORDER BY job_id, sequence"):
            events[event.job_id].append(event)
        return StoredRecords(
            jobs={job.id: job for job in _rows(connection, JobRow, _JOBS)},
            steps=_rows(connection, StepRow, steps),
            entries=_rows(connection, EntryRow, entries),
            events=events,
            versions=_rows(connection, VersionRow, _VERSIONS),
            assessments=_rows(connection, AssessmentRow, _ASSESSMENTS),
            waiting_messages=[job_id for (job_id,) in connection.execute(_WAITING_MESSAGES)],
        )


def _rows(connection: psycopg.Connection, row: type[Row], query: str) -> list[Row]:
    columns = sql.SQL(", ").join(sql.Identifier(field.name) for field in fields(row))
    with connection.cursor(row_factory=class_row(row)) as cursor:
        return cursor.execute(sql.SQL("SELECT {} FROM ({}) AS found").format(columns, sql.SQL(query))).fetchall()
