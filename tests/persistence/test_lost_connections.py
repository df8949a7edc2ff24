"""The connection is lost at each statement of what is done to a job: what is left is legal, and whoever goes on does nothing twice.

A statement that never arrived has not happened. A commit whose answer was lost has, and nobody was told.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from domain.jobs.event_log import EventLog
from domain.jobs.events import Progressed, StepFinished
from domain.jobs.job import CallIntent, Claim, Ending, JobLimits, JobStage, JobStatus, LeaseLost
from domain.llm.model import TokenUsage
from domain.spending import Usage
from persistence.database import Database
from persistence.job_desk import PostgresJobDesk
from persistence.library import PostgresLibrary
from tests.factories import Cluster, a_chapter, a_project, a_version
from tests.fakes.database_proxy import DatabaseProxy, Moment
from tests.persistence.job_world import (
    COST,
    EXPECTED_COST,
    LEASE,
    NOW,
    RESERVE,
    RESULT,
    JobWorld,
    build_world,
    ending,
    later,
    prompt,
)
from tests.persistence.legal_state import Books

SECONDS = 10


class Deed(ABC):
    """Something that is done to a job: `prepare` leads up to it, over a sound connection; `do` does it, over one that may break.

    `go_on` is what comes after that, whether or not `do` was told of its success, until the job has ended. `check` says what must be
    true then, given whether what was done had `happened` although nobody was told.
    """

    job_id: UUID | None = None
    ends_as = "SUCCEEDED"

    def __init__(self) -> None:
        self.name = str(uuid4())

    async def prepare(self, world: JobWorld) -> None:
        self.claim = await world.claimed()
        self.job_id = self.claim.job_id

    @abstractmethod
    async def do(self, world: JobWorld) -> None: ...

    async def go_on(self, world: JobWorld) -> None:
        if (claim := await self.taken_over(world)) is not None:
            await world.desk.finish(claim, ending())

    def check(self, books: Books, *, happened: bool) -> None:  # noqa: B027  - most deeds are judged by the job's state alone
        pass

    async def taken_over(self, world: JobWorld) -> Claim | None:
        """Another worker's claim, once the lease is over; None when nothing is left to do."""
        await world.desk.expire_leases()
        return await world.desk.claim_next(lease_seconds=LEASE)

    def told(self, books: Books, kind: str, **body: object) -> int:
        """How often the log says so."""
        assert self.job_id is not None
        return sum(event["kind"] == kind and body.items() <= event["body"].items() for event in books.log(self.job_id))


class Start(Deed):
    """Under a key, as the API has it; whoever is not answered sends it again."""

    async def prepare(self, world: JobWorld) -> None:
        pass

    async def do(self, world: JobWorld) -> None:
        job = world.job()
        async with world.library.writing(world.author) as records:
            known = await records.jobs.recall_key(self.name, since=NOW - timedelta(days=1))
            if known is None:
                await records.jobs.create(replace(job, request=replace(job.request, instructions=self.name)), reserve=RESERVE)
                await records.jobs.remember_key(self.name, request_hash="h", job_id=job.id, at=NOW)
        self.job_id = known[0] if known else job.id

    async def go_on(self, world: JobWorld) -> None:
        await self.do(world)
        assert self.job_id is not None
        assert await world.reserved() == RESERVE
        assert await world.messages(self.job_id) == 1
        await super().go_on(world)

    def check(self, books: Books, *, happened: bool) -> None:
        started = books.rows("SELECT id FROM job WHERE request ->> 'instructions' = %s", self.name)
        assert [row["id"] for row in started] == [self.job_id]


class TakeUp(Deed):
    async def prepare(self, world: JobWorld) -> None:
        self.job_id = (await world.queued()).id

    async def do(self, world: JobWorld) -> None:
        await world.desk.claim_next(lease_seconds=LEASE)

    def check(self, books: Books, *, happened: bool) -> None:
        assert self.told(books, "StatusChanged", status="RUNNING") == (2 if happened else 1)


class Renew(Deed):
    async def do(self, world: JobWorld) -> None:
        await world.desk.renew([self.claim], lease_seconds=LEASE)

    async def go_on(self, world: JobWorld) -> None:
        await world.desk.finish(self.claim, ending())


