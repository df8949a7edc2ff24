"""A worker's side of the job rows: one owner at a time, and whoever is not the owner any more changes nothing."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import text

from domain.jobs.events import Finished, StatusChanged
from domain.jobs.job import Claim, Ending, JobFailure, JobStage, JobStatus, LeaseLost
from persistence import job_transitions
from tests.claiming import claim_job
from tests.persistence.job_world import LEASE, NOW, RESERVE, build_world, ending, intent, later, text_of


@pytest.fixture
async def world(database):
    return await build_world(database)


async def test_a_queued_job_is_claimed_with_an_epoch_an_attempt_and_an_event(world):
    job = await world.queued()

    claim = await world.desk.claim_next(lease_seconds=LEASE)

    assert claim == Claim(
        job_id=job.id,
        kind=job.kind,
        project_id=job.project_id,
        user_id=world.author,
        epoch=1,
        attempt=1,
        cancel_requested=False,
        funds=RESERVE,
    )
    seen = await world.look(job.id)
    assert (seen.status, seen.attempt, seen.last_sequence) == (JobStatus.RUNNING, 1, 2)
    assert seen.started_at is not None
    assert await world.events(job.id) == [StatusChanged(JobStatus.QUEUED), StatusChanged(JobStatus.RUNNING)]


async def test_of_many_claims_at_once_one_succeeds(world):
    job = await world.queued()

    claims = await asyncio.gather(*(world.desk.claim_next(lease_seconds=LEASE) for _ in range(10)))

    assert sum(isinstance(claim, Claim) for claim in claims) == 1
    assert claims.count(None) == 9
    assert (await world.look(job.id)).attempt == 1


async def test_a_job_that_is_finished_or_gone_is_not_to_be_claimed(world):
    claim = await world.claimed()
    await world.desk.finish(claim, ending())

    assert await claim_job(world.database, claim.job_id) is None
    assert await claim_job(world.database, uuid4()) is None
    assert await world.desk.claim_next(lease_seconds=LEASE) is None


async def test_a_running_job_is_claimed_again_once_its_lease_is_over(world):
    first = await world.claimed()
    assert await world.desk.claim_next(lease_seconds=LEASE) is None

    await world.desk.renew([first], lease_seconds=-1)
    second = await world.desk.claim_next(lease_seconds=LEASE)

    assert (second.job_id, second.epoch > first.epoch, second.attempt) == (first.job_id, True, 2)


async def test_only_workers_that_vanished_are_counted_as_stumbles_until_somebody_asks_again(world):
    claim = await world.claimed()
    await world.desk.release(claim)
    claim = await world.claim(claim.job_id)
    assert (claim.attempt, claim.stumbles) == (2, 0)

    claim = await world.taken_over(claim)
    assert (claim.attempt, claim.stumbles) == (3, 1)

    await world.desk.finish(claim, ending(JobStatus.FAILED))
    async with world.library.writing(world.author) as records:
        await records.jobs.retry(claim.job_id, reserve=RESERVE, at=NOW)
    assert (await world.claim(claim.job_id)).stumbles == 0


async def test_renewing_keeps_what_is_held_and_leaves_out_what_is_lost(world):
    lost, held, cancelled = [await world.claimed(chapter) for chapter in range(3)]
    await world.taken_over(lost)
    async with world.library.writing(world.author) as records:
        await records.jobs.request_cancel(cancelled.job_id, at=later(1))

    assert await world.desk.renew([lost, held, cancelled], lease_seconds=LEASE) == {held.job_id: False, cancelled.job_id: True}
    assert await world.desk.renew([], lease_seconds=LEASE) == {}


async def test_renewals_and_appends_of_many_jobs_never_wait_for_each_other_for_ever(database):
    world = await build_world(database, chapters=20)
    claims = [await world.claimed(chapter) for chapter in range(20)]

    async def renew(order):
        for _ in range(15):
            assert len(await world.desk.renew(order, lease_seconds=LEASE)) == 20

    async def append(order):
        for _ in range(15):
            assert not await world.desk.append([(claim, [text_of("a")]) for claim in order], at=NOW)

    async with asyncio.timeout(30):
        await asyncio.gather(renew(claims), append(claims[::-1]), renew(claims[::-1]), append(claims))


async def test_a_released_job_is_queued_delivered_again_and_out_of_its_workers_hands(world):
    claim = await world.claimed()
    await world.drop_messages()

    await world.desk.release(claim)

    assert (await world.look(claim.job_id)).status is JobStatus.QUEUED
    assert (await world.events(claim.job_id))[-1] == StatusChanged(JobStatus.QUEUED)
    assert await world.messages(claim.job_id) == 1
    assert await world.desk.append([(claim, [text_of("late")])], at=NOW) == {claim.job_id}
    assert (await world.claim(claim.job_id)).attempt == 2


async def test_a_job_released_while_it_is_being_cancelled_goes_on_being_cancelled(world):
    claim = await world.claimed()
    async with world.library.writing(world.author) as records:
        await records.jobs.request_cancel(claim.job_id, at=later(1))

    await world.desk.release(claim)

    assert (await world.look(claim.job_id)).status is JobStatus.CANCELLING
    before = await world.log(claim.job_id)
    assert (await world.claim(claim.job_id)).cancel_requested
    assert await world.log(claim.job_id) == before
    assert (await world.look(claim.job_id)).last_sequence == len(before)


async def test_finishing_ends_the_log_frees_the_reservation_and_lets_nothing_follow(world):
    claim = await world.claimed()
    assert await world.reserved() == RESERVE
    failure = JobFailure(code="MODEL_DOWN", message="The model cannot be reached.", retryable=True)

    await world.desk.finish(claim, Ending(status=JobStatus.FAILED, at=later(60), failure=failure))

    job = await world.look(claim.job_id)
    assert (job.status, job.failure, job.finished_at) == (JobStatus.FAILED, failure, later(60))
    assert (await world.events(job.id))[-2:] == [StatusChanged(JobStatus.FAILED, failure), Finished()]
    assert await world.reserved() == 0
    assert await world.desk.append([(claim, [text_of("late")])], at=NOW) == {job.id}
    with pytest.raises(LeaseLost):
        await world.desk.finish(claim, ending())
    assert len(await world.log(job.id)) == job.last_sequence


async def test_a_job_that_succeeded_is_done(world):
    claim = await world.claimed()

    await world.desk.finish(claim, ending())

    job = await world.look(claim.job_id)
    assert (job.stage, job.progress) == (JobStage.DONE, 1.0)


async def test_a_worker_that_lost_its_job_changes_nothing(world):
    zombie = await world.claimed()
    owner = await world.taken_over(zombie)
    before = (await world.look(owner.job_id), await world.log(owner.job_id))

    assert await world.desk.append([(zombie, [text_of("late")])], at=NOW) == {owner.job_id}
    assert await world.desk.renew([zombie], lease_seconds=LEASE) == {}
    for attempt in (
        world.desk.release(zombie),
        world.desk.results(zombie),
        world.desk.intend(zombie, intent()),
        world.desk.abandon(zombie, intent(), at=NOW, usage=None, cost=None),
        world.desk.finish(zombie, ending()),
    ):
        with pytest.raises(LeaseLost):
            await attempt
    async with world.library.writing(world.author) as records:
        with pytest.raises(LeaseLost):
            await records.jobs.finish(zombie, ending())
        with pytest.raises(LeaseLost):
            await records.jobs.complete_step(zombie, "context", started_at=NOW, at=NOW, events=())

    assert (await world.look(owner.job_id), await world.log(owner.job_id)) == before
    assert await world.steps(owner.job_id) == []
    await world.desk.finish(owner, ending())


async def test_nobody_takes_a_job_over_in_the_middle_of_its_workers_transaction(world):
    claim = await world.claimed()
    await world.desk.renew([claim], lease_seconds=-1)

    async with world.library.writing(world.author) as records:
        await records.jobs.complete_step(claim, "context", started_at=NOW, at=NOW, events=())
        taking_over = asyncio.create_task(world.claim(claim.job_id))
        assert not (await asyncio.wait({taking_over}, timeout=0.3))[0]

    assert (await taking_over).attempt == 2


async def complete_step(world, claim):
    async with world.library.writing(world.author) as records:
        await records.jobs.complete_step(claim, "context", started_at=NOW, at=NOW, events=(text_of("late"),))


@pytest.mark.parametrize("write", [complete_step, lambda world, claim: world.desk.intend(claim, intent())], ids=["complete", "intend"])
async def test_whoever_waits_while_the_job_is_taken_over_has_lost_it(world, write):
    zombie = await world.claimed()
    await world.desk.renew([zombie], lease_seconds=-1)

    async with world.database.as_worker() as connection:
        assert await job_transitions.claim(connection, zombie.job_id, worker="other", lease_seconds=LEASE) is not None
        writing = asyncio.create_task(write(world, zombie))
        assert not (await asyncio.wait({writing}, timeout=0.3))[0]

    with pytest.raises(LeaseLost):
        await writing
    assert await world.steps(zombie.job_id) == []
    assert text_of("late") not in await world.events(zombie.job_id)


async def test_an_overdue_job_is_delivered_once_however_many_look(world):
    claim = await world.claimed()
    await world.drop_messages()
    await world.desk.renew([claim], lease_seconds=-3)

    found = [job_id for ids in await asyncio.gather(*(world.desk.overdue() for _ in range(5))) for job_id in ids]

    assert found.count(claim.job_id) == 1
    assert await world.messages(claim.job_id) == 1
    assert claim.job_id not in await world.desk.overdue()


async def test_a_job_whose_lease_is_good_or_whose_message_waits_is_not_overdue(world):
    running, queued = await world.claimed(0), await world.queued(1)

    assert not {running.job_id, queued.id} & set(await world.desk.overdue())


async def test_a_queued_job_whose_message_is_gone_is_overdue_after_a_while(world):
    old, new = await world.queued(0), await world.queued(1)
    await world.drop_messages()
    async with world.database.as_worker() as connection:
        await connection.execute(text("UPDATE job SET queued_at = now() - interval '16 seconds' WHERE id = :id"), {"id": old.id})

    found = await world.desk.overdue()

    assert old.id in found
    assert new.id not in found


async def test_the_only_worker_takes_over_what_was_running_at_once(world):
    dead = await world.claimed()
    await world.drop_messages()

    await world.desk.expire_leases()

    assert dead.job_id in await world.desk.overdue()
    assert (await world.claim(dead.job_id)).attempt == 2
