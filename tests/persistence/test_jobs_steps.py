"""Recorded steps: nothing is bought twice, and everything that may have been paid is in the ledger."""

import asyncio
from decimal import Decimal

import pytest

from domain.jobs.events import StepFinished
from domain.jobs.job import CallResult, CallsLost, JobStatus, LeaseLost
from domain.spending import Usage
from persistence import steps
from tests.persistence.job_world import COST, EXPECTED_COST, LEASE, NOW, RESERVE, RESULT, USED, build_world, ending, intent, later

ONE_CALL = Usage(calls=1, prompt_tokens=1000, cached_prompt_tokens=200, completion_tokens=300, cost=COST)


@pytest.fixture
async def world(database):
    return await build_world(database)


async def step_of(world, claim, name="draft/1"):
    return next(step for step in await world.steps(claim.job_id) if step.name == name)


async def spent(world):
    async with world.library.reading(world.author) as records:
        return (await records.spending.report_of_projects([world.project_id], since=None, until=None))[world.project_id].total


async def test_a_call_is_intended_then_recorded_with_its_cost_and_its_event(world):
    claim = await world.claimed()

    call = await world.begun(claim)
    assert (await step_of(world, claim)).status is JobStatus.RUNNING
    await world.desk.record(claim, call, RESULT, at=later(9))

    step = await step_of(world, claim)
    assert (step.status, step.model, step.usage, step.uncertain) == (JobStatus.SUCCEEDED, "gpt-4.1", ONE_CALL, False)
    assert (step.started_at, step.finished_at) == (NOW, later(9))
    assert (await world.events(claim.job_id))[-1] == StepFinished("draft/1", ONE_CALL)
    assert await spent(world) == ONE_CALL
    assert await world.reserved() == RESERVE - COST
    assert await world.desk.results(claim) == {"draft/1": RESULT}


async def test_a_recorded_result_is_answered_to_every_later_owner(world):
    claim = await world.claimed()
    claim_call = await world.begun(claim)
    await world.desk.record(claim, claim_call, RESULT, at=NOW)

    owner = await world.taken_over(claim)

    assert await world.desk.intend(owner, intent()) == RESULT
    assert await spent(world) == ONE_CALL


async def test_another_request_under_the_same_name_is_a_new_call(world):
    claim = await world.claimed()
    claim_call = await world.begun(claim)
    await world.desk.record(claim, claim_call, RESULT, at=NOW)

    assert await world.desk.intend(claim, intent(request_hash="b")) is None
    assert await world.desk.results(claim) == {}


async def test_results_come_in_the_order_in_which_the_steps_were_begun(world):
    claim = await world.claimed()
    names = [f"draft/{number}" for number in (1, 2, 10)]
    for seconds, name in enumerate(names):
        await world.desk.record(claim, await world.begun(claim, name, at=later(seconds)), RESULT, at=NOW)

    assert list(await world.desk.results(claim)) == names


async def test_a_call_in_flight_when_its_worker_died_is_uncertain_and_entered_as_if_paid(world):
    dead = await world.claimed()
    await world.begun(dead)
    owner = await world.taken_over(dead)

    owner_call = await world.begun(owner)

    step = await step_of(world, owner)
    assert (step.uncertain, step.usage.calls, step.usage.cost) == (True, 1, EXPECTED_COST)
    assert await world.reserved() == RESERVE - EXPECTED_COST
    await world.desk.record(owner, owner_call, RESULT, at=NOW)
    assert (await step_of(world, owner)).uncertain
    assert (await spent(world)).cost == EXPECTED_COST + COST


async def test_asking_again_in_the_same_claim_assumes_nothing(world):
    claim = await world.claimed()
    await world.begun(claim)
    await world.begun(claim)

    assert await spent(world) == Usage()


async def test_an_abandoned_call_costs_nothing_and_may_be_tried_again(world):
    claim = await world.claimed()
    claim_call = await world.begun(claim)

    await world.desk.abandon(claim, claim_call, at=later(1), usage=None, cost=None)

    assert (await step_of(world, claim)).status is JobStatus.FAILED
    owner = await world.taken_over(claim)
    assert await world.desk.intend(owner, intent()) is None
    assert not (await step_of(world, owner)).uncertain
    assert await spent(world) == Usage()


async def test_the_first_answer_wins_also_when_it_comes_from_a_worker_that_lost_its_job(world):
    zombie = await world.claimed()
    zombie_call = await world.begun(zombie)
    owner = await world.taken_over(zombie)
    before = await world.log(owner.job_id)

    with pytest.raises(LeaseLost):
        await world.desk.record(zombie, zombie_call, RESULT, at=NOW)

    assert await world.log(owner.job_id) == before
    assert await world.desk.intend(owner, intent()) == RESULT
    assert await spent(world) == ONE_CALL


