"""The task manager: a job is run once however often it is delivered, by its owner only, and handed over in order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

import pytest

from domain.jobs.events import Event, Progressed
from domain.jobs.job import Claim, JobKind, JobStage
from domain.jobs.run import Interrupted, JobRun, StopReason
from domain.jobs.task_manager import NO_DUTIES, Duty, TaskManager, Workflow
from tests.factories import NOON

LEASE_SECONDS = 0.1


@dataclass
class Desk:
    """The part of a desk that the manager and the log need. `queued` are taken up in their order."""

    queued: list[UUID] = field(default_factory=list)
    claimed: list[UUID] = field(default_factory=list)
    lost: set[UUID] = field(default_factory=set)
    cancelled: set[UUID] = field(default_factory=set)
    outranked: set[UUID] = field(default_factory=set)
    answers_about_cancels: bool = True
    events: list[Event] = field(default_factory=list)
    claiming: asyncio.Event = field(default_factory=asyncio.Event)
    may_claim: asyncio.Event = field(default_factory=asyncio.Event)
    renewals: int = 0
    renewed_twice: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_claim.set()

    async def claim_next(self, *, lease_seconds: float) -> Claim | None:
        self.claiming.set()
        await self.may_claim.wait()
        if not self.queued:
            return None
        job_id = self.queued.pop(0)
        self.claimed.append(job_id)
        epoch = self.claimed.count(job_id)
        return Claim(
            job_id=job_id, kind=JobKind.CHAPTER, project_id=uuid4(), user_id=uuid4(), epoch=epoch, attempt=epoch, cancel_requested=False
        )

    async def should_step_aside(self, claim: Claim) -> bool:
        return claim.job_id in self.outranked

    async def cancels_requested(self, job_ids: Sequence[UUID]) -> Sequence[UUID]:
        return [job_id for job_id in job_ids if job_id in self.cancelled] if self.answers_about_cancels else ()

    async def renew(self, claims: Sequence[Claim], *, lease_seconds: float) -> dict[UUID, bool]:
        self.renewals += 1
        if self.renewals == 2:
            self.renewed_twice.set()
        return {claim.job_id: claim.job_id in self.cancelled for claim in claims if claim.job_id not in self.lost}

    async def append(self, batches: Sequence[tuple[Claim, Sequence[Event]]], *, at: datetime, number: int | None = None) -> set[UUID]:
        self.events += [event for claim, events in batches if claim.job_id not in self.lost for event in events]
        return self.lost

    async def overdue(self) -> Sequence[UUID]:
        return ()

    async def expire_leases(self) -> None:
        pass


class Deliveries:
    """Each message in a task of its own; one that is answered False comes again."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[UUID] = asyncio.Queue()
        self.answers: asyncio.Queue[bool] = asyncio.Queue()
        self._paused = asyncio.Event()

    async def work(self, run: Callable[[UUID], Awaitable[bool]]) -> None:
        async with asyncio.TaskGroup() as tasks:
            while not self._paused.is_set():
                job_id = await self.messages.get()
                tasks.create_task(self._deliver(job_id, run))

    async def _deliver(self, job_id: UUID, run: Callable[[UUID], Awaitable[bool]]) -> None:
        answer = await run(job_id)
        if not answer:
            self.messages.put_nowait(job_id)
        self.answers.put_nowait(answer)

    async def pause(self) -> None:
        self._paused.set()


class Wakeups:
    def __init__(self) -> None:
        self.cancels: asyncio.Queue[UUID] = asyncio.Queue()
        self.failures = 0

    def notify_local(self, job_ids: object) -> None:
        pass

    @asynccontextmanager
    async def joining_workers(self) -> AsyncIterator[bool]:
        yield True

    @asynccontextmanager
    async def cancel_requests(self) -> AsyncIterator[AsyncIterator[UUID]]:
        if self.failures:
            self.failures -= 1
            raise ConnectionError
        yield self._requests()

    async def _requests(self) -> AsyncIterator[UUID]:
        while True:
            yield await self.cancels.get()


