"""Whatever is cancelled, and wherever it was waiting: its connection goes back clean, nothing of it runs on, and its job stays legal."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from commands.demo import documents
from domain.jobs.events import StepFinished
from domain.jobs.job import JobLimits
from domain.spending import Usage
from persistence.database import Database
from persistence.job_desk import PostgresJobDesk
from tests.api import Api, serving
from tests.persistence.job_world import LEASE, NOW, RESULT, JobWorld, build_world, text_of
from tests.persistence.legal_state import Books

SEED = 12
CANCELLATIONS = 200
AT_ONCE = 8
CONNECTIONS = 5
SECONDS = 20
LOOK_SECONDS = 0.02
BROWSE = """
query($id: ID!) {
  project(id: $id) {
    title budget { spent reserved } members { role user { name } }
    chapters(first: 20) { totalCount nodes { title currentVersion { number } versions { totalCount } jobs { nodes { status text } } } }
    jobs(first: 20) { nodes { status startedBy { name } usage { calls cost } steps { name } } }
  }
}
"""
BUSY = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle' AND backend_type = 'client backend'
"""

Work = Callable[[], Coroutine[Any, Any, object]]


@dataclass
class Office:
    """Work on jobs, and what users do to them meanwhile. Each kind of work is made ready first, and then can be interrupted."""

    world: JobWorld
    api: Api
    project: str
    chapters: list[str] = field(default_factory=list)

    async def claiming(self) -> Work:
        await self.world.queued(None)
        return lambda: self.world.desk.claim_next(lease_seconds=LEASE)

    async def intending(self) -> Work:
        claim = await self.world.claimed(None)
        return lambda: self.world.begun(claim)

    async def recording(self) -> Work:
        claim = await self.world.claimed(None)
        call = await self.world.begun(claim)
        return lambda: self.world.desk.record(claim, call, RESULT, at=NOW)

    async def appending(self) -> Work:
        claims = [await self.world.claimed(None) for _ in range(3)]
        return lambda: self.world.desk.append([(claim, [text_of("a"), text_of("b", offset=1)]) for claim in claims], at=NOW)

    async def completing(self) -> Work:
        claim = await self.world.claimed(None)

        async def complete() -> None:
            async with self.world.library.writing(self.world.author) as records:
                events = (StepFinished("context", Usage()),)
                await records.jobs.complete_step(claim, "context", started_at=NOW, at=NOW, events=events)

        return complete

    async def starting(self) -> Work:
        chapter = await self.api.chapter(self.project)
        return lambda: self.api.job(chapter, idempotencyKey=str(uuid4()))

    async def cancelling(self) -> Work:
        job = await self.api.job(await self.api.chapter(self.project))
        return lambda: self.api.mutate("cancelJob", "id", jobId=job)

    async def writing(self) -> Work:
        return lambda: self.api.chapter(self.project, text="The tide went out.")

    async def previewing(self) -> Work:
        chapter = await self.api.chapter(self.project)
        return lambda: self.api.ask(documents.PREVIEW, input={"chapterId": chapter})

    async def browsing(self) -> Work:
        return lambda: self.api.ask(BROWSE, id=self.project)

    @property
    def kinds(self) -> tuple[Callable[[], Awaitable[Work]], ...]:
        return (
            *(self.claiming, self.intending, self.recording, self.appending, self.completing),
            *(self.starting, self.cancelling, self.writing, self.previewing, self.browsing),
        )


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, pool_size=CONNECTIONS)
    yield database
    await database.close()


@pytest.fixture
async def office(database: Database) -> AsyncIterator[Office]:
    world = await build_world(database)
    many = JobLimits(per_user=1000, per_project=1000)
    async with serving(database) as api:
        yield Office(
            replace(world, desk=PostgresJobDesk(database, worker="test", limits=many, monthly_limit=None)), api, await api.project()
        )


@pytest.fixture
def books(owner_url: str) -> Iterator[Books]:
    books = Books(owner_url)
    yield books
    books.close()


async def seconds_of(work: Work) -> float:
    """How long it takes when nothing else is done."""
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def interrupted(work: Work, after: float) -> bool:
    """Whether it was cancelled before it was done."""
    task = asyncio.create_task(work())
    async with asyncio.timeout(SECONDS):
        await asyncio.wait({task}, timeout=after)
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.result()
    return task.cancelled()


async def test_two_hundred_cancellations_leave_no_connection_no_transaction_and_no_task(
    database: Database, office: Office, books: Books, owner_url: str
):
    chance = random.Random(SEED)
    usual = {kind.__name__: await seconds_of(await kind()) for kind in office.kinds}
    tasks = asyncio.all_tasks()
    struck: Counter[str] = Counter()

    async def interrupt_again_and_again() -> None:
        while struck.total() < CANCELLATIONS:
            kind = chance.choice(office.kinds)
            # While others are at it, it takes longer than usual.
            if await interrupted(await kind(), chance.uniform(0, 2 * usual[kind.__name__])):
                struck[kind.__name__] += 1

    async with asyncio.TaskGroup() as lanes:
        for _ in range(AT_ONCE):
            lanes.create_task(interrupt_again_and_again())

    assert struck.keys() == usual.keys()
    async with asyncio.timeout(SECONDS):
        await asyncio.gather(*(look(database) for _ in range(2 * CONNECTIONS)))
        # What several readers share is read to its end when one of them leaves.
        while asyncio.all_tasks() - tasks or database._pool.in_use or busy(owner_url):  # noqa: ASYNC110  - nobody tells
            await asyncio.sleep(LOOK_SECONDS)
    books.assert_legal()


async def look(database: Database) -> None:
    async with database.as_worker():
        pass


def busy(owner_url: str) -> int:
    """Connections that do something, or have begun something and not ended it."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        row = connection.execute(BUSY).fetchone()
        assert row is not None
        return int(row[0])