async def test_an_answer_that_is_just_being_recorded_is_waited_for_and_not_bought_again(world):
    zombie = await world.claimed()
    zombie_call = await world.begun(zombie)
    owner = await world.taken_over(zombie)

    async with world.database.as_worker() as connection:
        await steps.record(connection, zombie, zombie_call, RESULT, at=NOW)
        intending = asyncio.create_task(world.desk.intend(owner, intent()))
        assert not (await asyncio.wait({intending}, timeout=0.3))[0]

    assert await intending == RESULT
    assert await spent(world) == ONE_CALL


async def test_a_late_answer_replaces_what_was_assumed_of_its_cost_to_the_token(world):
    zombie = await world.claimed()
    zombie_call = await world.begun(zombie)
    owner = await world.taken_over(zombie)
    owner_call = await world.begun(owner)
    own = CallResult(text="Mine.", finish="stop", usage=USED, cost=COST)

    with pytest.raises(LeaseLost):
        await world.desk.record(zombie, zombie_call, RESULT, at=NOW)
    await world.desk.record(owner, owner_call, own, at=NOW)

    assert await world.desk.results(owner) == {"draft/1": RESULT}
    assert await spent(world) == ONE_CALL + ONE_CALL


async def test_a_late_answer_to_another_request_is_paid_for_but_not_kept(world):
    zombie = await world.claimed()
    zombie_call = await world.begun(zombie, request_hash="a")
    owner = await world.taken_over(zombie)
    await world.begun(owner, request_hash="b")

    with pytest.raises(LeaseLost):
        await world.desk.record(zombie, zombie_call, RESULT, at=NOW)

    assert await world.desk.results(owner) == {}
    assert await spent(world) == ONE_CALL


async def test_a_call_that_a_lost_worker_knows_to_have_failed_is_taken_out_of_the_ledger(world):
    zombie = await world.claimed()
    zombie_call = await world.begun(zombie)
    owner = await world.taken_over(zombie)
    await world.begun(owner)

    with pytest.raises(LeaseLost):
        await world.desk.abandon(zombie, zombie_call, at=NOW, usage=None, cost=None)

    assert await spent(world) == Usage()
    assert (await step_of(world, owner)).status is JobStatus.RUNNING


async def test_recording_a_call_again_changes_nothing(world):
    claim = await world.claimed()
    call = await world.begun(claim)
    await world.desk.record(claim, call, RESULT, at=NOW)
    before = (await world.log(claim.job_id), await world.reserved())

    await world.desk.record(claim, call, RESULT, at=later(1))

    assert (await world.log(claim.job_id), await world.reserved()) == before
    assert await spent(world) == ONE_CALL


async def test_a_second_call_for_a_recorded_request_is_paid_for_but_not_kept(world):
    claim = await world.claimed()
    calls = [await world.begun(claim) for _ in range(2)]
    second = CallResult(text="Other.", finish="stop", usage=USED, cost=None)
    for call, result in zip(calls, (RESULT, second), strict=True):
        await world.desk.record(claim, call, result, at=NOW)

    assert await world.desk.results(claim) == {"draft/1": RESULT}
    assert ((await spent(world)).calls, (await spent(world)).unpriced_calls) == (2, 1)


async def test_a_call_that_was_lost_with_two_workers_is_not_made_a_third_time(world):
    claim = await world.claimed()
    for _ in range(2):
        await world.begun(claim)
        claim = await world.taken_over(claim)

    with pytest.raises(CallsLost):
        await world.desk.intend(claim, intent())

    step = await step_of(world, claim)
    assert (step.status, step.uncertain, step.usage.calls, step.usage.uncertain_calls) == (JobStatus.FAILED, True, 2, 2)
    assert await world.reserved() == RESERVE - 2 * EXPECTED_COST


async def test_a_call_that_was_lost_twice_is_made_again_when_somebody_asks_for_it(world):
    claim = await world.claimed()
    for _ in range(2):
        await world.begun(claim)
        claim = await world.taken_over(claim)
    with pytest.raises(CallsLost):
        await world.desk.intend(claim, intent())

    call = await world.begun(claim)
    await world.desk.record(claim, call, RESULT, at=NOW)

    assert (await spent(world)).calls == 3
    assert (await spent(world)).uncertain_calls == 2


