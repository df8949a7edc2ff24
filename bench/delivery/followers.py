"""Followers who note when each event is in their hands: of a job's log as a subscription follows it, and of the peer's table.

`python -m bench.delivery.followers URL USER JOB LAST` is both, in a process of its own, until they have seen the LAST one each.
"""

import asyncio
import json
import sys
import time
from contextlib import aclosing
from dataclasses import replace
from typing import TypeAlias
from uuid import UUID

import asyncpg
import uvloop

from domain.access import User
from persistence.database import Database
from persistence.urls import DatabaseAddress
from resolvers import jobs
from tests.api import Api, serving

PEERS_CHANNEL = "peer_events"

BareConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Receipts = dict[int, float]
"""When the event of each number was in hand, in seconds of the machine's monotonic clock, which its processes share."""


async def follow_log(api: Api, job_id: UUID, last: int, *, begun: asyncio.Event) -> Receipts:
    receipts: Receipts = {}
    async with aclosing(jobs.follow(api.context(), job_id, after=0)) as events:
        async for event in events:
            receipts[event.sequence] = time.monotonic()
            begun.set()
            if event.sequence == last:
                break
    return receipts


async def follow_peer(url: str, last: int, *, begun: asyncio.Event) -> Receipts:
    """LISTEN, and read each row that a notification names."""
    receipts: Receipts = {}
    numbers: asyncio.Queue[int] = asyncio.Queue()
    listening, reading = [await bare_connection(url) for _ in range(2)]
    await listening.add_listener(PEERS_CHANNEL, lambda *notification: numbers.put_nowait(int(str(notification[3]))))
    begun.set()
    while last not in receipts:
        number = await numbers.get()
        await reading.fetchval("SELECT body FROM peer_event WHERE number = $1", number)
        receipts[number] = time.monotonic()
    for connection in (listening, reading):
        await connection.close()
    return receipts


async def bare_connection(url: str) -> BareConnection:
    return await asyncpg.connect(**DatabaseAddress.parse(url).asyncpg_arguments())


def somebody(api: Api, user_id: UUID) -> Api:
    return replace(api, user=User(id=user_id, name="Ada", email=None))


async def _follow_both(url: str, user_id: UUID, job_id: UUID, last: int) -> None:
    database = Database(url)
    begun = [asyncio.Event() for _ in range(2)]
    async with serving(database) as api:
        log = asyncio.create_task(follow_log(somebody(api, user_id), job_id, last, begun=begun[0]))
        peer = asyncio.create_task(follow_peer(url, last, begun=begun[1]))
        for event in begun:
            await event.wait()
        print("following", flush=True)
        print(json.dumps({"log": await log, "peer": await peer}), flush=True)
    await database.close()


if __name__ == "__main__":
    _, url, user, job, last = sys.argv
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_follow_both(url, UUID(user), UUID(job), int(last)))
