"""What is on record of a job: its events, the text they add up to, and its steps."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Integer, Uuid, and_, bindparam, select, true

from domain.jobs.events import Event, RecordedEvent, TextAppended, TextReplaced, text_after
from domain.jobs.job import JobStatus, JobStep
from domain.paging import Page, PageRequest
from domain.spending import Usage
from persistence.events import StoredEvent, to_event
from persistence.job_scope import JobScope
from persistence.ledger import USAGE
from persistence.membership import accessible
from persistence.paging import Listing, count_items, read_pages
from persistence.projection import any_of, columns_of, is_one_of, to_value
from persistence.tables.jobs import job, job_event, job_step, ledger_entry

_EVENTS_SEEN = accessible(job_event.c.project_id)
_EVENTS_AFTER = (
    select(*columns_of(StoredEvent, job_event))
    .where(
        job_event.c.job_id == bindparam("job_id", type_=Uuid),
        job_event.c.sequence > bindparam("sequence", type_=Integer),
        _EVENTS_SEEN,
    )
    .order_by(job_event.c.sequence)
    .limit(bindparam("rows", type_=Integer))
)
_LOG = Listing(value_type=StoredEvent, table=job_event, order=(job_event.c.sequence,), where=(_EVENTS_SEEN,), parent=job_event.c.job_id)
_OF_TEXT = is_one_of(job_event.c.kind, (TextAppended.__name__, TextReplaced.__name__))
_TEXTS = (
    select(job.c.id, job.c.last_sequence, job_event.c.kind, job_event.c.body)
    .select_from(job.outerjoin(job_event, and_(job_event.c.job_id == job.c.id, _OF_TEXT)))
    .where(any_of(job.c.id, "ids"), accessible(job.c.project_id))
    .order_by(job.c.id, job_event.c.sequence)
)
_USED = select(*USAGE).where(ledger_entry.c.job_id == job_step.c.job_id, ledger_entry.c.step == job_step.c.name).lateral("used")
_STEPS = (
    select(*_USED.c, job_step)
    .select_from(job_step.join(_USED, true()))
    .where(any_of(job_step.c.job_id, "ids"), accessible(job_step.c.project_id))
    .order_by(job_step.c.job_id, job_step.c.started_at, job_step.c.name)
)


class JobLogs(JobScope):
    async def events_after(self, job_id: UUID, *, sequence: int, limit: int) -> Sequence[RecordedEvent]:
        parameters = {"job_id": job_id, "sequence": sequence, "rows": limit, "acting_user": self._user_id}
        rows = await self._connection.execute(_EVENTS_AFTER, parameters)
        return [to_value(StoredEvent, row).recorded for row in rows]

    async def event_pages(self, job_ids: Sequence[UUID], request: PageRequest) -> Mapping[UUID, Page[RecordedEvent]]:
        pages = await read_pages(self._connection, _LOG, job_ids, request, acting_user=self._user_id)
        return {
            job_id: Page(
                items=tuple(stored.recorded for stored in page.items),
                cursors=page.cursors,
                has_next=page.has_next,
                has_previous=page.has_previous,
            )
            for job_id, page in pages.items()
        }

    async def event_counts(self, job_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        return await count_items(self._connection, _LOG, job_ids, acting_user=self._user_id)

    async def texts(self, job_ids: Sequence[UUID]) -> Mapping[UUID, tuple[str, int]]:
        rows = await self._connection.execute(_TEXTS, {"ids": job_ids, "acting_user": self._user_id})
        events: dict[UUID, list[Event]] = {}
        last: dict[UUID, int] = {}
        for job_id, last_sequence, kind, body in rows:
            last[job_id] = last_sequence
            events.setdefault(job_id, []).extend([] if kind is None else [to_event(kind, body)])
        return {job_id: (text_after(events[job_id]), last[job_id]) for job_id in last}

    async def steps(self, job_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[JobStep]]:
        """In the order in which they were begun."""
        rows = await self._connection.execute(_STEPS, {"ids": job_ids, "acting_user": self._user_id})
        found: dict[UUID, list[JobStep]] = {}
        for row in rows:
            found.setdefault(row.job_id, []).append(
                JobStep(
                    job_id=row.job_id,
                    name=row.name,
                    status=JobStatus(row.status),
                    model=row.model,
                    usage=to_value(Usage, row),
                    started_at=row.started_at,
                    finished_at=row.finished_at,
                    uncertain=row.uncertain,
                )
            )
        return found