async def test_another_request_under_the_name_of_a_lost_call_is_made_all_the_same(world):
    claim = await world.claimed()
    for request_hash in ("a", "b"):
        await world.begun(claim, request_hash=request_hash)
        claim = await world.taken_over(claim)

    assert await world.desk.intend(claim, intent(request_hash="c")) is None


async def test_a_call_that_was_in_flight_when_its_worker_died_is_written_off_when_nobody_asks_again(world):
    dead = await world.claimed()
    await world.begun(dead)
    owner = await world.taken_over(dead)

    await world.desk.write_off(owner, at=later(1))
    await world.desk.write_off(owner, at=later(2))

    step = await step_of(world, owner)
    assert (step.status, step.finished_at, step.uncertain) == (JobStatus.FAILED, later(1), True)
    assert (step.usage.calls, step.usage.uncertain_calls) == (1, 1)
    assert await world.reserved() == RESERVE - EXPECTED_COST


async def test_a_call_of_the_owner_itself_is_not_written_off(world):
    claim = await world.claimed()
    await world.begun(claim)

    await world.desk.write_off(claim, at=later(1))

    assert (await step_of(world, claim)).status is JobStatus.RUNNING
    assert (await spent(world)).calls == 0


async def test_what_was_written_off_is_put_right_by_whoever_knows_better(world):
    zombie = await world.claimed()
    call = await world.begun(zombie)
    await world.desk.write_off(await world.taken_over(zombie), at=later(1))

    with pytest.raises(LeaseLost):
        await world.desk.record(zombie, call, RESULT, at=later(2))

    assert await spent(world) == ONE_CALL


async def test_a_call_in_flight_when_an_earlier_owner_brings_the_answer_counts_until_it_is_known(world):
    zombie = await world.claimed()
    zombie_call = await world.begun(zombie)
    owner = await world.taken_over(zombie)
    call = await world.begun(owner)

    with pytest.raises(LeaseLost):
        await world.desk.record(zombie, zombie_call, RESULT, at=NOW)
    assert ((await spent(world)).calls, (await spent(world)).uncertain_calls) == (2, 1)

    heir = await world.taken_over(owner)
    assert await world.desk.intend(heir, intent()) == RESULT
    with pytest.raises(LeaseLost):
        await world.desk.record(owner, call, RESULT, at=NOW)
    assert ((await spent(world)).calls, (await spent(world)).uncertain_calls) == (2, 0)


async def test_nothing_is_intended_on_a_lease_that_is_over(world):
    claim = await world.claimed()
    await world.desk.renew([claim], lease_seconds=-1)

    with pytest.raises(LeaseLost):
        await world.desk.intend(claim, intent())

    await world.desk.renew([claim], lease_seconds=LEASE)
    assert await world.desk.intend(claim, intent()) is None


async def test_a_lease_that_is_renewed_just_as_a_first_call_is_intended_loses_nothing(world):
    claim = await world.claimed()
    await world.desk.renew([claim], lease_seconds=-1)

    class RenewedBehindTheFirstStatement:
        """A connection whose first statement finds the lease over."""

        def __init__(self, connection):
            self._connection = connection
            self._is_first = True

        async def execute(self, *statement):
            answer = await self._connection.execute(*statement)
            if self._is_first:
                self._is_first = False
                await world.desk.renew([claim], lease_seconds=LEASE)
            return answer

    async with world.database.as_worker() as connection:
        assert await steps.intend(RenewedBehindTheFirstStatement(connection), claim, intent()) is None
    assert (await step_of(world, claim)).status is JobStatus.RUNNING


async def test_a_reservation_never_becomes_less_than_nothing(world):
    claim = await world.claim((await world.create(world.job(), reserve=Decimal("0.001"))).id)
    claim_call = await world.begun(claim)
    await world.desk.record(claim, claim_call, RESULT, at=NOW)

    assert await world.reserved() == 0


async def test_what_was_paid_stays_on_record_when_the_project_is_deleted_meanwhile(world):
    claim = await world.claimed()
    claim_call = await world.begun(claim)
    async with world.library.writing(world.author) as records:
        await records.projects.delete(world.project_id)

    with pytest.raises(LeaseLost):
        await world.desk.record(claim, claim_call, RESULT, at=NOW)

    async with world.library.reading(world.author) as records:
        assert (await records.spending.report_of_user(since=None, until=None)).total.cost == COST


async def test_nothing_is_intended_for_a_job_that_has_ended(world):
    claim = await world.claimed()
    await world.desk.finish(claim, ending())

    with pytest.raises(LeaseLost):
        await world.desk.intend(claim, intent())
