"""The pool bounds how many connections there are, and hands on none of which it is not certain."""

import asyncio
import traceback
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import cast
from uuid import uuid4

import asyncpg
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

import persistence.database
from persistence import pool
from persistence.connection import Driver
from persistence.database import Database, Transaction
from persistence.diagnosis import NOBODY, is_away, is_reachable
from persistence.library import PostgresLibrary
from persistence.pool import Pool
from tests.factories import Cluster, add_user

SIZE = 2
BACKEND = text("SELECT pg_backend_pid()")
SECRET = "Not for the log."


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, pool_size=SIZE)
    yield database
    await database.close()


class MuteDriver:
    """Of a server that takes everything and answers nothing."""

    def __init__(self) -> None:
        self._closed = False

    @classmethod
    async def connect(cls) -> Driver:
        return cast("Driver", cls())

    async def execute(self, sql: str) -> str:
        if sql == "BEGIN":
            raise TimeoutError
        return str(await asyncio.get_running_loop().create_future())

    def is_in_transaction(self) -> bool:
        return False

    def is_closed(self) -> bool:
        return self._closed

    def terminate(self) -> None:
        self._closed = True


async def backend(database: Database) -> int:
    async with database.as_worker() as connection:
        return int(await connection.scalar(BACKEND))


async def test_a_connection_is_used_again(database: Database) -> None:
    assert await backend(database) == await backend(database)


async def test_the_connection_used_last_is_taken_first() -> None:
    """The others grow old, and are closed."""
    drivers = Pool(MuteDriver.connect, size=3)
    first, second, third = [await drivers.take() for _ in range(3)]
    for driver in (second, third, first):
        drivers.give_back(driver)
    assert [await drivers.take() for _ in range(3)] == [first, third, second]


async def test_there_are_never_more_connections_than_allowed_and_everyone_gets_one_in_turn(database: Database) -> None:
    assert len({*await asyncio.gather(*(backend(database) for _ in range(10)))}) <= SIZE
    assert database._pool.in_use == 0


async def test_who_waits_too_long_for_a_connection_is_told(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "CHECKOUT_SECONDS", 0.01)
    async with database.as_worker(), database.as_worker():
        with pytest.raises(PoolTimeoutError):
            await backend(database)
    assert await backend(database)


