"""Recorded steps: nothing is bought twice, and everything that may have been paid is in the ledger."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from domain.jobs.events import Progressed, StepFinished
from domain.jobs.job import CallResult, JobStage, JobStatus, LeaseLost
from domain.spending import Usage
from persistence import steps
from tests.persistence.job_world import COST, EXPECTED_COST, NOW, RESERVE, RESULT, USED, build_world, ending, intent, later

ONE_CALL = Usage(calls=1, prompt_tokens=1000, cached_prompt_tokens=200, completion_tokens=300, cost=COST)


@pytest.fixture
async def world(database):
    return await build_world(database)


async def step_of(world, claim, name="draft/1"):
    return next(step for step in await world.steps(claim.job_id) if step.name == name)


async def spent(world):
    async with world.library.reading(world.author) as records:
        return (await records.spending.report_of_projects([world.project_id], since=None, until=None))[world.project_id].total


async def test_a_call_is_intended_then_recorded_with_its_cost_and_its_events(world):
    claim = await world.claimed()

    assert await world.desk.intend(claim, intent()) is None
    assert (await step_of(world, claim)).status is JobStatus.RUNNING
    progressed = Progressed(JobStage.DRAFTING, 0.5, "Half.")
    await world.desk.record(claim, "draft/1", RESULT, at=later(9), events=(progressed,))

    step = await step_of(world, claim)
    assert (step.status, step.model, step.usage, step.uncertain) == (JobStatus.SUCCEEDED, "gpt-4.1", ONE_CALL, False)
    assert (step.started_at, step.finished_at) == (NOW, later(9))
    assert (await world.events(claim.job_id))[-2:] == [progressed, StepFinished("draft/1", ONE_CALL)]
    assert await spent(world) == ONE_CALL
    assert await world.reserved() == RESERVE - COST
    assert await world.desk.results(claim) == {"draft/1": RESULT}


async def test_a_recorded_result_is_answered_to_every_later_owner(world):
    claim = await world.claimed()
    await world.desk.intend(claim, intent())
    await world.desk.record(claim, "draft/1", RESULT, at=NOW, events=())

    owner = await world.taken_over(claim)

    assert await world.desk.intend(owner, intent()) == RESULT
    assert await spent(world) == ONE_CALL


async def test_another_request_under_the_same_name_is_a_new_call(world):
    claim = await world.claimed()
    await world.desk.intend(claim, intent())
    await world.desk.record(claim, "draft/1", RESULT, at=NOW, events=())

    assert await world.desk.intend(claim, intent(request_hash="b")) is None
    assert await world.desk.results(claim) == {}


async def test_results_come_in_the_order_in_which_the_steps_were_begun(world):
    claim = await world.claimed()
    names = [f"draft/{number}" for number in (1, 2, 10)]
    for seconds, name in enumerate(names):
        await world.desk.intend(claim, replace(intent(name), at=later(seconds)))
        await world.desk.record(claim, name, RESULT, at=NOW, events=())

    assert list(await world.desk.results(claim)) == names


async def test_a_call_in_flight_when_its_worker_died_is_uncertain_and_entered_as_if_paid(world):
    dead = await world.claimed()
    await world.desk.intend(dead, intent())
    owner = await world.taken_over(dead)

    assert await world.desk.intend(owner, intent()) is None

    step = await step_of(world, owner)
    assert (step.uncertain, step.usage.calls, step.usage.cost) == (True, 1, EXPECTED_COST)
    assert await world.reserved() == RESERVE - EXPECTED_COST
    await world.desk.record(owner, "draft/1", RESULT, at=NOW, events=())
    assert (await step_of(world, owner)).uncertain
    assert (await spent(world)).cost == EXPECTED_COST + COST


async def test_asking_again_in_the_same_claim_assumes_nothing(world):
    claim = await world.claimed()
    await world.desk.intend(claim, intent())
    await world.desk.intend(claim, intent())

    assert await spent(world) == Usage()


async def test_an_abandoned_call_costs_nothing_and_may_be_tried_again(world):
    claim = await world.claimed()
    await world.desk.intend(claim, intent())

    await world.desk.abandon(claim, "draft/1", at=later(1), usage=None, cost=None)

    assert (await step_of(world, claim)).status is JobStatus.FAILED
    owner = await world.taken_over(claim)
    assert await world.desk.intend(owner, intent()) is None
    assert not (await step_of(world, owner)).uncertain
    assert await spent(world) == Usage()


async def test_the_first_answer_wins_also_when_it_comes_from_a_worker_that_lost_its_job(world):
    zombie = await world.claimed()
    await world.desk.intend(zombie, intent())
    owner = await world.taken_over(zombie)
    before = await world.log(owner.job_id)

    with pytest.raises(LeaseLost):
        await world.desk.record(zombie, "draft/1", RESULT, at=NOW, events=())

    assert await world.log(owner.job_id) == before
    assert await world.desk.intend(owner, intent()) == RESULT
    assert await spent(world) == ONE_CALL


async def test_an_answer_that_is_just_being_recorded_is_waited_for_and_not_bought_again(world):
    zombie = await world.claimed()
    await world.desk.intend(zombie, intent())
    owner = await world.taken_over(zombie)

    async with world.database.as_worker() as connection:
        await steps.record(connection, zombie, "draft/1", RESULT, at=NOW)
        intending = asyncio.create_task(world.desk.intend(owner, intent()))
        assert not (await asyncio.wait({intending}, timeout=0.3))[0]

    assert await intending == RESULT
    assert await spent(world) == ONE_CALL


async def test_a_late_answer_replaces_what_was_assumed_of_its_cost_to_the_token(world):
    zombie = await world.claimed()
    await world.desk.intend(zombie, intent())
    owner = await world.taken_over(zombie)
    await world.desk.intend(owner, intent())
    own = CallResult(text="Mine.", finish="stop", usage=USED, cost=COST)

    with pytest.raises(LeaseLost):
        await world.desk.record(zombie, "draft/1", RESULT, at=NOW, events=())
    await world.desk.record(owner, "draft/1", own, at=NOW, events=())

    assert await world.desk.results(owner) == {"draft/1": RESULT}
    assert await spent(world) == ONE_CALL + ONE_CALL


async def test_a_late_answer_to_another_request_is_paid_for_but_not_kept(world):
    zombie = await world.claimed()
    await world.desk.intend(zombie, intent(request_hash="a"))
    owner = await world.taken_over(zombie)
    await world.desk.intend(owner, intent(request_hash="b"))

    with pytest.raises(LeaseLost):
        await world.desk.record(zombie, "draft/1", RESULT, at=NOW, events=())

    assert await world.desk.results(owner) == {}
    assert await spent(world) == ONE_CALL


async def test_a_call_that_a_lost_worker_knows_to_have_failed_is_taken_out_of_the_ledger(world):
    zombie = await world.claimed()
    await world.desk.intend(zombie, intent())
    owner = await world.taken_over(zombie)
    await world.desk.intend(owner, intent())

    with pytest.raises(LeaseLost):
        await world.desk.abandon(zombie, "draft/1", at=NOW, usage=None, cost=None)

    assert await spent(world) == Usage()
    assert (await step_of(world, owner)).status is JobStatus.RUNNING


async def test_recording_again_keeps_the_first_result_and_enters_the_second_call(world):
    claim = await world.claimed()
    await world.desk.intend(claim, intent())
    second = CallResult(text="Other.", finish="stop", usage=USED, cost=None)
    for result in (RESULT, second):
        await world.desk.record(claim, "draft/1", result, at=NOW, events=())

    assert await world.desk.results(claim) == {"draft/1": RESULT}
    assert (await spent(world)).calls == 2
    assert (await spent(world)).unpriced_calls == 1


async def test_a_reservation_never_becomes_less_than_nothing(world):
    claim = await world.claim((await world.create(world.job(), reserve=Decimal("0.001"))).id)
    await world.desk.intend(claim, intent())
    await world.desk.record(claim, "draft/1", RESULT, at=NOW, events=())

    assert await world.reserved() == 0


async def test_what_was_paid_stays_on_record_when_the_project_is_deleted_meanwhile(world):
    claim = await world.claimed()
    await world.desk.intend(claim, intent())
    async with world.library.writing(world.author) as records:
        await records.projects.delete(world.project_id)

    with pytest.raises(LeaseLost):
        await world.desk.record(claim, "draft/1", RESULT, at=NOW, events=())

    async with world.library.reading(world.author) as records:
        assert (await records.spending.report_of_user(since=None, until=None)).total.cost == COST


async def test_nothing_is_intended_for_a_job_that_has_ended(world):
    claim = await world.claimed()
    await world.desk.finish(claim, ending())

    with pytest.raises(LeaseLost):
        await world.desk.intend(claim, intent())
