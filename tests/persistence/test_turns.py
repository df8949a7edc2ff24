"""Whose turn it is: users take turns, nobody has too many running, and a running job steps aside between two steps."""

import asyncio

import psycopg
import pytest
from sqlalchemy import text

from domain.access import Role
from domain.jobs.job import JobLimits, JobPriority
from persistence import turns
from persistence.job_desk import PostgresJobDesk
from tests.factories import add_chapters, add_project, add_user
from tests.persistence.job_world import LEASE, build_world, ending, later

MANY = 50_000


@pytest.fixture
async def world(database):
    return await build_world(database, chapters=8)


async def somebody_else(world, name="Ben", *, chapters=4):
    """Another user with a project of their own, and a way to queue jobs in it."""
    user = await add_user(world.library, name)
    project = await add_project(world.library, user)
    places = await add_chapters(world.library, user, project, chapters)

    async def queue(number, **changes):
        job = world.job(None, by=user.id, project_id=project.id, chapter_id=places[number].id, **changes)
        return await world.create(job)

    return queue


def desk(world, **limits):
    return PostgresJobDesk(world.database, worker="test", limits=JobLimits(**limits), monthly_limit=None)


async def next_of(world, **limits):
    claim = await desk(world, **{"per_user": 100, "per_project": 100, **limits}).claim_next(lease_seconds=LEASE)
    return None if claim is None else claim.job_id


async def waiting_for(world, job, seconds):
    """As if the job had been queued that long ago."""
    async with world.database.as_worker() as connection:
        statement = text("UPDATE job SET queued_at = now() - make_interval(secs => :seconds) WHERE id = :id")
        await connection.execute(statement, {"id": job.id, "seconds": seconds})


async def test_users_take_turns_however_many_jobs_one_of_them_has_queued(world):
    mine = [await world.queued(number) for number in range(5)]
    queue = await somebody_else(world)
    theirs = [await queue(number) for number in range(2)]

    order = [await next_of(world) for _ in range(7)]

    assert order[:4] == [mine[0].id, theirs[0].id, mine[1].id, theirs[1].id]
    assert order[4:] == [job.id for job in mine[2:]]


async def test_with_nobody_running_whoever_was_served_longest_ago_is_next(world):
    mine = [await world.queued(number) for number in range(2)]
    first = await world.claim(mine[0].id)
    queue = await somebody_else(world)
    theirs = await queue(0)
    await world.desk.finish(first, ending())

    assert await next_of(world) == theirs.id


async def test_a_user_and_a_project_have_no_more_running_than_they_may(world):
    mine = [await world.queued(number) for number in range(3)]
    queue = await somebody_else(world)
    theirs = await queue(0)

    assert {await next_of(world, per_user=1) for _ in range(2)} == {mine[0].id, theirs.id}
    assert await next_of(world, per_user=1) is None
    assert await next_of(world, per_project=1) is None
    assert await next_of(world, per_user=2) == mine[1].id


async def test_many_claims_at_once_take_no_more_than_the_limit(world):
    for number in range(8):
        await world.queued(number)
    fair = desk(world, per_user=3, per_project=8)

    claims = await asyncio.gather(*(fair.claim_next(lease_seconds=LEASE) for _ in range(8)))

    assert len({claim.job_id for claim in claims if claim}) == 3


async def test_many_claims_at_once_leave_none_of_one_users_jobs_behind(world):
    jobs = {(await world.queued(number)).id for number in range(8)}
    fair = desk(world, per_user=8, per_project=8)

    claims = await asyncio.gather(*(fair.claim_next(lease_seconds=LEASE) for _ in range(8)))

    assert {claim.job_id for claim in claims if claim} == jobs


async def test_many_claims_at_once_by_many_users_in_one_project_take_no_more_than_its_limit(world):
    for name in ("Ben", "Cy", "Dan"):
        user = await add_user(world.library, name)
        await world.add_member(user.id, Role.EDITOR)
        await world.create(world.job(int(name == "Ben") + 2 * int(name == "Cy"), by=user.id))
    fair = desk(world, per_user=8, per_project=2)

    claims = await asyncio.gather(*(fair.claim_next(lease_seconds=LEASE) for _ in range(6)))

    assert len({claim.job_id for claim in claims if claim}) == 2


