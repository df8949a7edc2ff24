"""Delivery of a log: lost connections delay it and take nothing from it, and whoever comes back is given exactly the rest."""

import asyncio
from contextlib import aclosing
from uuid import UUID

import psycopg
import pytest

from domain.jobs.events import TextAppended
from persistence.wakeups import POLL_SECONDS
from resolvers import jobs

FOLLOW = """subscription($id: ID!, $after: String) { jobEvents(jobId: $id, after: $after) { __typename cursor sequence at
    ... on JobStatusChanged { status } ... on TextAppended { step offset text } } }"""
WAIT_SECONDS = 10
LOSSES = 30
APPENDS_BETWEEN = 17
EVENTS_AT_ONCE = 2
FOLLOWERS = 3


async def a_job(api):
    return await api.job(await api.chapter(await api.project(), brief="A storm."))


class Writer:
    """Appends to a job's log from another process: nobody here is told but by the database. `committed` are its events' times."""

    def __init__(self, api, claim) -> None:
        self._api = api
        self.claim = claim
        self.committed: list[float] = []

    async def write(self) -> None:
        for _ in range(APPENDS_BETWEEN):
            events = [TextAppended("draft/1", len(self.committed) + number, "x") for number in range(EVENTS_AT_ONCE)]
            await self._api.desk.append([(self.claim, events)], at=self._api.clock())
            self.committed += [asyncio.get_running_loop().time()] * EVENTS_AT_ONCE


async def received(api, job_id: UUID) -> list[tuple[int, float]]:
    """Every event's number with the time at which a follower had it in hand."""
    events = jobs.follow(api.context(), job_id, after=0)
    async with aclosing(events):
        return [(event.sequence, asyncio.get_running_loop().time()) async for event in events]


async def lose_a_connection(owner_url: str) -> None:
    """Wait until this process listens, and cut it off."""
    query = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE application_name = 'scriptorium listener' AND datname = current_database()"
    )
    async with await psycopg.AsyncConnection.connect(owner_url, autocommit=True) as connection:
        while True:
            if await (await connection.execute(query)).fetchone() != (0,):
                return
            await asyncio.sleep(0.01)


async def test_a_listener_cut_off_thirty_times_delays_events_by_less_than_a_poll_and_loses_none(api, owner_url):
    writers = [Writer(api, await api.work(await a_job(api))) for _ in range(2)]
    followers = [(writer, asyncio.create_task(received(api, writer.claim.job_id))) for writer in writers for _ in range(FOLLOWERS)]

    async with asyncio.timeout(60):
        for _ in range(LOSSES):
            await asyncio.gather(lose_a_connection(owner_url), *(writer.write() for writer in writers))
        for writer in writers:
            await api.finish(writer.claim)
        seen = [(writer, await follower) for writer, follower in followers]

    assert sum(len(writer.committed) for writer in writers) == 2 * LOSSES * APPENDS_BETWEEN * EVENTS_AT_ONCE > 1000
    for writer, events in seen:
        assert [sequence for sequence, _ in events] == list(range(1, len(writer.committed) + 5))
        delays = [at - committed for (_, at), committed in zip(events[2:-2], writer.committed, strict=True)]
        assert max(delays) < POLL_SECONDS + 1


async def take(api, job, number, *, after):
    """The next events, over a connection that is dropped then."""
    stream = api.follow(FOLLOW, id=job, after=after)
    async with asyncio.timeout(WAIT_SECONDS), aclosing(stream):
        return [(await anext(stream))["jobEvents"] for _ in range(number)]


async def collect(api, job, *, after):
    async with asyncio.timeout(WAIT_SECONDS):
        return [data["jobEvents"] async for data in api.follow(FOLLOW, id=job, after=after)]


def cursor_at(events, cut):
    return events[cut - 1]["cursor"] if cut else None


@pytest.mark.parametrize("length", range(1, 21))
async def test_whoever_comes_back_at_any_cut_is_given_exactly_the_rest(api, length):
    job = await a_job(api)
    claim = None
    if length > 1:
        claim = await api.work(job, *(TextAppended("draft/1", number, "x") for number in range(length - 2)))
    alive = await take(api, job, length, after=None)
    assert [event["sequence"] for event in alive] == list(range(1, length + 1))

    for cut in range(length + 1):
        first = await take(api, job, (length - cut) // 2, after=cursor_at(alive, cut))
        come_to = cut + len(first)
        second = await take(api, job, length - come_to, after=cursor_at(alive, come_to))
        assert first + second == alive[cut:]

    if claim:
        await api.finish(claim)
    else:
        await api.mutate("cancelJob", "id", jobId=job)
    whole = await collect(api, job, after=None)
    assert (whole[:length], len(whole)) == (alive, length + 2)
    for cut in range(length + 3):
        assert await collect(api, job, after=cursor_at(whole, cut)) == whole[cut:]
