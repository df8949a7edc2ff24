"""The database is in trouble for a while: jobs wait that out, and requests are answered in a way that says: send it again."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import psycopg
import pytest

from commands.demo.client import Client
from persistence.database import Database
from schema.edge.errors import ErrorCode, RequestError
from schema.edge.limits import Limits
from tests.api import Refused, serving
from tests.conftest import APPLICATION_LOGIN
from tests.factories import Cluster
from tests.fakes.model_server import ScriptedModelServer, hold, reply
from tests.persistence.job_world import build_world
from tests.persistence.legal_state import Books
from tests.reliability.lone_worker import LoneWorker, lone_worker
from tests.server import story
from tests.server.running import Running, running

ERRORS = {
    "40P01": "deadlock detected",
    "40001": "could not serialize",
    "57014": "canceled by the statement timeout",
    "53100": "disk full",
    "25006": "read-only after a failover",
}
LONGEST = 3
TROUBLED = "troubled"
SECONDS = 30
LOOK_SECONDS = 0.02
CONNECTIONS = 3
PATIENCE = 0.2
BEFORE, AFTER = "The lamp was lit,", " and Mara counted the steps."
# Raised by the server itself, at the statements of the troubled application from the first to the last that are told.
FAULTS = f"""
    CREATE TABLE fault (code text, first bigint, last bigint);
    INSERT INTO fault VALUES (NULL, 0, 0);
    CREATE SEQUENCE writes;
    CREATE FUNCTION fail_in_turn() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    DECLARE
        told fault;
        number bigint;
    BEGIN
        IF current_setting('application_name') = '{TROUBLED}' THEN
            SELECT * INTO told FROM fault;
            number := nextval('writes');
            IF number BETWEEN told.first AND told.last THEN
                RAISE EXCEPTION 'as told' USING ERRCODE = told.code;
            END IF;
        END IF;
        RETURN NULL;
    END $$;
    DO $$
    DECLARE
        tenant text;
    BEGIN
        FOREACH tenant IN ARRAY ARRAY['job', 'job_step', 'job_event', 'prompt_receipt', 'ledger_entry', 'chapter', 'chapter_version'] LOOP
            EXECUTE format('CREATE TRIGGER fails BEFORE INSERT OR UPDATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION fail_in_turn()', tenant);
        END LOOP;
    END $$;
