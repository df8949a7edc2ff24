"""Whoever has lost a job writes nothing to it any more, in whatever way it was lost and whatever was about to be written."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import psycopg
import pytest

from commands.demo import documents
from commands.demo.client import Client
from domain.jobs.job import JobLimits
from persistence.database import Database
from persistence.job_desk import PostgresJobDesk
from tests.factories import Cluster
from tests.fakes.database_proxy import DatabaseProxy
from tests.fakes.model_server import Call, Script, ScriptedModelServer, hold, reply
from tests.persistence.legal_state import Books
from tests.reliability.processes import working
from tests.server import story
from tests.server.contents import Contents
from tests.server.running import running

JOBS = 20
LEASE = 3.0
SECONDS = 30
LOOK_SECONDS = 0.05
SLOTS = {"workers_in_process": JOBS, "jobs_per_user": JOBS, "jobs_per_project": JOBS}
OLD, LATE, NEW = "Written before,", " and never to be read.", "Written by the new owner."
LOST = ("job.lease_lost", "job.aborted")
# What a call has cost is entered whoever has made it.
STILL_OPEN = "ledger_entry"


@pytest.fixture
def go_on() -> asyncio.Event:
    """The first owner's model writes the rest."""
    return asyncio.Event()


@pytest.fixture
async def model(go_on: asyncio.Event) -> AsyncIterator[ScriptedModelServer]:
    def behave(call: Call) -> Script:
        return (hold(go_on, OLD, LATE) if call.number <= JOBS else reply(NEW))(call)

    async with ScriptedModelServer(default=behave) as server:
        yield server


@pytest.fixture
async def ada(database_url: str) -> AsyncIterator[Client]:
    """At a server that runs no jobs."""
    async with running(database_url, workers_in_process=0) as api, api.client() as client:
        yield client


@pytest.fixture
def books(owner_url: str) -> Iterator[Books]:
    books = Books(owner_url)
    yield books
    books.close()


@pytest.fixture
def contents(owner_url: str) -> Iterator[Contents]:
    with psycopg.connect(owner_url, autocommit=True) as connection:
        yield Contents(connection)


async def begin_jobs(ada: Client) -> Sequence[str]:
    """Each has written something."""
    made = await ada.change(documents.CREATE_PROJECT, title="The Lighthouse", genre="MYSTERY", settings={"maxRevisions": 0})
    jobs = []
    for number in range(JOBS):
        chapter = await ada.change(documents.CREATE_CHAPTER, projectId=made["project"]["id"], title=f"Chapter {number}")
        jobs.append(await story.start(ada, chapter["chapter"]["id"]))
    async with asyncio.timeout(SECONDS):
        await story.watch_all(ada, jobs, until=story.has_text)
    return jobs


async def take_over(database_url: str, database: Database, model: ScriptedModelServer, ada: Client, jobs: Sequence[str]) -> None:
    """Another worker finds the leases over, and brings every job to its end."""
    desk = PostgresJobDesk(database, worker="impatient", limits=JobLimits(per_user=JOBS, per_project=JOBS), monthly_limit=None)
    async with running(database_url, model_url=model.url, **SLOTS), asyncio.timeout(SECONDS):
        while len(model.calls) < 2 * JOBS:
            await desk.overdue()  # every worker looks for them, only not as often
            await asyncio.sleep(LOOK_SECONDS)
        ends = await story.watch_all(ada, jobs)
    assert {events[-1]["job"]["status"] for events in ends} == {"SUCCEEDED"}
    assert {story.shown_text(events) for events in ends} == {NEW}


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not is_so():  # noqa: ASYNC110  - another process's doing: there is nothing to wait for
            await asyncio.sleep(LOOK_SECONDS)


def settled(contents: Contents) -> dict[str, str]:
    return {table: digest for table, digest in contents.digest().items() if table != STILL_OPEN}


def assert_one_writer(books: Books, jobs: int) -> None:
    books.assert_legal()
    owners = books.rows("SELECT attempt, status FROM job")
    assert [(owner["attempt"], owner["status"]) for owner in owners] == [(2, "SUCCEEDED")] * jobs
    assert books.rows("SELECT job_id FROM job_event WHERE body::text LIKE %s", f"%{LATE}%") == []
    assert books.rows("SELECT count(*) AS versions FROM chapter_version") == [{"versions": jobs}]


async def test_a_worker_cut_off_from_the_database_past_its_lease_writes_nothing_when_it_is_back(
    cluster: Cluster,
    database_url: str,
    database: Database,
    model: ScriptedModelServer,
    go_on: asyncio.Event,
    ada: Client,
    books: Books,
    contents: Contents,
    caplog: pytest.LogCaptureFixture,
):
    async with (
        DatabaseProxy(cluster.socket_directory) as proxy,
        running(proxy.url(database_url), model_url=model.url, lease_seconds=LEASE, **SLOTS),
    ):
        jobs = await begin_jobs(ada)
        with proxy.noting() as late:
            with proxy.frozen():
                go_on.set()
                await take_over(database_url, database, model, ada, jobs)
                before = settled(contents)
                caplog.clear()
            await until(lambda: sum(message in LOST for message in caplog.messages) == JOBS)
        assert settled(contents) == before
    assert any("INSERT INTO job_event" in statement for statement in late), "it never tried to write"
    assert_one_writer(books, JOBS)


async def test_a_worker_frozen_past_its_lease_writes_nothing_when_it_wakes_up(
    owner_url: str,
    database_url: str,
    database: Database,
    model: ScriptedModelServer,
    go_on: asyncio.Event,
    ada: Client,
    books: Books,
    contents: Contents,
    tmp_path: Path,
):
    settings = {
        "SCRIPTORIUM_LEASE_SECONDS": str(LEASE),
        "SCRIPTORIUM_WORKERS_IN_PROCESS": str(JOBS),
        "SCRIPTORIUM_JOBS_PER_USER": str(JOBS),
        "SCRIPTORIUM_JOBS_PER_PROJECT": str(JOBS),
    }
    async with working(tmp_path, database_url=owner_url, model_url=model.url, **settings) as worker:
        jobs = await begin_jobs(ada)
        worker.freeze()
        go_on.set()
        await take_over(database_url, database, model, ada, jobs)
        before = settled(contents)
        worker.thaw()
        await until(lambda: sum(worker.said.count(message) for message in LOST) == JOBS)
        assert settled(contents) == before
    assert_one_writer(books, JOBS)
