"""A worker loses its connection at every statement of a job in turn: the chapter is written all the same, and bought once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count

from persistence.database import Database
from tests.conftest import APPLICATION_LOGIN
from tests.factories import Cluster, DatabasePool
from tests.fakes.database_proxy import DatabaseProxy, Moment
from tests.persistence.job_world import build_world
from tests.persistence.legal_state import Books
from tests.reliability.lone_worker import LoneWorker, lone_worker

LANES = 6
# What is sent in the course of a job. Of each kind every statement is struck in turn.
WRITES = (
    "UPDATE job SET epoch = epoch + 1, attempt = attempt + 1",
    "INSERT INTO prompt_receipt",
    "INSERT INTO job_step",
    "INSERT INTO job_event",
    "INSERT INTO ledger_entry",
    "UPDATE job_step SET status = 'SUCCEEDED'",
    "INSERT INTO chapter_version",
    "UPDATE job SET epoch = epoch + 1, worker = NULL, lease_until = NULL",
)
COMMIT, ANYTHING_ELSE = "COMMIT", ""
# A transaction that has only begun, and taken its role, has done nothing that could be lost.
BEGINNINGS = ("BEGIN",)


@dataclass
class Lane:
    """A database of its own with a worker, whose connections can be cut."""

    worker: LoneWorker
    proxy: DatabaseProxy
    database: Database

    async def run_job(self, kind: str, number: int, moment: Moment) -> bool:
        """Cut at the statement of this kind and number of a new job. Whether there was one."""
        job = await self.worker.new_job()
        async with self.database.as_worker():
            pass  # what a driver asks of a new connection is not the job's
        self.proxy.cut(number, moment, counting=lambda statement: kind_of(statement) == kind)
        await self.worker.bring_to_its_end(job)
        self.proxy.spare()
        return self.proxy.made is not None


@asynccontextmanager
async def lane(cluster: Cluster, databases: DatabasePool) -> AsyncIterator[Lane]:
    async with AsyncExitStack() as stack:
        name = stack.enter_context(databases.borrow())
        url = cluster.url(name, login=APPLICATION_LOGIN)
        sound = Database(url, pool_size=2)
        stack.push_async_callback(sound.close)
        world = await build_world(sound, chapters=1)
        proxy = await stack.enter_async_context(DatabaseProxy(cluster.socket_directory))
        shaky = Database(proxy.url(url), pool_size=2)
        stack.push_async_callback(shaky.close)
        books = Books(cluster.url(name))
        stack.callback(books.close)
        yield Lane(await stack.enter_async_context(lone_worker(world, shaky, books)), proxy, shaky)


def kind_of(statement: str) -> str | None:
    if statement.startswith(BEGINNINGS):
        return None
    return next((kind for kind in (COMMIT, *WRITES) if kind in statement), ANYTHING_ELSE)


async def test_a_job_whose_worker_loses_its_connection_at_any_statement_is_written_and_bought_once(
    cluster: Cluster, databases: DatabasePool
):
    struck: Counter[tuple[str, Moment]] = Counter()
    blows = [(COMMIT, Moment.AFTER), *((kind, Moment.BEFORE) for kind in (COMMIT, ANYTHING_ELSE, *WRITES))]
    rest = iter(blows)

    async def walk(along: Lane) -> None:
        for kind, moment in rest:
            for number in count(1):
                if not await along.run_job(kind, number, moment):
                    break
                struck[kind, moment] += 1

    async with AsyncExitStack() as stack:
        lanes = [await stack.enter_async_context(lane(cluster, databases)) for _ in range(LANES)]
        async with asyncio.TaskGroup() as walks:
            for along in lanes:
                walks.create_task(walk(along))
    assert struck.keys() == set(blows)
    assert min(struck[COMMIT, moment] for moment in Moment) > len(WRITES)
