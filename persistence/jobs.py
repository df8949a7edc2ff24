"""A user's side of the job rows: the Jobs port on Postgres, in the transaction of one user."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Uuid, literal, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from domain.access import Role
from domain.errors import JobConflict, NotFound
from domain.jobs.events import Event, StatusChanged
from domain.jobs.job import Claim, Ending, Job
from persistence import job_transitions, steps
from persistence.events import append_events
from persistence.job_lists import JobLists
from persistence.job_logs import JobLogs
from persistence.membership import accessible
from persistence.projection import to_row
from persistence.prompts import Prompts
from persistence.tables.jobs import idempotency_key, job

_ONE_REQUEST_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


class JobRecords(JobLists, JobLogs, Prompts):
    async def create(self, new: Job, *, reserve: Decimal) -> None:
        """Raises NotFound, or JobConflict when the chapter has got an active job meanwhile."""
        await self._add(new, reserve)
        await append_events(self._connection, [(new.id, 0, (StatusChanged(new.status),))], at=new.created_at)
        await job_transitions.deliver(self._connection, new.id)

    async def remember_key(self, key: str, *, request_hash: str, job_id: UUID, at: datetime) -> None:
        remembered = insert(idempotency_key).values(user_id=self._user_id, key=key, request_hash=request_hash, job_id=job_id, at=at)
        replaced = {name: remembered.excluded[name] for name in ("request_hash", "job_id", "at")}
        await self._connection.execute(remembered.on_conflict_do_update(index_elements=["user_id", "key"], set_=replaced))

    async def recall_key(self, key: str, *, since: datetime) -> tuple[UUID, str] | None:
        await self._connection.execute(_ONE_REQUEST_AT_A_TIME, {"key": f"{self._user_id} {key}"})
        row = (
            await self._connection.execute(
                select(idempotency_key.c.job_id, idempotency_key.c.request_hash).where(
                    idempotency_key.c.user_id == self._user_id, idempotency_key.c.key == key, idempotency_key.c.at > since
                )
            )
        ).first()
        return None if row is None else (row.job_id, row.request_hash)

    async def request_cancel(self, job_id: UUID, *, at: datetime) -> None:
        """Raises NotFound."""
        await self._project_to_edit(job_id)
        await job_transitions.request_cancel(self._connection, job_id, at=at)

    async def retry(self, job_id: UUID, *, reserve: Decimal, at: datetime) -> None:
        """Raises NotFound, or JobConflict when the chapter has got another active job meanwhile."""
        await self._project_to_edit(job_id)
        try:
            async with self._connection.begin_nested():
                await job_transitions.requeue(self._connection, job_id, reserve=reserve, at=at)
        except IntegrityError:
            retried = (await self.get_many([job_id]))[job_id]
            active = await self.active_on(retried.chapter_id) if retried.chapter_id else None
            raise JobConflict(active.id if active else job_id) from None

    async def complete_step(self, claim: Claim, step: str, *, started_at: datetime, at: datetime, events: Sequence[Event]) -> None:
        await self._project_to_edit(claim.job_id)
        await job_transitions.hold(self._connection, claim)
        await steps.complete(self._connection, claim, step, started_at=started_at, at=at)
        await append_events(self._connection, [(claim.job_id, claim.epoch, events)], at=at)

    async def finish(self, claim: Claim, ending: Ending) -> None:
        await self._project_to_edit(claim.job_id)
        await job_transitions.finish(self._connection, claim, ending)

    async def _add(self, new: Job, reserve: Decimal) -> None:
        """Of two jobs for one chapter the second waits here until the first is committed, and is refused then."""
        row = {name: literal(content, job.c[name].type) for name, content in {**to_row(new), "reserved": reserve}.items()}
        editable = accessible(literal(new.project_id, Uuid), self._user_id, Role.EDITOR)
        added = insert(job).from_select(list(row), select(*row.values()).where(editable)).on_conflict_do_nothing().returning(job.c.id)
        while (await self._connection.execute(added)).first() is None:
            if new.chapter_id is None or not await self._connection.scalar(select(editable)):
                raise NotFound(new.project_id)
            if (active := await self.active_on(new.chapter_id)) is not None:
                raise JobConflict(active.id)
