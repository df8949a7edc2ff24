"""Appends whose answer was lost with the connection: made again, and written once."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.exc import DBAPIError

from domain.jobs.event_log import EventLog
from domain.jobs.events import StatusChanged
from domain.jobs.job import JobLimits, JobStatus
from persistence.database import Database
from persistence.job_desk import PostgresJobDesk
from tests.fakes.database_proxy import DatabaseProxy, Moment
from tests.persistence.job_world import NOW, build_world, later, text_of

STATEMENTS = 4
"""Of an append: BEGIN, the worker's role, the append itself, COMMIT."""


@pytest.fixture
async def world(database):
    return await build_world(database)


@pytest.fixture
async def proxy(cluster):
    async with DatabaseProxy(cluster.socket_directory) as proxy:
        yield proxy


@pytest.fixture
async def desk(proxy, database_url):
    """A worker's desk whose connections can be broken."""
    database = Database(proxy.url(database_url))
    yield PostgresJobDesk(database, worker="behind a breaking connection", limits=JobLimits(), monthly_limit=None)
    await database.close()


@asynccontextmanager
async def writing(desk, claim):
    events = EventLog(desk, lambda: NOW, on_written=lambda _: None, on_lost=lambda _: None)
    task = asyncio.create_task(events.run())
    try:
        yield events.open(claim)
    finally:
        task.cancel()
        await asyncio.wait({task})


@pytest.mark.parametrize("moment", Moment)
async def test_an_append_whose_commit_is_not_answered_is_written_once_when_it_is_made_again(world, proxy, desk, moment):
    one, other = await world.claimed(0), await world.claimed(1)
    batches = [(one, [text_of("a"), text_of("b", offset=1)]), (other, [text_of("c")])]
    proxy.cut(1, moment, counting=lambda statement: statement.startswith("COMMIT"))
    with pytest.raises(DBAPIError):
        await desk.append(batches, at=NOW, number=1)
    assert (len(await world.events(one.job_id)) == 4) is (moment is Moment.AFTER)

    assert await desk.append(batches, at=NOW, number=1) == set()

    assert (await world.events(one.job_id))[2:] == [text_of("a"), text_of("b", offset=1)]
    assert (await world.events(other.job_id))[2:] == [text_of("c")]
    assert (await world.look(one.job_id)).last_sequence == 4


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("number", range(1, STATEMENTS + 1))
async def test_a_connection_that_breaks_at_any_statement_of_an_append_delays_it_and_changes_nothing(world, proxy, desk, number, moment):
    claim = await world.claimed()
    async with writing(desk, claim) as log, asyncio.timeout(10):
        log.write("draft/1", "One. ")
        await log.flush()
        proxy.cut(number, moment)
        log.write("draft/1", "Two. ")
        await log.flush()
        log.write("draft/1", "Three.")
        await log.flush()

    assert proxy.made is not None
    assert (await world.events(claim.job_id))[2:] == [text_of("One. "), text_of("Two. ", offset=5), text_of("Three.", offset=10)]
    assert [event.sequence for event in await world.log(claim.job_id)] == [1, 2, 3, 4, 5]


async def test_what_others_write_into_the_log_meanwhile_does_not_hide_that_an_append_was_made(world):
    claim = await world.claimed()
    await world.desk.append([(claim, [text_of("a")])], at=NOW, number=7)
    async with world.library.writing(world.author) as records:
        await records.jobs.request_cancel(claim.job_id, at=later(1))

    assert await world.desk.append([(claim, [text_of("a")])], at=NOW, number=7) == set()
    assert await world.desk.append([(claim, [text_of("b", offset=1)])], at=NOW, number=8) == set()

    assert (await world.events(claim.job_id))[2:] == [text_of("a"), StatusChanged(JobStatus.CANCELLING), text_of("b", offset=1)]


async def test_an_append_that_comes_late_behind_a_newer_one_is_not_written_again(world):
    claim = await world.claimed()
    for number in (1, 2, 1):
        assert await world.desk.append([(claim, [text_of(str(number))])], at=NOW, number=number) == set()

    assert (await world.events(claim.job_id))[2:] == [text_of("1"), text_of("2")]


async def test_jobs_of_one_append_that_have_it_already_and_jobs_that_do_not_get_on_together(world):
    has_it, lost, new = [await world.claimed(chapter) for chapter in range(3)]
    await world.desk.append([(has_it, [text_of("a")]), (lost, [text_of("b")])], at=NOW, number=3)
    await world.taken_over(lost)

    again = [(has_it, [text_of("a")]), (lost, [text_of("b")]), (new, [text_of("c")])]
    assert await world.desk.append(again, at=NOW, number=3) == {lost.job_id}

    for claim, event in ((has_it, text_of("a")), (lost, text_of("b")), (new, text_of("c"))):
        assert (await world.events(claim.job_id)).count(event) == 1


async def test_a_later_claim_numbers_its_appends_anew(world):
    first = await world.claimed()
    await world.desk.append([(first, [text_of("a")])], at=NOW, number=100)
    second = await world.taken_over(first)

    assert await world.desk.append([(second, [text_of("b", offset=1)])], at=NOW, number=1) == set()

    assert text_of("b", offset=1) in await world.events(first.job_id)


async def test_two_that_make_the_same_append_at_once_write_it_once(world):
    claim = await world.claimed()
    for number in range(1, 21):
        event = text_of(f"{number}")
        answers = await asyncio.gather(*(world.desk.append([(claim, [event])], at=NOW, number=number) for _ in range(3)))
        assert answers == [set()] * 3

    assert (await world.events(claim.job_id))[2:] == [text_of(f"{number}") for number in range(1, 21)]
    assert [event.sequence for event in await world.log(claim.job_id)] == list(range(1, 23))