class Intend(Deed):
    """Nobody knows whether the call was made, once its intent is there and its worker is not."""

    async def do(self, world: JobWorld) -> None:
        await world.begun(self.claim)

    async def go_on(self, world: JobWorld) -> None:
        owner = await self.taken_over(world)
        assert owner is not None
        await world.desk.record(owner, await world.begun(owner), RESULT, at=NOW)
        await world.desk.finish(owner, ending())

    def check(self, books: Books, *, happened: bool) -> None:
        (step,) = books.rows("SELECT status, uncertain FROM job_step WHERE job_id = %s", self.job_id)
        assert step == {"status": "SUCCEEDED", "uncertain": happened}
        assert self.job_id is not None
        assert sum(entry["cost"] for entry in books.paid(self.job_id)) == COST + (EXPECTED_COST if happened else 0)


class Record(Deed):
    call: CallIntent

    async def prepare(self, world: JobWorld) -> None:
        await super().prepare(world)
        self.call = await world.begun(self.claim)

    async def do(self, world: JobWorld) -> None:
        await world.desk.record(self.claim, self.call, RESULT, at=later(1))

    async def go_on(self, world: JobWorld) -> None:
        await self.do(world)
        assert await world.desk.results(self.claim) == {"draft/1": RESULT}
        await super().go_on(world)

    def check(self, books: Books, *, happened: bool) -> None:
        assert self.job_id is not None
        assert [entry["cost"] for entry in books.paid(self.job_id)] == [COST]
        assert self.told(books, "StepFinished", step="draft/1") == 1


class RecordLate(Record):
    """By a worker that was given up meanwhile, and its call taken for lost."""

    async def prepare(self, world: JobWorld) -> None:
        await super().prepare(world)
        owner = await self.taken_over(world)
        assert owner is not None
        self.owner, self.own_call = owner, await world.begun(owner)

    async def do(self, world: JobWorld) -> None:
        with suppress(LeaseLost):
            await world.desk.record(self.claim, self.call, RESULT, at=later(1))

    async def go_on(self, world: JobWorld) -> None:
        await self.do(world)
        await world.desk.record(self.owner, self.own_call, replace(RESULT, text="Too late."), at=later(2))
        assert await world.desk.results(self.owner) == {"draft/1": RESULT}
        await world.desk.finish(self.owner, ending())

    def check(self, books: Books, *, happened: bool) -> None:
        assert self.job_id is not None
        assert sum(entry["cost"] for entry in books.paid(self.job_id)) == 2 * COST
        assert sum(entry["calls"] for entry in books.paid(self.job_id)) == 2
        assert self.told(books, "StepFinished", step="draft/1") == 1


class Abandon(Record):
    """A call that brought nothing was billed for what was sent."""

    async def do(self, world: JobWorld) -> None:
        billed = TokenUsage(prompt_tokens=1000, cached_prompt_tokens=0, completion_tokens=0, estimated=False)
        await world.desk.abandon(self.claim, self.call, at=later(1), usage=billed, cost=COST)

    async def go_on(self, world: JobWorld) -> None:
        await self.do(world)
        await world.desk.finish(self.claim, ending())

    def check(self, books: Books, *, happened: bool) -> None:
        assert self.job_id is not None
        assert [entry["cost"] for entry in books.paid(self.job_id)] == [COST]


class Append(Deed):
    """By the log's own writer, which tries again by itself."""

    async def do(self, world: JobWorld) -> None:
        async with writing_log(world) as log:
            job_log = log.open(self.claim)
            job_log.emit(Progressed(JobStage.DRAFTING, 0.5, "Half."))
            job_log.write("draft/1", "The tide went out.")
            await job_log.flush()

    def check(self, books: Books, *, happened: bool) -> None:
        assert self.told(books, "Progressed", message="Half.") == 1
        assert self.told(books, "TextAppended", text="The tide went out.") == 1