class Steps:
    """A workflow that says how far it is, and goes on when it is told."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.ends: list[str] = []

    async def in_one_step(self, run: JobRun) -> None:
        try:
            run.checkpoint()
            self.begun.set()
            await self.go_on.wait()
            run.checkpoint()
            self.ends.append("finished")
        except Interrupted as stop:
            self.ends.append(stop.reason)
        except asyncio.CancelledError:
            self.ends.append("aborted")
            raise

    async def interruptibly(self, run: JobRun) -> None:
        try:
            async with run.interruptible():
                self.begun.set()
                await self.go_on.wait()
        except Interrupted as stop:
            self.ends.append(stop.reason)

    async def crashing(self, run: JobRun) -> None:
        self.begun.set()
        raise RuntimeError


@dataclass
class Office:
    desk: Desk
    deliveries: Deliveries
    wakeups: Wakeups
    steps: Steps
    manager: TaskManager

    async def begin(self, job_id: UUID) -> None:
        self.desk.queued.append(job_id)
        self.deliveries.messages.put_nowait(job_id)
        await self.steps.begun.wait()

    async def answer(self) -> bool:
        return await self.deliveries.answers.get()


@asynccontextmanager
async def working(
    workflow: str,
    *,
    steps: Steps | None = None,
    lease_seconds: float = LEASE_SECONDS,
    failures: int = 0,
    further_duties: Mapping[str, Duty] = NO_DUTIES,
) -> AsyncIterator[Office]:
    """`workflow` names the method of `steps`; `failures`: how often cancels cannot be listened for at first."""
    desk, deliveries, wakeups, steps = Desk(), Deliveries(), Wakeups(), steps or Steps()
    wakeups.failures = failures
    chosen: Workflow = getattr(steps, workflow)
    manager = TaskManager(
        desk=desk,
        deliveries=deliveries,
        wakeups=wakeups,
        workflow=chosen,
        clock=lambda: NOON,
        lease_seconds=lease_seconds,
        further_duties=further_duties,
    )
    before = asyncio.all_tasks()
    async with asyncio.timeout(10):
        await manager.start()
        yield Office(desk, deliveries, wakeups, steps, manager)
        await manager.stop(grace_seconds=0.05)
    assert asyncio.all_tasks() <= before, "the manager has left something running"


async def test_a_delivered_job_is_carried_to_its_end():
    async with working("in_one_step") as office:
        await office.begin(uuid4())
        office.steps.go_on.set()
        assert await office.answer() is True
    assert office.steps.ends == ["finished"]


async def test_a_job_delivered_twice_runs_once():
    async with working("in_one_step") as office:
        job_id = uuid4()
        await office.begin(job_id)
        assert await office.manager.deliver(job_id) is True
        office.steps.go_on.set()
        assert await office.answer() is True
    assert office.desk.claimed == [job_id]


async def test_a_slot_goes_on_with_whatever_is_queued_until_there_is_nothing_left():
    async with working("in_one_step") as office:
        waiting = [uuid4() for _ in range(3)]
        office.desk.queued += waiting
        office.steps.go_on.set()
        assert await office.manager.deliver(uuid4()) is True
    assert office.desk.claimed == waiting


async def test_a_job_that_this_process_has_lost_and_takes_over_itself_runs_alone():
    async with working("in_one_step", lease_seconds=3600) as office:
        job_id = uuid4()
        await office.begin(job_id)
        office.steps.begun.clear()
        await office.begin(job_id)
        assert office.steps.ends == ["aborted"]
        office.steps.go_on.set()
        assert [await office.answer() for _ in range(2)] == [True, True]
    assert office.steps.ends == ["aborted", "finished"]


async def test_a_run_is_told_between_its_steps_that_it_should_step_aside():
    class Stepping(Steps):
        async def in_one_step(self, run: JobRun) -> None:
            await run.between_steps()
            self.begun.set()
            await self.go_on.wait()
            try:
                await run.between_steps()
            except Interrupted as stop:
                self.ends.append(stop.reason)

    async with working("in_one_step", steps=Stepping()) as office:
        job_id = uuid4()
        await office.begin(job_id)
        office.desk.outranked.add(job_id)
        office.steps.go_on.set()
        assert await office.answer() is True
    assert office.steps.ends == [StopReason.HANDED_OVER]


async def test_a_run_knows_until_when_nobody_else_can_have_its_job():
    class Keeping(Steps):
        async def in_one_step(self, run: JobRun) -> None:
            self.run = run
            await super().in_one_step(run)

    now = asyncio.get_running_loop().time
    async with working("in_one_step", steps=Keeping()) as office:
        office.desk.may_claim.clear()
        beginning = asyncio.create_task(office.begin(uuid4()))
        await office.desk.claiming.wait()
        asked_at = now()
        office.desk.may_claim.set()
        await beginning
        first = office.steps.run.lease_until
        assert first <= asked_at + LEASE_SECONDS, "the time in which the database answers is counted too"
        await office.desk.renewed_twice.wait()
        assert first < office.steps.run.lease_until <= now() + LEASE_SECONDS
        office.steps.go_on.set()
        assert await office.answer() is True


async def test_a_run_whose_lease_is_lost_ends_at_once_and_writes_nothing_more():
    async with working("in_one_step") as office:
        job_id = uuid4()
        await office.begin(job_id)
        office.desk.lost.add(job_id)
        assert await office.answer() is True
    assert office.steps.ends == ["aborted"]
    assert office.desk.events == []


async def test_a_job_whose_log_may_not_be_written_any_more_is_ended():
    class Writing(Steps):
        async def in_one_step(self, run: JobRun) -> None:
            self.begun.set()
            await self.go_on.wait()
            run.progress(JobStage.DRAFTING, 0.5, "Half.")
            await asyncio.Event().wait()

    async with working("in_one_step", steps=Writing(), lease_seconds=3600) as office:
        job_id = uuid4()
        await office.begin(job_id)
        office.desk.lost.add(job_id)
        office.steps.go_on.set()
        assert await office.answer() is True
    assert office.desk.events == []


async def test_a_renewal_that_loses_one_job_leaves_the_others_alone():
    async with working("in_one_step") as office:
        lost, kept = uuid4(), uuid4()
        await office.begin(lost)
        office.steps.begun.clear()
        await office.begin(kept)
        office.desk.lost.add(lost)
        assert await office.answer() is True
        office.steps.go_on.set()
        assert await office.answer() is True
    assert office.steps.ends == ["aborted", "finished"]


@pytest.mark.parametrize("way", ["wakeup", "renewal", "poll"])
async def test_a_cancel_reaches_the_run(way: str):
    async with working("interruptibly", lease_seconds=LEASE_SECONDS if way == "renewal" else 3600) as office:
        office.desk.answers_about_cancels = way == "poll"
        job_id = uuid4()
        await office.begin(job_id)
        if way == "wakeup":
            office.wakeups.cancels.put_nowait(job_id)
        else:
            office.desk.cancelled.add(job_id)
        assert await office.answer() is True
    assert office.steps.ends == [StopReason.CANCELLED]


async def test_a_run_that_crashes_harms_no_other():
    async with working("crashing") as office:
        for _ in range(2):
            office.steps.begun.clear()
            await office.begin(uuid4())
            assert await office.answer() is True
    assert len(office.desk.claimed) == 2


async def test_a_duty_that_fails_is_taken_up_again():
    async with working("interruptibly", lease_seconds=3600, failures=1) as office:
        job_id = uuid4()
        await office.begin(job_id)
        office.wakeups.cancels.put_nowait(job_id)
        assert await office.answer() is True
    assert office.steps.ends == [StopReason.CANCELLED]


async def test_a_further_duty_goes_on_for_as_long_as_the_manager_works():
    begun, ended = asyncio.Event(), asyncio.Event()

    async def duty() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with working("in_one_step", further_duties={"upkeep": duty}):
        await begun.wait()
        assert not ended.is_set()
    assert ended.is_set()


async def test_a_shutdown_waits_for_the_step_in_flight_and_hands_the_job_over_behind_it():
    async with working("in_one_step") as office:
        await office.begin(uuid4())
        stopping = asyncio.create_task(office.manager.stop(grace_seconds=5))
        await asyncio.sleep(0)
        office.steps.go_on.set()
        await stopping
        assert office.steps.ends == [StopReason.HANDED_OVER]


async def test_a_shutdown_interrupts_a_step_that_takes_longer_than_the_grace():
    async with working("interruptibly") as office:
        await office.begin(uuid4())
        await office.manager.stop(grace_seconds=0.05)
        assert office.steps.ends == [StopReason.HANDED_OVER]


async def test_a_job_that_is_being_claimed_during_a_shutdown_is_handed_over_too():
    async with working("in_one_step") as office:
        office.desk.may_claim.clear()
        office.desk.queued.append(uuid4())
        office.deliveries.messages.put_nowait(uuid4())
        await office.desk.claiming.wait()
        stopping = asyncio.create_task(office.manager.stop(grace_seconds=5))
        await asyncio.sleep(0)
        office.desk.may_claim.set()
        await stopping
        assert office.steps.ends == [StopReason.HANDED_OVER]
        assert not office.steps.begun.is_set()


async def test_nothing_is_taken_up_during_a_shutdown():
    async with working("in_one_step") as office:
        await office.manager.stop(grace_seconds=0)
        office.desk.queued.append(uuid4())
        assert await office.manager.deliver(uuid4()) is False
    assert office.desk.claimed == []


async def test_what_was_emitted_last_is_written_before_a_job_is_handed_over():
    class Telling(Steps):
        async def interruptibly(self, run: JobRun) -> None:
            await super().interruptibly(run)
            run.progress(JobStage.DRAFTING, 0.5, "Half.")
            await run.log.flush()

    async with working("interruptibly", steps=Telling()) as office:
        await office.begin(uuid4())
    assert office.desk.events == [Progressed(JobStage.DRAFTING, 0.5, "Half.")]
