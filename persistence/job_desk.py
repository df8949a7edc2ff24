"""A worker's side of the job rows: the JobDesk port on Postgres, as the role that sees jobs of all tenants and texts of none."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text

from domain.jobs.events import Event, StepFinished
from domain.jobs.job import CallIntent, CallResult, CallsLost, Claim, Ending, JobLimits, LeaseLost, Waiting
from domain.llm.model import TokenUsage
from domain.spending import Funds
from persistence import funds, job_transitions, ledger, steps, turns
from persistence.connection import Connection
from persistence.database import Database
from persistence.events import append_events

_RENEW = text("""
    WITH held AS MATERIALIZED (
        SELECT id FROM job JOIN unnest(CAST(:jobs AS uuid[]), CAST(:epochs AS int[])) AS claim (job_id, epoch)
            ON claim.job_id = job.id AND claim.epoch = job.epoch
        WHERE status IN ('RUNNING', 'CANCELLING')
        ORDER BY id FOR NO KEY UPDATE OF job
    )
    UPDATE job SET lease_until = now() + make_interval(secs => :lease) FROM held WHERE job.id = held.id
    RETURNING job.id, job.cancel_requested
""")
_CANCELS = text("SELECT id FROM job WHERE id = ANY(CAST(:jobs AS uuid[])) AND cancel_requested")
CLAIM_ATTEMPTS = 100
_ONLY_ONE_LOOKS = text("SELECT pg_try_advisory_xact_lock(hashtext('scriptorium: overdue jobs'))")
_EXPIRE = text("""
    WITH held AS MATERIALIZED (SELECT id FROM job WHERE status IN ('RUNNING', 'CANCELLING') ORDER BY id FOR NO KEY UPDATE)
    UPDATE job SET lease_until = now() - interval '3 seconds' FROM held WHERE job.id = held.id
""")


class PostgresJobDesk:
    """`worker` names this process in the rows of the jobs it holds, for people who look there; `monthly_limit` is USD for each user."""

    def __init__(self, database: Database, *, worker: str, limits: JobLimits, monthly_limit: Decimal | None) -> None:
        self._database = database
        self._worker = worker
        self._limits = limits
        self._monthly_limit = monthly_limit

    async def claim_next(self, *, lease_seconds: float) -> Claim | None:
        for _ in range(CLAIM_ATTEMPTS):
            with suppress(turns.Overtaken):
                async with self._database.as_worker() as connection:
                    return await turns.claim_next(connection, self._limits, worker=self._worker, lease_seconds=lease_seconds)
        return None  # this much is going on: whatever is left is found when the next job ends

    async def should_step_aside(self, claim: Claim) -> bool:
        async with self._database.as_worker() as connection:
            return await turns.should_step_aside(connection, self._limits, claim)

    async def cancels_requested(self, job_ids: Sequence[UUID]) -> Sequence[UUID]:
        async with self._database.as_worker() as connection:
            return await connection.scalars(_CANCELS, {"jobs": list(job_ids)})

    async def renew(self, claims: Sequence[Claim], *, lease_seconds: float) -> Mapping[UUID, bool]:
        parameters = {
            "jobs": [claim.job_id for claim in claims],
            "epochs": [claim.epoch for claim in claims],
            "lease": lease_seconds,
        }
        async with self._database.as_worker() as connection:
            return {row.id: row.cancel_requested for row in await connection.execute(_RENEW, parameters)}

    async def release(self, claim: Claim) -> None:
        async with self._database.as_worker() as connection:
            await job_transitions.release(connection, claim)

    async def append(self, batches: Sequence[tuple[Claim, Sequence[Event]]], *, at: datetime, number: int | None = None) -> set[UUID]:
        written = [(claim.job_id, claim.epoch, events) for claim, events in batches if events]
        async with self._database.as_worker() as connection:
            return {job_id for job_id, _, _ in written} - await append_events(connection, written, at=at, number=number)

    async def intend(self, claim: Claim, intent: CallIntent) -> CallResult | None:
        async with self._database.as_worker() as connection:
            answer = await steps.intend(connection, claim, intent)
        if isinstance(answer, CallsLost):
            raise answer
        return answer

    async def abandon(self, claim: Claim, intent: CallIntent, *, at: datetime, usage: TokenUsage | None, cost: Decimal | None) -> None:
        async with self._database.as_worker() as connection:
            held = await _holds(connection, claim)
            await steps.abandon(connection, claim, intent, at=at, usage=usage, cost=cost)
        if not held:
            raise LeaseLost

    async def record(self, claim: Claim, intent: CallIntent, result: CallResult, *, at: datetime) -> None:
        async with self._database.as_worker() as connection:
            held = await _holds(connection, claim)
            if await steps.record(connection, claim, intent, result, at=at) and held:
                finished = StepFinished(intent.step, await ledger.usage_of_step(connection, claim.job_id, intent.step))
                await append_events(connection, [(claim.job_id, claim.epoch, (finished,))], at=at)
        if not held:
            raise LeaseLost

    async def results(self, claim: Claim) -> Mapping[str, CallResult]:
        async with self._database.as_worker() as connection:
            await job_transitions.hold(connection, claim)
            return await steps.results(connection, claim)

    async def fund(self, claim: Claim, wanted: Decimal) -> Funds:
        async with self._database.as_worker() as connection:
            return await funds.fund(connection, claim, wanted, monthly_limit=self._monthly_limit)

    async def wait(self, claim: Claim, waiting: Waiting) -> bool:
        async with self._database.as_worker() as connection:
            return await job_transitions.wait(connection, claim, waiting)

    async def resume_waiting(self) -> Sequence[UUID]:
        async with self._database.as_worker() as connection:
            waiters = await funds.waiters(connection)
        return [waiter.job_id for waiter in waiters if await self._resume(waiter)]

    async def write_off(self, claim: Claim, *, at: datetime) -> None:
        async with self._database.as_worker() as connection:
            await job_transitions.hold(connection, claim)
            await steps.write_off(connection, claim, at=at)

    async def finish(self, claim: Claim, ending: Ending) -> None:
        async with self._database.as_worker() as connection:
            await job_transitions.finish(connection, claim, ending)

    async def overdue(self) -> Sequence[UUID]:
        async with self._database.as_worker() as connection:
            if not await connection.scalar(_ONLY_ONE_LOOKS):
                return ()
            jobs = await turns.undelivered(connection, self._limits)
            for job_id in jobs:
                await job_transitions.deliver(connection, job_id)
            return jobs

    async def _resume(self, waiter: funds.Waiter) -> bool:
        """A transaction for each, so that no two users' money is ever locked by one."""
        async with self._database.as_worker() as connection:
            needs = await funds.needed(connection, waiter, monthly_limit=self._monthly_limit)
            if needs is not None:
                await job_transitions.resume(connection, waiter.job_id, reserve=needs)
        return needs is not None

    async def expire_leases(self) -> None:
        async with self._database.as_worker() as connection:
            await connection.execute(_EXPIRE)


async def _holds(connection: Connection, claim: Claim) -> bool:
    """Whether the claim is good; if it is, it stays so until the transaction ends."""
    try:
        await job_transitions.hold(connection, claim)
    except LeaseLost:
        return False
    return True