async def test_an_old_connection_is_replaced(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await backend(database)
    monkeypatch.setattr(pool, "RECYCLE_SECONDS", -1)
    assert await backend(database) != first


async def test_after_an_error_the_transaction_is_undone_and_its_connection_serves_the_next(database: Database) -> None:
    first = await backend(database)
    with pytest.raises(DBAPIError, match="division by zero"):
        async with database.as_worker() as connection:
            await connection.execute(text("SELECT 1 / 0"))
    assert await backend(database) == first


async def test_a_transaction_is_not_committed_in_silence_when_a_statement_in_it_has_failed(database: Database) -> None:
    ada = await add_user(PostgresLibrary(database))

    async def fail_unheard() -> None:
        async with database.as_user(ada.id) as connection:
            with suppress(DBAPIError):
                await connection.execute(text("SELECT 1 / 0"))

    with pytest.raises(DBAPIError, match="nothing is committed"):
        await fail_unheard()
    assert database._pool.in_use == 0


async def test_a_connection_that_was_lost_is_away_for_every_statement_after_that(database: Database, owner_url: str) -> None:
    async def go_on() -> None:
        async with database.as_worker() as connection:
            with psycopg.connect(owner_url) as owner:
                owner.execute("SELECT pg_terminate_backend(%s)", [await connection.scalar(BACKEND)])
            for _ in range(2):
                with pytest.raises(DBAPIError) as lost:
                    await connection.execute(BACKEND)
                assert is_away(lost.value)

    with pytest.raises(DBAPIError) as lost:
        await go_on()
    assert is_away(lost.value)
    assert await backend(database)


async def test_a_connection_that_is_lost_while_it_is_made_ready_is_away(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Driver] = []

    async def lose(driver: Driver) -> None:
        opened.append(driver)
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

    monkeypatch.setattr(persistence.database, "make_ready", lose)
    with pytest.raises(DBAPIError) as lost:
        await backend(database)
    assert is_away(lost.value)
    assert opened[0].is_closed()
    assert not await is_reachable(database)
    assert database._pool.in_use == 0


async def test_after_a_migration_no_more_than_one_transaction_meets_what_was_prepared_before(database: Database, owner_url: str) -> None:
    look = text("SELECT number FROM old_and_new")

    async def read(*, both: asyncio.Barrier) -> None:
        async with database.as_worker() as connection, both:
            await connection.execute(look)

    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute("CREATE TABLE old_and_new (number integer); GRANT SELECT ON old_and_new TO scriptorium_worker")
        both = asyncio.Barrier(SIZE)
        await asyncio.gather(*(read(both=both) for _ in range(SIZE)))
        owner.execute("ALTER TABLE old_and_new ALTER number TYPE bigint")
        with pytest.raises(DBAPIError, match="cached statement plan is invalid"):
            await read(both=asyncio.Barrier(1))
        await asyncio.gather(*(read(both=both) for _ in range(SIZE)))
        owner.execute("DROP TABLE old_and_new")


@pytest.mark.parametrize(("number", "note"), [(1, SECRET), (SECRET, "Any.")], ids=["what a row holds", "what a parameter holds"])
async def test_an_error_says_nothing_of(database: Database, number: object, note: str) -> None:
    """Neither does what it was made of, which tracebacks show as well."""
    async with database.as_worker() as connection:
        await connection.execute(text("CREATE TEMPORARY TABLE noted (number integer, note text CHECK (length(note) < 9)) ON COMMIT DROP"))
        with pytest.raises(DBAPIError) as refused:
            await connection.execute(text("INSERT INTO noted VALUES (:number, :note)"), {"number": number, "note": note})
        await connection.execute(text("ROLLBACK"))
    assert SECRET not in "".join(traceback.format_exception(refused.value))


async def test_a_connection_left_inside_a_transaction_is_not_handed_on(database: Database) -> None:
    taken: Driver = await database._pool.take()
    await taken.execute("BEGIN")
    first = await taken.fetchval("SELECT pg_backend_pid()")
    database._pool.give_back(taken)
    assert await backend(database) != first


async def test_a_cancelled_statement_leaves_a_connection_outside_any_transaction(database: Database) -> None:
    started = asyncio.Event()

    async def sleep() -> None:
        async with database.as_user(NOBODY) as connection:
            started.set()
            await connection.execute(text("SELECT pg_sleep(30)"))

    task = asyncio.create_task(sleep())
    await started.wait()
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert database._pool.in_use == 0
    taken = await database._pool.take()
    assert not taken.is_in_transaction()
    assert await taken.fetchval("SELECT current_user::text") == "scriptorium"
    database._pool.give_back(taken)


async def test_nothing_is_executed_in_a_transaction_that_has_ended(database: Database) -> None:
    """Its connection may be inside another's by then."""
    async with database.as_user(NOBODY) as ended:
        pass
    async with database.as_worker() as connection:
        for attempt in (ended.execute(BACKEND), ended.execute_many(text("SELECT :n"), [{"n": 1}])):
            with pytest.raises(DBAPIError, match="has ended"):
                await attempt
        assert await connection.scalar(BACKEND)


async def test_a_connection_whose_server_does_not_answer_is_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even when it looks as if no transaction had begun: it is the answer to BEGIN that is missing."""
    monkeypatch.setattr(pool, "ROLLBACK_SECONDS", 0.01)
    mute = Pool(MuteDriver.connect, size=1)
    with pytest.raises(TimeoutError):
        async with Transaction(mute, "BEGIN"):
            pass
    assert not mute._idle
    taken = await mute.take()
    monkeypatch.setattr(pool, "ROLLBACK_SECONDS", 60)
    giving_up = asyncio.create_task(mute.give_up(taken))
    await asyncio.sleep(0)
    giving_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await giving_up
    assert taken.is_closed()
    assert not mute._idle
    assert not mute._opened
    assert mute.in_use == 0


async def test_what_cannot_be_begun_gives_its_connection_back(database: Database) -> None:
    with pytest.raises(DBAPIError, match="does not exist"):
        async with Transaction(database._pool, "BEGIN; SET LOCAL ROLE nobody_at_all"):
            pass
    assert database._pool.in_use == 0


async def test_what_cannot_be_committed_is_an_error_and_gives_its_connection_back(database: Database) -> None:
    ada = await add_user(PostgresLibrary(database))
    of_no_project = text("INSERT INTO project_member VALUES (:project, :user, 'OWNER', now())")
    with pytest.raises(IntegrityError, match="project_member_project_id_fkey"):
        async with database.as_user(ada.id) as connection:
            await connection.execute(of_no_project, {"project": uuid4(), "user": ada.id})
    assert database._pool.in_use == 0


async def test_connections_in_use_when_the_pool_is_closed_are_closed_when_they_come_back(database: Database) -> None:
    taken = await database._pool.take()
    await database.close()
    database._pool.give_back(taken)
    assert taken.is_closed()


async def test_a_database_that_cannot_be_connected_to_is_not_reachable(cluster: Cluster) -> None:
    missing = Database(cluster.url("no_such_database"))
    assert not await is_reachable(missing)
    with pytest.raises(DBAPIError, match="no_such_database") as refused:
        await backend(missing)
    assert isinstance(refused.value.orig, asyncpg.InvalidCatalogNameError)
    assert missing._pool.in_use == 0


@pytest.mark.parametrize("waiting", [1, SIZE])
async def test_connections_that_the_server_has_closed_while_they_waited_are_replaced_before_anybody_notices(
    database: Database, owner_url: str, waiting: int
):
    transactions = [database.as_user(NOBODY, read_only=True) for _ in range(waiting)]
    backends = [await (await transaction.__aenter__()).scalar(BACKEND) for transaction in transactions]
    for transaction in transactions:
        await transaction.__aexit__(None, None, None)
    # Without a turn of the event loop in between, in which the driver would hear of it.
    with psycopg.connect(owner_url, autocommit=True) as owner:
        for backend in backends:
            owner.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
    for _ in range(SIZE):
        async with database.as_user(NOBODY, read_only=True) as connection:
            assert await connection.scalar(BACKEND) not in backends
    assert database._pool.in_use == 0
