"""The asyncio task manager: runs delivered jobs, keeps their leases, cancels them, and hands them over at shutdown.

Deliveries arrive at least once; the claim makes them count once. A job whose claim is lost is cancelled at once and writes nothing
any more. `stop` lets steps in flight end for a while, then records what they have and gives the jobs back.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from uuid import UUID

from domain.jobs.event_log import EventLog
from domain.jobs.job import Busy, Claim, LeaseLost
from domain.jobs.run import JobRun, StopReason
from domain.ports import Clock, Deliveries, JobDesk, Wakeups

logger = logging.getLogger(__name__)

REAP_SECONDS = 10.0
HAND_OVER_SECONDS = 10.0

Workflow = Callable[[JobRun], Awaitable[None]]
"""Carries a claimed job to its end: succeeded, failed or cancelled. Raises LeaseLost, or Interrupted(HANDED_OVER)."""


class TaskManager:
    def __init__(
        self,
        *,
        desk: JobDesk,
        deliveries: Deliveries,
        wakeups: Wakeups,
        workflow: Workflow,
        clock: Clock,
        lease_seconds: float,
    ) -> None:
        self._desk = desk
        self._deliveries = deliveries
        self._wakeups = wakeups
        self._workflow = workflow
        self._lease_seconds = lease_seconds
        self._events = EventLog(desk, clock, on_written=wakeups.notify_local, on_lost=self._abort)
        self._runs: dict[UUID, tuple[JobRun, asyncio.Task[None]]] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._working: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self) -> None:
        async with self._wakeups.joining_workers() as alone:
            if alone:
                await self._desk.expire_leases()
        await self._desk.overdue()
        for keeper in (self._events.run, self._keep_leases, self._watch_cancels, self._reap):
            self._keepers.append(asyncio.create_task(keeper(), name=f"jobs: {keeper.__name__}"))
        self._working = asyncio.create_task(self._deliveries.work(self.deliver), name="jobs: deliveries")

    async def stop(self, grace_seconds: float) -> None:
        """Take nothing new; let what runs reach the end of its step, or at `grace_seconds` record what it has; then let go."""
        self._stopping = True
        await self._deliveries.pause()
        for run, _ in self._runs.values():
            run.drain()
        await self._wait_for_runs(grace_seconds)
        for run, _ in self._runs.values():
            run.interrupt(StopReason.HANDED_OVER)
        await self._wait_for_runs(HAND_OVER_SECONDS)
        for job_id in list(self._runs):
            self._abort(job_id)
        await self._wait_for_runs(1.0)
        for task in [self._working, *self._keepers]:
            if task is not None:
                task.cancel()
                await asyncio.wait({task})

    async def deliver(self, job_id: UUID) -> bool:
        """Run a job that a message names; False asks for the message to be delivered again in a moment."""
        if self._stopping or job_id in self._runs:
            return False
        claim = await self._desk.claim(job_id, lease_seconds=self._lease_seconds)
        if claim is None:
            return True
        if isinstance(claim, Busy):
            return False
        run = JobRun(claim, self._events.open(claim))
        task = asyncio.create_task(self._carry_out(run), name=f"job {job_id}")
        self._runs[job_id] = (run, task)
        try:
            await asyncio.wait({task})
        finally:
            self._runs.pop(job_id, None)
            self._events.close(claim)
        return True

    async def _carry_out(self, run: JobRun) -> None:
        logger.info("job.started", extra=_names(run.claim))
        try:
            await self._workflow(run)
        except LeaseLost:
            logger.warning("job.lease_lost", extra=_names(run.claim))
        except asyncio.CancelledError:
            logger.warning("job.aborted", extra=_names(run.claim))
        except Exception:  # a failure that could not even be recorded: the lease runs out and the job is delivered again
            logger.exception("job.crashed", extra=_names(run.claim))
        else:
            logger.info("job.ended", extra=_names(run.claim))

    def _abort(self, job_id: UUID) -> None:
        if job_id in self._runs:
            self._runs[job_id][1].cancel()

    async def _wait_for_runs(self, seconds: float) -> None:
        if tasks := {task for _, task in self._runs.values()}:
            await asyncio.wait(tasks, timeout=seconds)

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self._lease_seconds / 4)
            runs = [run for run, _ in self._runs.values()]
            if not runs:
                continue
            try:
                held = await self._desk.renew([run.claim for run in runs], lease_seconds=self._lease_seconds)
            except Exception:  # the database is away: the lease itself says how long that may last
                logger.warning("jobs.renewal_failed", exc_info=True)
                continue
            for run in runs:
                cancel_requested = held.get(run.claim.job_id)
                if cancel_requested is None:
                    self._abort(run.claim.job_id)
                elif cancel_requested:
                    run.interrupt(StopReason.CANCELLED)

    async def _watch_cancels(self) -> None:
        async with self._wakeups.cancel_requests() as job_ids:
            async for job_id in job_ids:
                if job_id in self._runs:
                    self._runs[job_id][0].interrupt(StopReason.CANCELLED)

    async def _reap(self) -> None:
        while True:
            await asyncio.sleep(REAP_SECONDS)
            try:
                if redelivered := await self._desk.overdue():
                    logger.warning("jobs.redelivered", extra={"jobs": [str(job_id) for job_id in redelivered]})
            except Exception:  # the database is away: the next round comes soon enough
                logger.warning("jobs.reaping_failed", exc_info=True)


def _names(claim: Claim) -> dict[str, object]:
    return {"job_id": str(claim.job_id), "epoch": claim.epoch, "attempt": claim.attempt}
