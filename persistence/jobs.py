"""A user's side of the job rows: the Jobs port on Postgres, in the transaction of one user."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from domain.access import Role
from domain.errors import JobConflict, NotFound
from domain.jobs.events import Event, StatusChanged
from domain.jobs.job import Claim, Ending, Job, LeaseLost
from persistence import job_transitions, steps
from persistence.events import append_events
from persistence.job_lists import JobLists
from persistence.job_logs import JobLogs
from persistence.membership import ACTING_USER, accessible, given, insert_if
from persistence.projection import columns_of, to_row
from persistence.prompts import Prompts
from persistence.tables.jobs import idempotency_key, job
from persistence.tables.metadata import TIMESTAMP

_STARTABLE = accessible(bindparam("project_id", type_=Uuid), minimum=Role.EDITOR)
_MAY_START = select(_STARTABLE)
_ADD = (
    insert_if(job, given(job, (*(column.name for column in columns_of(Job, job)), "reserved")), _STARTABLE)
    .on_conflict_do_nothing()
    .returning(job.c.id)
)
_NEW_KEY = insert(idempotency_key)
_REMEMBER = _NEW_KEY.on_conflict_do_update(
    index_elements=["user_id", "key"], set_={name: _NEW_KEY.excluded[name] for name in ("request_hash", "job_id", "at")}
)
_CHANGE_COST_LIMIT = text("UPDATE job SET cost_limit = :cost_limit WHERE id = :job_id")
_ONE_REQUEST_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
_RECALL = select(idempotency_key.c.job_id, idempotency_key.c.request_hash).where(
    idempotency_key.c.user_id == ACTING_USER,
    idempotency_key.c.key == bindparam("key", type_=Text),
    idempotency_key.c.at > bindparam("since", type_=TIMESTAMP),
)


class JobRecords(JobLists, JobLogs, Prompts):
    async def create(self, new: Job, *, reserve: Decimal) -> None:
        """Raises NotFound, or JobConflict when the chapter has got an active job meanwhile."""
        await self._add(new, reserve)
        await append_events(self._connection, [(new.id, 0, (StatusChanged(new.status),))], at=new.created_at)
        await job_transitions.deliver(self._connection, new.id)

    async def remember_key(self, key: str, *, request_hash: str, job_id: UUID, at: datetime) -> None:
        row = {"user_id": self._user_id, "key": key, "request_hash": request_hash, "job_id": job_id, "at": at}
        await self._connection.execute(_REMEMBER, row)

    async def recall_key(self, key: str, *, since: datetime) -> tuple[UUID, str] | None:
        await self._connection.execute(_ONE_REQUEST_AT_A_TIME, {"key": f"{self._user_id} {key}"})
        row = (await self._connection.execute(_RECALL, {"key": key, "since": since, "acting_user": self._user_id})).first()
        return None if row is None else (row.job_id, row.request_hash)

    async def request_cancel(self, job_id: UUID, *, at: datetime) -> None:
        """Raises NotFound."""
        await self._require_editor(job_id)
        await job_transitions.request_cancel(self._connection, job_id, at=at)

    async def change_cost_limit(self, job_id: UUID, cost_limit: Decimal | None) -> None:
        await self._require_editor(job_id)
        await self._connection.execute(_CHANGE_COST_LIMIT, {"job_id": job_id, "cost_limit": cost_limit})

    async def retry(self, job_id: UUID, *, reserve: Decimal, at: datetime) -> None:
        """Raises NotFound, or JobConflict when the chapter has got another active job meanwhile."""
        await self._require_editor(job_id)
        try:
            async with self._connection.begin_nested():
                await job_transitions.requeue(self._connection, job_id, reserve=reserve, at=at)
        except IntegrityError:
            active = await self._rival((await self.get_many([job_id]))[job_id])
            raise JobConflict(active.id if active else job_id) from None

    async def complete_step(self, claim: Claim, step: str, *, started_at: datetime, at: datetime, events: Sequence[Event]) -> None:
        """Raises NotFound, or LeaseLost."""
        if not await steps.complete(self._connection, claim, step, by=self._user_id, started_at=started_at, at=at):
            await self._require_editor(claim.job_id)
            raise LeaseLost
        await append_events(self._connection, [(claim.job_id, claim.epoch, events)], at=at)

    async def finish(self, claim: Claim, ending: Ending) -> None:
        await self._require_editor(claim.job_id)
        await job_transitions.finish(self._connection, claim, ending)

    async def _add(self, new: Job, reserve: Decimal) -> None:
        """Of two jobs for one chapter the second waits here until the first is committed, and is refused then."""
        row = {**to_row(new), "reserved": reserve, "acting_user": self._user_id}
        while (await self._connection.execute(_ADD, row)).first() is None:
            where = {"project_id": new.project_id, "acting_user": self._user_id}
            if new.chapter_id is None or not await self._connection.scalar(_MAY_START, where):
                raise NotFound(new.project_id)
            if (active := await self._rival(new)) is not None:
                raise JobConflict(active.id)

    async def _rival(self, job: Job) -> Job | None:
        """The active job that this one cannot run beside."""
        return None if job.chapter_id is None else await self.active_on(job.chapter_id, version_id=job.assessed_version_id)
