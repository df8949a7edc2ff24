"""Hints between processes: prompt when all is well, and never needed for correctness when it is not."""

import asyncio
from contextlib import asynccontextmanager
from uuid import uuid4

import psycopg
import pytest

from persistence.database import Database
from persistence.wakeups import PostgresWakeups
from tests.persistence.job_world import NOW, build_world, later, text_of

SOON = 2.0  # seconds: less than the polling that goes on underneath


@asynccontextmanager
async def listening(database):
    wakeups = PostgresWakeups(database)
    await wakeups.start()
    try:
        await joins_alone(wakeups)  # which waits for the connection
        yield wakeups
    finally:
        await wakeups.stop()


async def joins_alone(wakeups):
    async with wakeups.joining_workers() as alone:
        return alone


@asynccontextmanager
async def following(wakeups, job_id):
    """A reader that has looked once already."""
    async with wakeups.job_changed(job_id) as changes:
        await anext(changes)
        yield changes


@pytest.fixture
async def world(database):
    return await build_world(database)


async def test_a_reader_looks_once_at_once(database):
    async with listening(database) as wakeups, asyncio.timeout(SOON), wakeups.job_changed(uuid4()) as changes:
        await anext(changes)


async def test_a_commit_in_another_process_wakes_the_jobs_readers_and_nobody_else(world, database_url):
    elsewhere = Database(database_url, pool_size=1)
    claim, other = await world.claimed(0), await world.claimed(1)
    async with listening(elsewhere) as wakeups, following(wakeups, claim.job_id) as changes, following(wakeups, other.job_id) as others:
        await world.desk.append([(claim, [text_of("a")])], at=NOW)

        async with asyncio.timeout(SOON):
            await anext(changes)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await anext(others)
    await elsewhere.close()


async def test_a_claim_wakes_the_jobs_readers(world, database_url):
    elsewhere = Database(database_url, pool_size=1)
    job = await world.queued()
    async with listening(elsewhere) as wakeups, following(wakeups, job.id) as changes:
        await world.claim(job.id)

        async with asyncio.timeout(SOON):
            await anext(changes)
    await elsewhere.close()


async def test_many_hints_wake_a_reader_once(database):
    job_id = uuid4()
    async with listening(database) as wakeups, following(wakeups, job_id) as changes:
        for _ in range(100):
            wakeups.notify_local([job_id, uuid4()])

        async with asyncio.timeout(SOON):
            await anext(changes)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await anext(changes)


async def test_a_job_of_two_hundred_and_one_in_one_append_is_not_left_out(database):
    world = await build_world(database, chapters=201)
    claims = [await world.claimed(chapter) for chapter in range(201)]
    async with listening(database) as wakeups, following(wakeups, claims[0].job_id) as first, following(wakeups, claims[-1].job_id) as last:
        await world.desk.append([(claim, [text_of("a")]) for claim in claims], at=NOW)

        async with asyncio.timeout(SOON):
            await anext(first)
            await anext(last)


async def test_a_reader_looks_by_itself_when_no_hint_comes(database):
    async with asyncio.timeout(10):
        async with PostgresWakeups(database).job_changed(uuid4()) as changes:
            for _ in range(2):
                await anext(changes)


async def test_every_reader_looks_again_after_the_connection_was_lost_and_hints_go_on(world, owner_url):
    claim = await world.claimed()
    async with listening(world.database) as wakeups, following(wakeups, claim.job_id) as changes:
        for _ in range(3):
            kill_listeners(owner_url)
            async with asyncio.timeout(SOON):
                await anext(changes)

        async with asyncio.timeout(SOON):
            await world.desk.append([(claim, [text_of("a")])], at=NOW)
            await anext(changes)


async def test_a_reader_whose_connection_dies_again_and_again_sees_every_event_in_order(world, owner_url):
    claim = await world.claimed()
    seen = []

    async def follow(wakeups):
        async with wakeups.job_changed(claim.job_id) as changes:
            async for _ in changes:
                async with world.library.reading(world.author) as records:
                    seen.extend(await records.jobs.events_after(claim.job_id, sequence=len(seen), limit=1000))
                if len(seen) == 102:
                    return

    async with listening(world.database) as wakeups, asyncio.timeout(20):
        reader = asyncio.create_task(follow(wakeups))
        for number in range(100):
            await world.desk.append([(claim, [text_of("a", offset=number)])], at=NOW)
            if number % 20 == 0:
                kill_listeners(owner_url)
        await reader

    assert [event.sequence for event in seen] == list(range(1, 103))


async def test_a_cancel_reaches_whoever_watches_for_them(world):
    claim = await world.claimed()
    async with listening(world.database) as wakeups, wakeups.cancel_requests() as requests:
        async with world.library.writing(world.author) as records:
            await records.jobs.request_cancel(claim.job_id, at=later(1))

        async with asyncio.timeout(SOON):
            assert await anext(requests) == claim.job_id


async def test_a_worker_is_alone_until_another_lives_and_again_when_that_one_is_gone(database, database_url):
    other = Database(database_url, pool_size=1)
    first, second, third = PostgresWakeups(database), PostgresWakeups(other), PostgresWakeups(other)
    for wakeups in (first, second, third):
        await wakeups.start()

    assert await joins_alone(first)
    assert not await joins_alone(second)
    await first.stop()
    await second.stop()
    assert await joins_alone(third)

    await third.stop()
    await other.close()


async def test_nobody_joins_while_the_first_worker_is_looking_after_its_predecessors_jobs(database, database_url):
    other = Database(database_url, pool_size=1)
    first, second = PostgresWakeups(database), PostgresWakeups(other)
    for wakeups in (first, second):
        await wakeups.start()
    async with first.joining_workers() as alone:
        assert alone
        joining = asyncio.create_task(joins_alone(second))
        done, _ = await asyncio.wait({joining}, timeout=0.05)
        assert not done
    async with asyncio.timeout(SOON):
        assert not await joining
    for wakeups in (first, second):
        await wakeups.stop()
    await other.close()


async def test_a_worker_still_counts_after_its_connection_was_lost(database, owner_url):
    async with listening(database) as wakeups, following(wakeups, uuid4()) as changes:
        kill_listeners(owner_url)
        async with asyncio.timeout(SOON):
            await anext(changes)  # connected again

        late = PostgresWakeups(database)
        await late.start()
        assert not await joins_alone(late)
        await late.stop()


def kill_listeners(owner_url):
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'scriptorium listener' AND datname = current_database()"
        )