class CompleteContext(Deed):
    """A step that calls no model is done by the next worker if the last has not."""

    async def do(self, world: JobWorld) -> None:
        await self._complete(world, self.claim)

    async def go_on(self, world: JobWorld) -> None:
        owner = await self.taken_over(world)
        assert owner is not None
        async with world.library.reading(world.author) as records:
            built = await records.jobs.prompt_of(owner.job_id)
        if built is None:
            await self._complete(world, owner)
        await world.desk.finish(owner, ending())

    async def _complete(self, world: JobWorld, claim: Claim) -> None:
        async with world.library.writing(world.author) as records:
            chapter_id = world.chapter_ids[0]
            await records.jobs.add_prompt(prompt(), receipt_id=uuid4(), job_id=claim.job_id, chapter_id=chapter_id, at=NOW)
            events = (StepFinished("context", Usage()),)
            await records.jobs.complete_step(claim, "context", started_at=NOW, at=NOW, events=events)

    def check(self, books: Books, *, happened: bool) -> None:
        assert self.told(books, "StepFinished", step="context") == 1
        assert len(books.rows("SELECT id FROM prompt_receipt WHERE job_id = %s", self.job_id)) == 1


class Save(Deed):
    """The chapter's text and the end of its job."""

    async def do(self, world: JobWorld) -> None:
        await self._save(world, self.claim)

    async def go_on(self, world: JobWorld) -> None:
        if (owner := await self.taken_over(world)) is not None:
            await self._save(world, owner)

    async def _save(self, world: JobWorld, claim: Claim) -> None:
        chapter = a_chapter(a_project(id=world.project_id), id=world.chapter_ids[0])
        async with world.library.writing(world.author) as records:
            version = await records.versions.add(a_version(chapter, job_id=claim.job_id), make_current=True)
            await records.jobs.complete_step(claim, "save", started_at=NOW, at=NOW, events=(StepFinished("save", Usage()),))
            await records.jobs.finish(claim, replace(ending(), result_version_id=version.id))

    def check(self, books: Books, *, happened: bool) -> None:
        assert self.job_id is not None
        (version,) = books.rows("SELECT id FROM chapter_version WHERE job_id = %s", self.job_id)
        assert books.job(self.job_id)["result_version_id"] == version["id"]
        assert self.told(books, "StepFinished", step="save") == 1


class Finish(Deed):
    async def do(self, world: JobWorld) -> None:
        await world.desk.finish(self.claim, ending())


class Release(Deed):
    async def do(self, world: JobWorld) -> None:
        await world.desk.release(self.claim)

    def check(self, books: Books, *, happened: bool) -> None:
        assert self.told(books, "StatusChanged", status="QUEUED") == (2 if happened else 1)
        assert self.told(books, "StatusChanged", status="RUNNING") == 2


class Cancel(Deed):
    """A running job; whoever is not answered asks again, and the worker ends it."""

    ends_as = "CANCELLED"

    async def do(self, world: JobWorld) -> None:
        assert self.job_id is not None
        async with world.library.writing(world.author) as records:
            await records.jobs.request_cancel(self.job_id, at=later(1))

    async def go_on(self, world: JobWorld) -> None:
        await self.do(world)
        assert await world.desk.renew([self.claim], lease_seconds=LEASE) == {self.job_id: True}
        await world.desk.finish(self.claim, ending(JobStatus.CANCELLED))

    def check(self, books: Books, *, happened: bool) -> None:
        assert self.told(books, "StatusChanged", status="CANCELLING") == 1


class CancelQueued(Cancel):
    async def prepare(self, world: JobWorld) -> None:
        self.job_id = (await world.queued()).id

    async def go_on(self, world: JobWorld) -> None:
        await self.do(world)
        assert await self.taken_over(world) is None

    def check(self, books: Books, *, happened: bool) -> None:
        assert self.told(books, "Finished") == 1


class CancelBegun(Cancel):
    """One that waits with what it has written already: a worker takes it up to keep that."""

    async def prepare(self, world: JobWorld) -> None:
        await super().prepare(world)
        await world.desk.release(self.claim)

    async def go_on(self, world: JobWorld) -> None:
        await self.do(world)
        owner = await self.taken_over(world)
        assert owner is not None
        assert owner.cancel_requested
        await world.desk.finish(owner, ending(JobStatus.CANCELLED))


