"""The asyncio task manager: runs delivered jobs, keeps their leases, cancels them, and hands them over at shutdown.

Deliveries arrive at least once; the claim makes them count once, and decides whose turn it is. A job whose claim is lost is cancelled at
once and writes nothing any more. `stop` lets steps in flight end for a while, then records what they have and gives the jobs back.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import MappingProxyType
from uuid import UUID

from domain.jobs.event_log import EventLog
from domain.jobs.job import Claim, LeaseLost
from domain.jobs.ports import Deliveries, JobDesk, Wakeups
from domain.jobs.run import JobRun, StopReason
from domain.ports import Clock

logger = logging.getLogger(__name__)

REAP_SECONDS = 10.0
CANCEL_POLL_SECONDS = 0.7
RESUME_WAITING_SECONDS = 2.0
RESUME_SECONDS = 1.0
HAND_OVER_SECONDS = 5.0

Workflow = Callable[[JobRun], Awaitable[None]]
"""Carries a claimed job to its end: succeeded, failed or cancelled. Raises LeaseLost, or Interrupted(HANDED_OVER)."""
Duty = Callable[[], Awaitable[None]]
"""Goes on for as long as the manager works; what fails is logged and begun anew."""
NO_DUTIES: Mapping[str, Duty] = MappingProxyType({})


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
        further_duties: Mapping[str, Duty] = NO_DUTIES,
    ) -> None:
        self._desk = desk
        self._deliveries = deliveries
        self._wakeups = wakeups
        self._workflow = workflow
        self._lease_seconds = lease_seconds
        self._further_duties = further_duties
        self._events = EventLog(desk, clock, on_written=wakeups.notify_local, on_lost=self._abort)
        self._tasks: set[asyncio.Task[bool]] = set()
        self._runs: dict[UUID, tuple[JobRun, asyncio.Task[bool]]] = {}
        self._duties: list[asyncio.Task[None]] = []
        self._stopping = False

    async def start(self) -> None:
        async with self._wakeups.joining_workers() as alone:
            if alone:
                await self._desk.expire_leases()
        await self._desk.overdue()
        self._begin("events", self._events.run)
        self._begin("cancels", self._watch_cancels)
        self._look_every(self._lease_seconds / 4, "leases", self._renew_leases, failed="jobs.renewal_failed")
        self._look_every(CANCEL_POLL_SECONDS, "missed cancels", self._look_for_cancels, failed="jobs.cancel_poll_failed")
        self._look_every(RESUME_WAITING_SECONDS, "waiting jobs", self._resume_waiting, failed="jobs.resuming_failed")
        self._look_every(REAP_SECONDS, "reaping", self._reap, failed="jobs.reaping_failed")
        for name, duty in self._further_duties.items():
            self._begin(name, duty)
        self._begin("deliveries", lambda: self._deliveries.work(self.deliver))

    async def stop(self, grace_seconds: float) -> None:
        """Take nothing new; let what runs reach the end of its step, or at `grace_seconds` record what it has; then let go."""
        self._stopping = True
        await self._deliveries.pause()
        for run, _ in self._runs.values():
            run.drain()
        await self._wait_for_jobs(grace_seconds)
        for run, _ in self._runs.values():
            run.interrupt(StopReason.HANDED_OVER)
        await self._wait_for_jobs(HAND_OVER_SECONDS)
        for task in self._tasks:
            task.cancel()
        await self._wait_for_jobs(1.0)
        for duty in reversed(self._duties):
            duty.cancel()
            await asyncio.wait({duty})

    async def deliver(self, _: UUID) -> bool:
        """A message says that there is work. Which job is run is decided by whose turn it is, and again each time one has ended.

        False asks for the message to be delivered again, to somebody else.
        """
        while not self._stopping:
            task = asyncio.create_task(self._take_up(), name="job: claiming")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            if not await task:
                return True
        return False

    async def _take_up(self) -> bool:
        """Whether there was a job to run."""
        asked_at = asyncio.get_running_loop().time()
        claim = await self._desk.claim_next(lease_seconds=self._lease_seconds)
        if claim is None:
            return False
        task = asyncio.current_task()
        assert task is not None
        task.set_name(f"job {claim.job_id}")
        await self._let_go(claim.job_id)
        run = JobRun(
            claim,
            self._events.open(claim),
            should_step_aside=partial(self._desk.should_step_aside, claim),
            lease_until=asked_at + self._lease_seconds,
        )
        self._runs[claim.job_id] = (run, task)
        if self._stopping:  # meanwhile
            run.drain()
        try:
            await self._carry_out(run)
        finally:
            del self._runs[claim.job_id]
            self._events.close(claim)
        return True

    async def _let_go(self, job_id: UUID) -> None:
        """A process that was frozen past its lease may be the one that takes its own job over."""
        if (held := self._runs.get(job_id)) is not None:
            run, task = held
            self._abort(run.claim)
            await asyncio.wait({task})

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

    def _abort(self, claim: Claim) -> None:
        """A later claim of the same job, if this process has it, goes on."""
        held = self._runs.get(claim.job_id)
        if held is not None and held[0].claim == claim:
            held[1].cancel()

    async def _wait_for_jobs(self, seconds: float) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    def _begin(self, name: str, duty: Duty) -> None:
        self._duties.append(asyncio.create_task(self._never_give_up(name, duty), name=f"jobs: {name}"))

    async def _never_give_up(self, name: str, duty: Duty) -> None:
        while True:
            try:
                return await duty()
            except Exception:  # whatever it was: without this duty jobs would hang, and nobody be told
                logger.exception("jobs.duty_failed", extra={"duty": name})
            await asyncio.sleep(RESUME_SECONDS)

    def _look_every(self, seconds: float, name: str, look: Callable[[], Awaitable[None]], *, failed: str) -> None:
        self._begin(name, lambda: self._every(seconds, look, failed=failed))

    async def _every(self, seconds: float, look: Callable[[], Awaitable[None]], *, failed: str) -> None:
        """What cannot be looked at now, because the database is away, is looked at the next time."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await look()
            except Exception:  # whatever ails the database; a lease itself says how long that may last
                logger.warning(failed, exc_info=True)

    async def _renew_leases(self) -> None:
        runs = [run for run, _ in self._runs.values()]
        if not runs:
            return
        asked_at = asyncio.get_running_loop().time()
        held = await self._desk.renew([run.claim for run in runs], lease_seconds=self._lease_seconds)
        for run in runs:
            cancel_requested = held.get(run.claim.job_id)
            if cancel_requested is None:
                self._abort(run.claim)
                continue
            run.lease_until = asked_at + self._lease_seconds
            if cancel_requested:
                run.interrupt(StopReason.CANCELLED)

    async def _watch_cancels(self) -> None:
        async with self._wakeups.cancel_requests() as job_ids:
            async for job_id in job_ids:
                self._cancel(job_id)

    async def _look_for_cancels(self) -> None:
        """For when the hint is late or lost: a stream that nobody wants any more costs money by the second."""
        if self._runs:
            for job_id in await self._desk.cancels_requested(list(self._runs)):
                self._cancel(job_id)

    def _cancel(self, job_id: UUID) -> None:
        if job_id in self._runs:
            self._runs[job_id][0].interrupt(StopReason.CANCELLED)

    async def _resume_waiting(self) -> None:
        """Limits are raised in many places, and by the turn of the month in none: so they are looked at."""
        if resumed := await self._desk.resume_waiting():
            logger.info("jobs.resumed", extra={"jobs": [str(job_id) for job_id in resumed]})

    async def _reap(self) -> None:
        if redelivered := await self._desk.overdue():
            logger.warning("jobs.redelivered", extra={"jobs": [str(job_id) for job_id in redelivered]})


def _names(claim: Claim) -> dict[str, object]:
    return {"job_id": str(claim.job_id), "epoch": claim.epoch, "attempt": claim.attempt}
