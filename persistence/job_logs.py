"""What is on record of a job: its events, the text they add up to, and its steps."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import and_, select

from domain.jobs.events import Event, RecordedEvent, TextAppended, TextReplaced, text_after
from domain.jobs.job import JobStatus, JobStep
from domain.paging import Page, PageRequest
from persistence.events import StoredEvent, to_event
from persistence.job_scope import JobScope
from persistence.ledger import to_usage, usage_columns
from persistence.paging import Listing, read_pages
from persistence.projection import among, columns_of, to_value
from persistence.tables.jobs import job, job_event, job_step, ledger_entry

_LOG = Listing(value_type=StoredEvent, table=job_event, order=(job_event.c.sequence,), parent=job_event.c.job_id)
_TEXT_KINDS = (TextAppended.__name__, TextReplaced.__name__)


class JobLogs(JobScope):
    async def events_after(self, job_id: UUID, *, sequence: int, limit: int) -> Sequence[RecordedEvent]:
        rows = await self._connection.execute(
            select(*columns_of(StoredEvent, job_event))
            .where(job_event.c.job_id == job_id, job_event.c.sequence > sequence, self._visible(job_event))
            .order_by(job_event.c.sequence)
            .limit(limit)
        )
        return [to_value(StoredEvent, row).recorded for row in rows]

    async def event_pages(self, job_ids: Sequence[UUID], request: PageRequest) -> Mapping[UUID, Page[RecordedEvent]]:
        pages = await read_pages(self._connection, _LOG.filtered(self._visible(job_event)), job_ids, request)
        return {
            job_id: Page(
                items=tuple(stored.recorded for stored in page.items),
                cursors=page.cursors,
                has_next=page.has_next,
                has_previous=page.has_previous,
            )
            for job_id, page in pages.items()
        }

    async def texts(self, job_ids: Sequence[UUID]) -> Mapping[UUID, tuple[str, int]]:
        of_text = and_(job_event.c.job_id == job.c.id, job_event.c.kind.in_(_TEXT_KINDS))
        rows = await self._connection.execute(
            select(job.c.id, job.c.last_sequence, job_event.c.kind, job_event.c.body)
            .select_from(job.outerjoin(job_event, of_text))
            .where(among(job.c.id, job_ids), self._visible(job))
            .order_by(job.c.id, job_event.c.sequence)
        )
        events: dict[UUID, list[Event]] = {}
        last: dict[UUID, int] = {}
        for job_id, last_sequence, kind, body in rows:
            last[job_id] = last_sequence
            events.setdefault(job_id, []).extend([] if kind is None else [to_event(kind, body)])
        return {job_id: (text_after(events[job_id]), last[job_id]) for job_id in last}

    async def steps(self, job_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[JobStep]]:
        """In the order in which they were begun."""
        entries = (
            select(*usage_columns())
            .where(ledger_entry.c.job_id == job_step.c.job_id, ledger_entry.c.step == job_step.c.name)
            .lateral("used")
        )
        rows = await self._connection.execute(
            select(job_step, entries)
            .where(among(job_step.c.job_id, job_ids), self._visible(job_step))
            .order_by(job_step.c.job_id, job_step.c.started_at, job_step.c.name)
        )
        found: dict[UUID, list[JobStep]] = {}
        for row in rows:
            found.setdefault(row.job_id, []).append(
                JobStep(
                    job_id=row.job_id,
                    name=row.name,
                    status=JobStatus(row.status),
                    model=row.model,
                    usage=to_usage(row),
                    started_at=row.started_at,
                    finished_at=row.finished_at,
                    uncertain=row.uncertain,
                )
            )
        return found