class Retry(Deed):
    """A failed job; whoever is not answered looks, and asks again if it has not been queued."""

    async def prepare(self, world: JobWorld) -> None:
        await super().prepare(world)
        await world.desk.finish(self.claim, Ending(status=JobStatus.FAILED, at=later(1)))

    async def do(self, world: JobWorld) -> None:
        assert self.job_id is not None
        async with world.library.writing(world.author) as records:
            await records.jobs.retry(self.job_id, reserve=RESERVE, at=later(2))

    async def go_on(self, world: JobWorld) -> None:
        await self.do(world)
        assert await world.reserved() == RESERVE
        await super().go_on(world)

    def check(self, books: Books, *, happened: bool) -> None:
        assert self.told(books, "StatusChanged", status="QUEUED") == 2


DEEDS = (
    Start,
    TakeUp,
    Renew,
    Intend,
    Record,
    RecordLate,
    Abandon,
    Append,
    CompleteContext,
    Save,
    Finish,
    Release,
    Cancel,
    CancelQueued,
    CancelBegun,
    Retry,
)


@asynccontextmanager
async def writing_log(world: JobWorld) -> AsyncIterator[EventLog]:
    log = EventLog(world.desk, lambda: NOW, on_written=lambda _: None, on_lost=lambda _: None)
    running = asyncio.create_task(log.run())
    try:
        yield log
    finally:
        running.cancel()
        await asyncio.wait({running})


@pytest.fixture
async def world(database: Database) -> JobWorld:
    return await build_world(database, chapters=1)


@pytest.fixture
async def proxy(cluster: Cluster) -> AsyncIterator[DatabaseProxy]:
    async with DatabaseProxy(cluster.socket_directory) as proxy:
        yield proxy


@pytest.fixture
async def shaky(world: JobWorld, proxy: DatabaseProxy, database_url: str) -> AsyncIterator[JobWorld]:
    """The same world by way of the proxy, with one connection."""
    database = Database(proxy.url(database_url), pool_size=1)
    yield replace(
        world,
        database=database,
        library=PostgresLibrary(database),
        desk=PostgresJobDesk(database, worker="shaky", limits=JobLimits(), monthly_limit=None),
    )
    await database.close()


@pytest.fixture
def books(owner_url: str) -> Iterator[Books]:
    books = Books(owner_url)
    yield books
    books.close()


@pytest.mark.parametrize("kind", DEEDS, ids=[kind.__name__ for kind in DEEDS])
async def test_a_connection_lost_at_any_statement_leaves_a_legal_state_from_which_the_job_comes_to_its_end(
    world: JobWorld, shaky: JobWorld, proxy: DatabaseProxy, books: Books, kind: type[Deed]
):
    struck: list[str | None] = []
    for number in count(1):
        for moment in Moment:
            deed = kind()
            await deed.prepare(world)
            await connect(shaky)
            proxy.cut(number, moment)
            async with asyncio.timeout(SECONDS):
                with suppress(DBAPIError):
                    await deed.do(shaky)
            cut = proxy.made
            proxy.spare()
            # A transaction that could not even begin is begun on another connection.
            happened = cut is None or cut.statement.startswith("BEGIN") or (cut.statement, cut.moment) == ("COMMIT", Moment.AFTER)
            await come_to_the_end(deed, world, books, happened=happened)
        if cut is None:
            break
        struck.append(cut.statement)
    assert struck[0].startswith("BEGIN; SET LOCAL ROLE")
    assert struck[-1] == "COMMIT"


async def connect(shaky: JobWorld) -> None:
    """When a connection begins, its driver has questions of its own."""
    async with shaky.database.as_worker():
        pass


async def come_to_the_end(deed: Deed, world: JobWorld, books: Books, *, happened: bool) -> None:
    books.assert_legal(*([deed.job_id] if deed.job_id else []))
    async with asyncio.timeout(SECONDS):
        await deed.go_on(world)
    assert deed.job_id is not None
    books.assert_legal(deed.job_id)
    assert books.job(deed.job_id)["status"] == deed.ends_as
    assert await world.reserved() == 0
    deed.check(books, happened=happened)
