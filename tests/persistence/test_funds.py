"""The money that jobs hold: never more than every limit allows, by however many at the same time."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from domain.jobs.events import StatusChanged
from domain.jobs.job import JobLimits, JobStatus, LeaseLost, Waiting
from domain.spending import Allowance, Funds, LimitName
from persistence import funds
from persistence.job_desk import PostgresJobDesk
from tests.persistence.job_world import COST, NOW, RESULT, build_world

RESERVE = Decimal("0.10")
WAITS = Waiting(limit_name="budgetLimit", limit=Decimal("0.30"), required=Decimal("0.45"), needs=Decimal("0.05"))


@pytest.fixture
async def world(database):
    return await build_world(database)


async def claimed(world, *, cost_limit=None, chapter=0):
    job = replace(world.job(chapter), cost_limit=None if cost_limit is None else Decimal(cost_limit))
    return await world.claim((await world.create(job, reserve=RESERVE)).id)


async def budget(world, limit):
    async with world.library.writing(world.author) as records:
        await records.projects.update(world.project_id, {"budget_limit": None if limit is None else Decimal(limit)})


def desk(world, *, monthly_limit=None):
    limit = None if monthly_limit is None else Decimal(monthly_limit)
    return PostgresJobDesk(world.database, worker="test", limits=JobLimits(), monthly_limit=limit)


def granted(amount):
    return Funds(granted=Decimal(amount), short_of=None)


async def test_what_a_job_holds_already_is_granted_without_holding_more(world):
    claim = await claimed(world)
    await budget(world, "0.10")

    assert await world.desk.fund(claim, RESERVE) == granted(RESERVE)
    assert await world.reserved() == RESERVE


@pytest.mark.parametrize(("cost_limit", "held"), [(None, "0.10"), ("0.05", "0.05"), ("0.50", "0.10")])
async def test_a_claim_comes_with_what_is_held_as_far_as_the_jobs_own_limit_leaves_it(world, cost_limit, held):
    claim = await claimed(world, cost_limit=cost_limit)
    assert claim.funds == Decimal(held)

    await world.desk.record(claim, await world.begun(claim), RESULT, at=NOW)

    assert (await world.taken_over(claim)).funds == Decimal(held) - COST


async def test_without_limits_whatever_is_asked_for_is_held(world):
    claim = await claimed(world)

    assert await world.desk.fund(claim, Decimal("0.50")) == granted("0.50")
    assert await world.reserved() == Decimal("0.50")


async def test_no_more_is_held_than_the_project_has_left(world):
    claim, other = await claimed(world), await claimed(world, chapter=1)
    await budget(world, "0.30")

    answer = await world.desk.fund(claim, Decimal("0.50"))

    assert answer == Funds(granted=Decimal("0.20"), short_of=Allowance(LimitName.BUDGET_LIMIT, Decimal("0.30"), Decimal("0.20")))
    assert await world.reserved() == Decimal("0.30")
    assert await world.desk.fund(other, RESERVE) == granted(RESERVE)


async def test_jobs_that_ask_at_the_same_time_are_never_granted_the_same_money(world):
    claims = [await claimed(world, chapter=chapter) for chapter in range(3)]
    await budget(world, "1.00")

    answer = await asyncio.gather(*(world.desk.fund(claim, Decimal("0.60")) for claim in claims))

    assert sorted(each.granted for each in answer) == [Decimal("0.10"), Decimal("0.30"), Decimal("0.60")]
    assert await world.reserved() == Decimal("1.00")


async def test_whoever_asks_while_money_is_being_granted_waits_for_that(world):
    first, second = [await claimed(world, chapter=chapter) for chapter in range(2)]
    await budget(world, "1.00")

    async with world.database.as_worker() as connection:
        assert await funds.fund(connection, first, Decimal("0.80"), monthly_limit=None) == granted("0.80")
        asking = asyncio.create_task(world.desk.fund(second, Decimal("0.80")))
        assert not (await asyncio.wait({asking}, timeout=0.3))[0]

    assert (await asking).granted == Decimal("0.20")


async def test_a_waiting_job_is_not_resumed_on_money_that_is_just_being_granted(world):
    first, waiting = [await claimed(world, chapter=chapter) for chapter in range(2)]
    await world.desk.wait(waiting, WAITS)
    await budget(world, "0.12")

    async with world.database.as_worker() as connection:
        await funds.fund(connection, first, Decimal("0.12"), monthly_limit=None)
        resuming = asyncio.create_task(world.desk.resume_waiting())
        assert not (await asyncio.wait({resuming}, timeout=0.3))[0]

    assert await resuming == []


async def test_a_job_is_held_to_its_own_limit_by_all_that_it_has_cost(world):
    claim = await claimed(world, cost_limit="0.05")
    await world.desk.record(claim, await world.begun(claim), RESULT, at=NOW)

    answer = await world.desk.fund(claim, Decimal("0.04"))

    left = Decimal("0.05") - COST
    assert answer == Funds(granted=left, short_of=Allowance(LimitName.COST_LIMIT, Decimal("0.05"), left))


async def test_a_raised_cost_limit_counts_from_the_next_call_on(world):
    claim = await claimed(world, cost_limit="0.05")
    async with world.library.writing(world.author) as records:
        await records.jobs.change_cost_limit(claim.job_id, Decimal("0.20"))

    assert await world.desk.fund(claim, Decimal("0.15")) == granted("0.15")


async def test_a_user_spends_no_more_in_a_month_than_they_may(world):
    claim = await claimed(world)
    thrifty = desk(world, monthly_limit="0.25")

    answer = await thrifty.fund(claim, Decimal("0.50"))

    assert answer == Funds(granted=Decimal("0.25"), short_of=Allowance(LimitName.MONTHLY_LIMIT, Decimal("0.25"), Decimal("0.25")))


async def test_a_limit_below_what_is_spent_grants_nothing_new_and_takes_nothing_away(world):
    claim = await claimed(world)
    await budget(world, "0")

    assert (await world.desk.fund(claim, Decimal("0.50"))).granted == RESERVE
    assert await world.reserved() == RESERVE


async def test_a_worker_that_lost_its_job_is_granted_nothing(world):
    zombie = await claimed(world)
    await world.taken_over(zombie)

    with pytest.raises(LeaseLost):
        await world.desk.fund(zombie, RESERVE)


async def test_a_waiting_job_holds_no_money_and_is_in_nobodys_hands(world):
    claim = await claimed(world)

    assert await world.desk.wait(claim, WAITS)

    job = await world.look(claim.job_id)
    assert (job.status, job.waiting, await world.reserved()) == (JobStatus.WAITING, WAITS, 0)
    assert (await world.events(job.id))[-1] == StatusChanged(JobStatus.WAITING, waiting=WAITS)
    assert await world.desk.claim_next(lease_seconds=30) is None
    with pytest.raises(LeaseLost):
        await world.desk.wait(claim, WAITS)


async def test_a_job_that_somebody_cancels_does_not_wait(world):
    claim = await claimed(world)
    async with world.library.writing(world.author) as records:
        await records.jobs.request_cancel(claim.job_id, at=NOW)

    assert not await world.desk.wait(claim, WAITS)
    assert (await world.look(claim.job_id)).status is JobStatus.CANCELLING


@pytest.mark.parametrize("limit", ["budget", "cost", "month"])
async def test_a_waiting_job_goes_on_when_its_limit_allows_that_and_not_before(world, limit):
    claim = await claimed(world, cost_limit="0.01" if limit == "cost" else None)
    await budget(world, "0.04" if limit == "budget" else None)
    await world.desk.wait(claim, WAITS)
    await world.drop_messages()
    before, after = desk(world, monthly_limit="0.04" if limit == "month" else None), desk(world, monthly_limit="0.05")

    assert await before.resume_waiting() == []
    if limit == "budget":
        await budget(world, "0.05")
    if limit == "cost":
        async with world.library.writing(world.author) as records:
            await records.jobs.change_cost_limit(claim.job_id, Decimal("0.05"))

    assert await after.resume_waiting() == [claim.job_id]
    job = await world.look(claim.job_id)
    assert (job.status, job.waiting, await world.reserved()) == (JobStatus.QUEUED, None, WAITS.needs)
    assert await world.messages(job.id) == 1


async def test_of_several_waiting_jobs_those_go_on_for_which_the_money_lasts(world):
    for chapter in range(3):
        await world.desk.wait(await claimed(world, chapter=chapter), WAITS)
    await budget(world, "0.10")

    resumed = await asyncio.gather(*(world.desk.resume_waiting() for _ in range(3)))

    assert len({job_id for job_ids in resumed for job_id in job_ids}) == 2
    assert await world.reserved() == Decimal("0.10")
