"""Clocks that jump while jobs run: who holds a job, and for how long, is a matter of the database's time alone."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from commands.demo import documents
from commands.demo.client import Client
from tests.factories import ManualClock
from tests.fakes.model_server import ScriptedModelServer, hold
from tests.persistence.legal_state import Books
from tests.server import story
from tests.server.running import running, token_for

JOBS = 6
LEASE = 1.5
SECONDS = 20
LOOK_SECONDS = 0.02
HOUR, YEARS = timedelta(hours=1), timedelta(days=3 * 365)
BEFORE, AFTER = "The lamp was lit,", " and Mara counted the steps."
# Half an hour before the clocks of Europe change, and before a leap day begins.
MOMENTS = (
    datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    datetime(2028, 2, 28, 23, 30, tzinfo=UTC),
)
LAST_DAYS = ["2028-02-28", "2028-02-29"]
BOOKS = """
query($id: ID!) {
  project(id: $id) {
    usage { total { calls cost } byDay { day usage { calls cost } } }
    budget { spent reserved }
  }
}
"""
STILL_HELD = "SELECT FROM job HAVING now() > %s AND min(lease_until) > now()"
HOLDERS = "SELECT id, epoch, attempt, status, worker FROM job ORDER BY id"


@pytest.fixture
def books(owner_url: str) -> Iterator[Books]:
    books = Books(owner_url)
    yield books
    books.close()


async def test_jobs_stay_with_whoever_has_them_while_the_clocks_of_two_servers_jump_apart(database_url: str, books: Books):
    go_on = asyncio.Event()
    fast, slow = ManualClock(MOMENTS[0]), ManualClock(MOMENTS[0])
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(ScriptedModelServer(default=hold(go_on, BEFORE, AFTER)))
        servers = [
            await stack.enter_async_context(
                running(database_url, model_url=model.url, clock=clock, lease_seconds=LEASE, workers_in_process=JOBS // 2)
            )
            for clock in (fast, slow)
        ]
        token = token_for("ada", ttl=YEARS, clock=lambda: MOMENTS[0] - 2 * HOUR)
        ada = await stack.enter_async_context(servers[0].client(token=token))
        project, jobs = await start_jobs(ada)
        await model.wait_for_calls(JOBS)
        holders = books.rows(HOLDERS)
        for moment in MOMENTS:
            fast.now, slow.now = moment + HOUR, moment - HOUR
            await until_held_for_another_lease(books)
        assert books.rows(HOLDERS) == holders
        assert [holder["attempt"] for holder in holders] == [1] * JOBS
        go_on.set()
        async with asyncio.timeout(SECONDS):
            ends = await asyncio.gather(*(story.watch(ada, job) for job in jobs))
        kept = (await ada.ask(BOOKS, id=project))["project"]

    assert {events[-1]["job"]["status"] for events in ends} == {"SUCCEEDED"}
    assert {story.shown_text(events) for events in ends} == {BEFORE + AFTER}
    books.assert_legal()
    # Each call is there once, on the day that it was on the clock of the server that made it.
    assert [(day["day"], day["usage"]["calls"]) for day in kept["usage"]["byDay"]] == [(day, JOBS // 2) for day in LAST_DAYS]
    assert len(model.calls) == kept["usage"]["total"]["calls"] == JOBS
    assert sum(Decimal(day["usage"]["cost"]) for day in kept["usage"]["byDay"]) == Decimal(kept["budget"]["spent"]) > 0
    assert Decimal(kept["budget"]["reserved"]) == 0


async def start_jobs(ada: Client) -> tuple[str, Sequence[str]]:
    project = (await ada.change(documents.CREATE_PROJECT, title="The Lighthouse", genre="MYSTERY", settings={"maxRevisions": 0}))[
        "project"
    ]["id"]
    jobs = []
    for number in range(JOBS):
        chapter = await ada.change(documents.CREATE_CHAPTER, projectId=project, title=f"Chapter {number}", targetWordCount=60)
        jobs.append(await story.start(ada, chapter["chapter"]["id"]))
    return project, jobs


async def until_held_for_another_lease(books: Books) -> None:
    """Every lease that is running now is over, and has been renewed before that."""
    (now,) = books.rows("SELECT max(lease_until) AS over FROM job")
    async with asyncio.timeout(SECONDS):
        while not books.rows(STILL_HELD, now["over"]):  # noqa: ASYNC110  - a row tells nobody
            await asyncio.sleep(LOOK_SECONDS)
