"""From the commit of an append to the event in a follower's hand, in one process and from one process to another.

The follower is what a subscription runs, without its socket. The clock starts when COMMIT is about to be sent, so the commit itself,
with its fsync, is part of every figure. The peer does the least that keeps and tells: a bare INSERT and NOTIFY, and in the follower a
LISTEN and the SELECT of the row. Writers take turns, so that whatever else the machine does disturbs all of them alike.
"""

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from itertools import count
from uuid import UUID

from bench.delivery.followers import PEERS_CHANNEL, BareConnection, Receipts, bare_connection, follow_log, follow_peer, somebody
from bench.report import HEADING, row
from bench.workbench import workbench_urls
from commands.database import DatabaseUrls
from domain.jobs.events import TextAppended
from domain.jobs.job import Claim
from persistence.database import Database
from persistence.events import append_events
from server import utc_now
from settings import ROOT
from tests.api import Api, serving
from tests.persistence.job_world import build_world

WARM_UP = 20
ROUNDS = 300
FIRST = 3
"""The first number that is written here: a job that a worker has taken up has two events already."""
LAST = FIRST + WARM_UP + ROUNDS - 1
PAUSE_SECONDS = 0.01
TEXT = "The tide had left a letter. "
ONE_PROCESS_SECONDS, TWO_PROCESSES_SECONDS = 0.02, 0.04
DEADLINE_SECONDS = 120

Write = Callable[[int], Awaitable[float]]
"""Commits the event of this number; answers when its COMMIT was about to be sent."""


async def delivery() -> None:
    with workbench_urls() as urls:
        url = urls.application
        await _make_peers_table(urls)
        database, connection = Database(url), await bare_connection(url)
        async with serving(database) as api, asyncio.timeout(DEADLINE_SECONDS):
            world = await build_world(database)
            near, far = await world.claimed(0), await world.claimed(1)
            ours = follow_log(somebody(api, world.author), near.job_id, LAST, begun=asyncio.Event())
            peers = follow_peer(url, LAST, begun=asyncio.Event())
            async with _elsewhere(url, world.author, far.job_id) as process:
                following = [asyncio.create_task(follower) for follower in (ours, peers)]
                writers = [_writer(api, near), _writer(api, far), _peer(connection)]
                committed = await _take_turns(writers)
                here, peer_here = [await follower for follower in following]
                there = await _receipts(process)
        await connection.close()
        await database.close()
    near_at, far_at, peer_at = committed
    print("\nDelivery of an event, from its commit")
    print(HEADING)
    print(row("one process", _delays(near_at, here), limit=ONE_PROCESS_SECONDS))
    print(row("peer: one process", _delays(peer_at, peer_here)))
    print(row("two processes", _delays(far_at, there["log"]), limit=TWO_PROCESSES_SECONDS))
    print(row("peer: two processes", _delays(peer_at, there["peer"])))


async def _make_peers_table(urls: DatabaseUrls) -> None:
    owner = await bare_connection(urls.owner)
    await owner.execute("CREATE TABLE peer_event (number integer PRIMARY KEY, body text NOT NULL)")
    await owner.execute(f"GRANT SELECT, INSERT ON peer_event TO {urls.login}")
    await owner.close()


async def _take_turns(writers: Iterable[Write]) -> list[Receipts]:
    """When each writer's event of each number was committed."""
    committed: list[tuple[Write, Receipts]] = [(write, {}) for write in writers]
    for number in range(FIRST, LAST + 1):
        for write, at in committed:
            at[number] = await write(number)
            await asyncio.sleep(PAUSE_SECONDS)
    return [at for _, at in committed]


def _writer(api: Api, claim: Claim) -> Write:
    """As domain.jobs.event_log appends and persistence.job_desk commits."""
    offsets = count(0, len(TEXT))

    async def write(number: int) -> float:
        event = TextAppended("draft/1", next(offsets), TEXT)
        async with api.database.as_worker() as connection:
            await append_events(connection, [(claim.job_id, claim.epoch, [event])], at=utc_now(), number=number)
            committing = time.monotonic()
        api.services.wakeups.notify_local([claim.job_id])
        return committing

    return write


def _peer(connection: BareConnection) -> Write:
    async def write(number: int) -> float:
        async with connection.transaction():
            await connection.execute("INSERT INTO peer_event VALUES ($1, $2)", number, TEXT)
            await connection.execute("SELECT pg_notify($1, $2)", PEERS_CHANNEL, str(number))
            return time.monotonic()

    return write


def _delays(committed: Receipts, received: Receipts) -> list[float]:
    return [received[number] - committed[number] for number in range(FIRST + WARM_UP, LAST + 1)]


@asynccontextmanager
async def _elsewhere(url: str, user_id: UUID, job_id: UUID) -> AsyncIterator[Process]:
    """The followers in a process of their own, from when they follow."""
    arguments = (sys.executable, "-m", "bench.delivery.followers", url, str(user_id), str(job_id), str(LAST))
    process = await asyncio.create_subprocess_exec(*arguments, stdout=PIPE, cwd=ROOT)
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"following\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _receipts(process: Process) -> dict[str, Receipts]:
    output, _ = await process.communicate()
    return {name: {int(number): at for number, at in receipts.items()} for name, receipts in json.loads(output).items()}