"""


@dataclass
class Troubled:
    """A worker whose writes fail when they are told to."""

    worker: LoneWorker
    connection: psycopg.Connection

    async def run_job(self, *, code: str | None, first: int, last: int) -> int:
        """How many writes it took."""
        job = await self.worker.new_job()
        self.connection.execute("UPDATE fault SET code = %s, first = %s, last = %s", (code, first, last))
        self.connection.execute("ALTER SEQUENCE writes RESTART")
        await self.worker.bring_to_its_end(job)
        row = self.connection.execute("SELECT last_value FROM writes").fetchone()
        assert row is not None
        return int(row[0])


@asynccontextmanager
async def troubled(cluster: Cluster, template: str, name: str) -> AsyncIterator[Troubled]:
    async with AsyncExitStack() as stack:
        cluster.create_database(name, template=template)
        stack.callback(cluster.drop_database, name)
        connection = stack.enter_context(psycopg.connect(cluster.url(name), autocommit=True))
        connection.execute(FAULTS)
        url = cluster.url(name, login=APPLICATION_LOGIN)
        sound, database = Database(url, pool_size=2), Database(f"{url}&application_name={TROUBLED}", pool_size=2)
        for each in (sound, database):
            stack.push_async_callback(each.close)
        books = Books(cluster.url(name))
        stack.callback(books.close)
        world = await build_world(sound, chapters=1)
        yield Troubled(await stack.enter_async_context(lone_worker(world, database, books)), connection)


async def test_a_job_whose_writes_fail_for_a_while_is_written_and_bought_once(
    cluster: Cluster, template: str, database_names: Iterator[str]
):
    """Each write in turn, each time with another error, and for one to three writes in a row."""
    codes, lengths = itertools.cycle(ERRORS), itertools.cycle(range(LONGEST))
    async with AsyncExitStack() as stack:
        lanes = [await stack.enter_async_context(troubled(cluster, template, next(database_names))) for _ in ERRORS]
        writes = await lanes[0].run_job(code=None, first=0, last=0)
        assert writes > 20
        cases = iter([(next(codes), number, number + next(lengths)) for number in range(1, writes + 1)])

        async def work_off(lane: Troubled) -> None:
            for code, first, last in cases:
                await lane.run_job(code=code, first=first, last=last)

        async with asyncio.TaskGroup() as work:
            for lane in lanes:
                work.create_task(work_off(lane))


@pytest.fixture
def go_on() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def model(go_on: asyncio.Event) -> AsyncIterator[ScriptedModelServer]:
    async with ScriptedModelServer(hold(go_on, BEFORE, AFTER), default=reply("Another chapter.")) as server:
        yield server


@pytest.fixture
async def app(database_url: str, model: ScriptedModelServer) -> AsyncIterator[Running]:
    async with running(database_url, model_url=model.url) as served:
        yield served


async def assert_written_once(ada: Client, job: str, model: ScriptedModelServer) -> None:
    async with asyncio.timeout(SECONDS):
        events = await story.watch(ada, job)
    ended = await story.job(ada, job)
    assert ended["status"] == "SUCCEEDED"
    assert ended["text"] == story.shown_text(events) == BEFORE + AFTER
    assert {step["uncertain"] for step in ended["steps"]} == {False}
    assert ended["usage"]["calls"] == len(model.calls) == 1


async def test_a_job_waits_for_a_database_that_takes_no_writes_for_a_while(
    app: Running, model: ScriptedModelServer, go_on: asyncio.Event, cluster: Cluster, database_name: str, caplog: pytest.LogCaptureFixture
):
    """As when its primary has become a standby, and later there is a primary again."""
    async with app.client() as ada:
        job = await story.start(ada, await story.new_chapter(ada))
        await story.watch(ada, job, until=story.has_text)
        let_write(cluster, database_name, allowed=False)
        go_on.set()
        await until_logged(caplog, "events.append_failed", "read-only transaction")
        let_write(cluster, database_name, allowed=True)
        await assert_written_once(ada, job, model)


async def test_a_job_waits_for_a_row_that_is_held_longer_than_a_statement_may_take(
    app: Running, model: ScriptedModelServer, go_on: asyncio.Event, owner_url: str, caplog: pytest.LogCaptureFixture
):
    async with app.client() as ada:
        job = await story.start(ada, await story.new_chapter(ada))
        await story.watch(ada, job, until=story.has_text)
        with psycopg.connect(owner_url) as other:
            other.execute("SELECT FROM job FOR UPDATE")
            go_on.set()
            await until_logged(caplog, "events.append_failed", "statement timeout")
        await assert_written_once(ada, job, model)


async def test_a_request_that_gets_no_connection_is_told_that_it_took_too_long_and_can_be_sent_again(database_url: str):
    database = Database(database_url, pool_size=CONNECTIONS)
    async with serving(database) as api:
        hurried = replace(api, limits=Limits(mutation_seconds=PATIENCE))
        request = {"chapterId": await api.chapter(await api.project()), "idempotencyKey": "sent again"}
        async with AsyncExitStack() as all_taken:
            for _ in range(CONNECTIONS):
                await all_taken.enter_async_context(database.as_worker())
            with pytest.raises(Refused) as refused:
                await hurried.mutate("startChapterGeneration", "id", **request)
            waiting = asyncio.create_task(api.mutate("startChapterGeneration", "id", **request))
        (error,) = refused.value.errors
        assert isinstance(error.original_error, RequestError)
        assert error.original_error.code == ErrorCode.TIMEOUT
        job = await waiting
        assert await api.mutate("startChapterGeneration", "id", **request) == job
    await database.close()


def let_write(cluster: Cluster, database: str, *, allowed: bool) -> None:
    """From the next connection on, and there is none left from before."""
    cluster.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = {'off' if allowed else 'on'}")
    with psycopg.connect(cluster.url(database), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def until_logged(caplog: pytest.LogCaptureFixture, message: str, reason: str) -> None:
    def is_logged() -> bool:
        return any(record.getMessage() == message and record.exc_info and reason in str(record.exc_info[1]) for record in caplog.records)

    async with asyncio.timeout(SECONDS):
        while not is_logged():  # noqa: ASYNC110  - a log tells nobody
            await asyncio.sleep(LOOK_SECONDS)
