"""The job engine behind its port: every message arrives, whoever dies."""

import asyncio
from contextlib import asynccontextmanager
from uuid import UUID

import psycopg
import pytest

from persistence.deliveries import ProcrastinateDeliveries
from tests.persistence.job_world import build_world

SOON = 5.0


@pytest.fixture
async def world(database):
    return await build_world(database)


class Recorder:
    """Notes what is delivered, and answers as told."""

    def __init__(self) -> None:
        self.delivered: asyncio.Queue[UUID] = asyncio.Queue()
        self.answers: list[bool] = []
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self, job_id: UUID) -> bool:
        self.delivered.put_nowait(job_id)
        await self.may_end.wait()
        return self.answers.pop(0) if self.answers else True

    async def next(self) -> UUID:
        async with asyncio.timeout(SOON):
            return await self.delivered.get()


@asynccontextmanager
async def working(database, run, *, concurrency=4):
    deliveries = ProcrastinateDeliveries(database.dsn_for_engine(), concurrency=concurrency, name="test")
    task = asyncio.create_task(deliveries.work(run))
    try:
        yield deliveries, task
    finally:
        task.cancel()
        async with asyncio.timeout(SOON * 2):
            await asyncio.wait({task})


async def engine_messages(world):
    with psycopg.connect(world.database.dsn_for_engine()) as connection:
        return connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone()[0]


async def test_a_created_job_is_delivered_and_its_message_gone_when_it_is_done(world):
    run = Recorder()
    async with working(world.database, run):
        job = await world.queued()
        assert await run.next() == job.id

        async with asyncio.timeout(SOON):
            while await engine_messages(world) > 0:  # noqa: ASYNC110  - another process's doing: there is nothing to wait for
                await asyncio.sleep(0.02)


async def test_a_job_created_while_nobody_worked_is_delivered_later(world):
    job = await world.queued()
    run = Recorder()
    async with working(world.database, run):
        assert await run.next() == job.id


async def test_a_job_that_is_busy_is_delivered_again(world):
    run = Recorder()
    run.answers = [False, False]
    async with working(world.database, run):
        job = await world.queued()
        assert [await run.next() for _ in range(3)] == [job.id] * 3


async def test_no_more_run_at_a_time_than_agreed(world):
    run = Recorder()
    run.may_end.clear()
    jobs = [await world.queued(chapter) for chapter in range(3)]
    async with working(world.database, run, concurrency=2):
        first = {await run.next(), await run.next()}
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await run.delivered.get()
        run.may_end.set()
        assert first | {await run.next()} == {job.id for job in jobs}


async def test_a_pause_lets_what_runs_end_and_takes_nothing_new(world):
    run = Recorder()
    run.may_end.clear()
    first = await world.queued(0)
    async with working(world.database, run) as (deliveries, task):
        assert await run.next() == first.id
        await deliveries.pause()
        second = await world.queued(1)
        run.may_end.set()
        async with asyncio.timeout(SOON):
            await task
    assert run.delivered.empty()
    assert await world.messages(second.id) == 1
    assert await engine_messages(world) == 1


async def test_whoever_is_cancelled_leaves_its_message_for_another(world):
    run = Recorder()
    run.may_end.clear()
    job = await world.queued()
    async with working(world.database, run):
        assert await run.next() == job.id
    assert await world.messages(job.id) == 1

    other = Recorder()
    async with working(world.database, other):
        assert await other.next() == job.id


async def test_work_goes_on_after_the_database_dropped_every_connection(world, owner_url):
    run = Recorder()
    async with working(world.database, run):
        first = await world.queued(0)
        assert await run.next() == first.id
        with psycopg.connect(owner_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND query ILIKE '%procrastinate%' AND pid <> pg_backend_pid()"
            )
        second = await world.queued(1)
        assert await run.next() == second.id


async def test_work_goes_on_after_its_registration_was_taken_away(world, owner_url):
    run = Recorder()
    async with working(world.database, run):
        job = await world.queued(0)
        assert await run.next() == job.id
        with psycopg.connect(owner_url, autocommit=True) as connection:
            connection.execute("DELETE FROM procrastinate_workers")
        job = await world.queued(1)
        assert await run.next() == job.id


async def test_shutting_down_logs_no_warning(world, caplog):
    run = Recorder()
    async with working(world.database, run) as (deliveries, _):
        job = await world.queued()
        assert await run.next() == job.id
        await deliveries.pause()
    assert [record for record in caplog.records if record.levelname not in {"DEBUG", "INFO"}] == []


async def test_messages_of_the_long_dead_are_forgotten_and_young_ones_kept(world, owner_url):
    old, young = await world.queued(0), await world.queued(1)
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("UPDATE procrastinate_jobs SET status = 'doing'")
        connection.execute(
            "UPDATE procrastinate_events SET at = now() - interval '2 hours'"
            " FROM procrastinate_jobs AS message WHERE message.id = procrastinate_events.job_id AND args ->> 'job_id' = %s",
            [str(old.id)],
        )
    run = Recorder()
    async with working(world.database, run):
        job = await world.queued(2)
        assert await run.next() == job.id

    with psycopg.connect(owner_url) as connection:
        kept = connection.execute("SELECT args ->> 'job_id' FROM procrastinate_jobs WHERE status = 'doing'").fetchall()
    assert kept == [(str(young.id),)]