async def test_an_author_who_waits_goes_before_a_book_in_bulk(world):
    bulk = [await world.create(world.job(number, priority=JobPriority.BULK, at=later(number))) for number in range(2)]
    waiting = await world.queued(2)

    assert [await next_of(world) for _ in range(3)] == [waiting.id, bulk[0].id, bulk[1].id]


async def test_what_a_vanished_worker_left_behind_comes_first(world):
    left = await world.claimed(0)
    await world.desk.renew([left], lease_seconds=-1)
    await world.create(world.job(1, priority=JobPriority.INTERACTIVE))

    assert await next_of(world, per_user=1) == left.job_id


async def test_a_released_job_is_its_users_first_again(world):
    first, _ = await world.queued(0), await world.queued(1)
    await world.desk.release(await world.claim(first.id))

    assert await next_of(world) == first.id


async def test_one_job_steps_aside_for_a_user_who_has_none_running_and_no_second_one_does(world):
    running = [await world.claimed(number) for number in range(2)]
    await world.queued(2)
    queue = await somebody_else(world)
    theirs = await queue(0)

    assert not await world.desk.should_step_aside(running[0])  # it may be taken up this very moment
    await waiting_for(world, theirs, 2)

    asides = [await world.desk.should_step_aside(claim) for claim in running]
    assert asides == [True, False]
    await world.desk.release(running[0])
    assert await next_of(world) == theirs.id


async def test_nobody_steps_aside_for_the_same_user_or_for_one_who_is_served_already(world):
    running = await world.claimed(0)
    await waiting_for(world, await world.queued(1), 60)
    queue = await somebody_else(world)
    served, more = await queue(0), await queue(1)
    await world.claim(served.id)
    await waiting_for(world, more, 60)

    assert not await world.desk.should_step_aside(running)


async def test_bulk_steps_aside_for_an_author_who_waits_even_their_own(world):
    bulk = await world.claim((await world.create(world.job(0, priority=JobPriority.BULK))).id)
    await waiting_for(world, await world.queued(1), 2)

    assert await world.desk.should_step_aside(bulk)


async def test_the_end_of_a_job_brings_the_next_that_its_limits_held_back(world):
    first, _ = await world.claimed(0), await world.queued(1)
    await world.drop_messages()

    await world.desk.finish(first, ending())

    assert await world.waiting_messages() == 1


async def test_a_job_that_may_not_run_yet_is_not_taken_for_undelivered(world):
    await world.claimed(0)
    held_back = await world.queued(1)
    await world.drop_messages()
    await waiting_for(world, held_back, 60)

    assert await desk(world, per_user=1).overdue() == []
    assert await desk(world, per_user=2).overdue() == [held_back.id]


async def test_the_turn_is_found_by_its_indexes_among_many_finished_jobs(world, owner_url):
    """Without one of them a claim would read all that anybody has ever had written."""
    done = await world.claimed(3)
    await world.desk.finish(done, ending())
    for number in range(3):
        await world.queued(number)
    await world.claim((await world.queued(4)).id)
    fill(owner_url, done.job_id)

    async with world.database.as_worker() as connection:
        explained = text(f"EXPLAIN (ANALYZE, FORMAT JSON) {turns._NEXT_UNTOUCHED.text}")
        (explanation,) = (await connection.execute(explained, {"per_user": 4, "per_project": 8})).scalar_one()

    scans = [node for node in nodes_of(explanation["Plan"]) if node.get("Relation Name") == "job"]
    assert scans
    assert [node["Node Type"] for node in scans if node["Node Type"] == "Seq Scan"] == []
    read = sum(node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) for node in scans)
    assert read < 20, scans


def fill(owner_url, job_id):
    """As many finished jobs as years bring."""
    columns = "project_id, chapter_id, kind, status, stage, progress, started_by, attempt, request, rehearsal, estimate, last_sequence"
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(
            f"""INSERT INTO job (id, {columns}, reserved, created_at, claimed_at, finished_at)
                SELECT gen_random_uuid(), {columns}, 0, created_at, now() - make_interval(secs => number), now()
                FROM job, generate_series(1, %s) AS number WHERE id = %s""",
            (MANY, job_id),
        )
        connection.execute("ANALYZE job")


def nodes_of(plan):
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes_of(part)
