"""A run ends where it may be interrupted, and nowhere else."""

import asyncio
from uuid import uuid4

import pytest

from domain.jobs.event_log import JobLog
from domain.jobs.job import Claim, JobKind, JobStage, LeaseLost
from domain.jobs.run import Interrupted, JobRun, StopReason


def a_run(*, cancel_requested: bool = False, progress: float = 0.0) -> JobRun:
    claim = Claim(
        job_id=uuid4(),
        kind=JobKind.CHAPTER,
        project_id=uuid4(),
        user_id=uuid4(),
        epoch=1,
        attempt=1,
        cancel_requested=cancel_requested,
        progress=progress,
    )
    return JobRun(claim, JobLog(claim, wake=lambda: None))


async def test_an_interruption_ends_what_is_awaited_in_the_scope():
    run = a_run()
    entered = asyncio.Event()

    async def wait_in_scope() -> None:
        async with run.interruptible():
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(wait_in_scope())
    await entered.wait()
    run.interrupt(StopReason.CANCELLED)
    with pytest.raises(Interrupted) as caught:
        await task
    assert caught.value.reason is StopReason.CANCELLED


async def test_an_interruption_outside_the_scope_waits_for_the_next_one():
    run = a_run()
    run.interrupt(StopReason.HANDED_OVER)
    await asyncio.sleep(0)
    with pytest.raises(Interrupted):
        async with run.interruptible():
            pytest.fail("the scope was entered")
    with pytest.raises(Interrupted):
        run.checkpoint()


async def test_what_only_one_may_do_is_not_done_behind_the_end_of_the_lease():
    run = a_run()
    run.require_lease()
    run.lease_until = asyncio.get_running_loop().time() + 60
    run.require_lease()
    run.lease_until = asyncio.get_running_loop().time()
    with pytest.raises(LeaseLost):
        run.require_lease()


async def test_after_an_interruption_the_task_can_go_on_awaiting():
    run = a_run()
    entered = asyncio.Event()

    async def record_afterwards() -> str:
        try:
            async with run.interruptible():
                entered.set()
                await asyncio.Event().wait()
        except Interrupted:
            await asyncio.sleep(0)
        return "recorded"

    task = asyncio.create_task(record_afterwards())
    await entered.wait()
    run.interrupt(StopReason.CANCELLED)
    assert await task == "recorded"
    assert task.cancelling() == 0


async def test_an_ordinary_cancellation_passes_through_the_scope():
    run = a_run()
    entered = asyncio.Event()

    async def wait_in_scope() -> None:
        async with run.interruptible():
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(wait_in_scope())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancel_outranks_a_shutdown_but_not_the_other_way():
    run = a_run()
    run.interrupt(StopReason.HANDED_OVER)
    run.interrupt(StopReason.CANCELLED)
    run.interrupt(StopReason.HANDED_OVER)
    with pytest.raises(Interrupted) as caught:
        run.checkpoint()
    assert caught.value.reason is StopReason.CANCELLED


async def test_draining_ends_the_run_between_steps_only():
    run = a_run()
    run.drain()
    async with run.interruptible():
        await asyncio.sleep(0)
    with pytest.raises(Interrupted) as caught:
        run.checkpoint()
    assert caught.value.reason is StopReason.HANDED_OVER


async def idling(run: JobRun, idle: asyncio.Event) -> None:
    async with run.idle():
        idle.set()
        await asyncio.Event().wait()


async def test_draining_ends_at_once_a_wait_in_which_nothing_is_under_way():
    run, idle = a_run(), asyncio.Event()
    task = asyncio.create_task(idling(run, idle))
    await idle.wait()
    run.drain()
    with pytest.raises(Interrupted) as caught:
        await task
    assert caught.value.reason is StopReason.HANDED_OVER


async def test_such_a_wait_does_not_begin_when_the_run_is_draining():
    run, idle = a_run(), asyncio.Event()
    run.drain()
    with pytest.raises(Interrupted):
        await idling(run, idle)
    assert not idle.is_set()


async def test_a_cancel_ends_such_a_wait_too():
    run, idle = a_run(), asyncio.Event()
    task = asyncio.create_task(idling(run, idle))
    await idle.wait()
    run.interrupt(StopReason.CANCELLED)
    with pytest.raises(Interrupted) as caught:
        await task
    assert caught.value.reason is StopReason.CANCELLED


async def test_behind_such_a_wait_draining_ends_the_run_between_steps_only():
    run = a_run()
    async with run.idle():
        await asyncio.sleep(0)
    async with run.interruptible():
        run.drain()
        await asyncio.sleep(0)


async def test_a_job_cancelled_before_it_was_claimed_does_not_begin():
    with pytest.raises(Interrupted):
        a_run(cancel_requested=True).checkpoint()


async def test_a_second_interruption_does_not_disturb_the_way_out_of_the_first():
    """A cancel is repeated with every renewal of the lease, and may come while the model's connection is being closed."""
    run = a_run()
    entered, leaving, left = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def wait_in_scope() -> None:
        async with run.interruptible():
            try:
                entered.set()
                await asyncio.Event().wait()
            finally:
                leaving.set()
                await left.wait()

    task = asyncio.create_task(wait_in_scope())
    await entered.wait()
    run.interrupt(StopReason.CANCELLED)
    await leaving.wait()
    run.interrupt(StopReason.CANCELLED)
    left.set()
    with pytest.raises(Interrupted):
        await task


async def test_progress_never_falls_also_behind_an_earlier_worker():
    run = a_run(progress=0.6)
    told = [run.progressed(JobStage.DRAFTING, fraction, "On.").progress for fraction in (0.05, 0.7, 0.65)]
    assert told == [0.6, 0.7, 0.7]
