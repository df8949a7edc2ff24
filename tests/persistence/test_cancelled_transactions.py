"""Five connections among three tenants and a worker, whose operations are cancelled wherever they are.

Whatever happens, nobody sees another's rows, and in the end no connection is inside a transaction, acts for anybody, or is missing.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain.access import User
from persistence.connection import Connection
from persistence.database import Database
from persistence.library import PostgresLibrary
from tests.factories import add_chapters, add_project, add_user

CONNECTIONS = 5
OPERATIONS = 3000
AT_ONCE = 8
CANCELLED = 0.6
FURTHEST = 400
"""So many turns of the event loop are about as long as an operation."""

SEEN = text("SELECT DISTINCT project_id FROM chapter")
WHO = text("SELECT current_user::text, coalesce(current_setting('app.user_id', true), '')")
NOTE = text("UPDATE project SET premise = :premise")
FAIL = text("SELECT 1 / 0")
SLEEP = text("SELECT pg_sleep(0.02)")
OF_SESSIONS = """
    SELECT pid, state, backend_xid FROM pg_stat_activity
    WHERE datname = current_database() AND usename = 'scriptorium' AND backend_type = 'client backend'
"""
SECONDS = 5


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, pool_size=CONNECTIONS)
    yield database
    await database.close()


async def operate(database: Database, owner: User, project_id: UUID, chance: random.Random) -> None:
    kind = chance.choice(["read", "read", "read", "write", "fail", "nested", "sleep", "work"])
    if kind == "work":
        async with database.as_worker() as connection:
            assert tuple((await connection.execute(WHO)).one()) == ("scriptorium_worker", "")
        return
    with suppress(DBAPIError):
        async with database.as_user(owner.id, read_only=kind == "read") as connection:
            assert tuple((await connection.execute(WHO)).one()) == ("scriptorium_app", str(owner.id))
            await act(connection, kind, owner)
            assert await connection.scalars(SEEN) == [project_id]


async def act(connection: Connection, kind: str, owner: User) -> None:
    match kind:
        case "write":
            await connection.execute(NOTE, {"premise": str(owner.id)})
        case "fail":
            await connection.execute(FAIL)
        case "nested":
            with suppress(DBAPIError):
                async with connection.begin_nested():
                    await connection.execute(FAIL)
        case "sleep":
            await connection.execute(SLEEP)


async def cancelled_somewhere(operation: asyncio.Task[None], chance: random.Random) -> bool:
    """And once more while it cleans up, sometimes."""
    for _ in range(chance.choice([1, 1, 1, 2])):
        for _ in range(chance.randrange(FURTHEST)):
            await asyncio.sleep(0)
        operation.cancel()
    await asyncio.wait({operation})
    return operation.cancelled()


async def test_no_cancelled_operation_leaves_anything_to_the_next(database: Database, owner_url: str) -> None:
    library, chance = PostgresLibrary(database), random.Random(20)
    owners = [await add_user(library, f"user {number}") for number in range(3)]
    projects = {owner.id: await add_project(library, owner) for owner in owners}
    for owner in owners:
        await add_chapters(library, owner, projects[owner.id], 2)
    numbers = iter(range(OPERATIONS))
    cancelled = 0

    async def work_off() -> None:
        nonlocal cancelled
        for number in numbers:
            owner = owners[number % len(owners)]
            operation = asyncio.create_task(operate(database, owner, projects[owner.id].id, chance))
            if chance.random() < CANCELLED and await cancelled_somewhere(operation, chance):
                cancelled += 1
            else:
                await operation

    await asyncio.gather(*(work_off() for _ in range(AT_ONCE)))
    assert cancelled > OPERATIONS / 10
    await assert_all_connections_are_as_new(database)
    with psycopg.connect(owner_url, autocommit=True) as owner_of_all:
        await wait_until_server_has(owner_of_all, len(database._pool._idle))
        assert {row[1:] for row in owner_of_all.execute(OF_SESSIONS)} == {("idle", None)}
        written = owner_of_all.execute("SELECT premise, user_id FROM project JOIN project_member ON project_id = id").fetchall()
        assert [premise for premise, _ in written] == [str(user_id) for _, user_id in written]
        await database.close()
        await wait_until_server_has(owner_of_all, 0)


async def assert_all_connections_are_as_new(database: Database) -> None:
    pool = database._pool
    assert pool.in_use == 0
    taken = [await pool.take() for _ in range(CONNECTIONS)]
    assert not pool._idle
    assert {*taken} == {*pool._opened}
    for driver in taken:
        assert not driver.is_in_transaction()
        assert await driver.fetchrow("SELECT current_user::text, current_setting('app.user_id', true)") in [
            ("scriptorium", None),  # opened just now
            ("scriptorium", ""),
        ]
        pool.give_back(driver)


async def wait_until_server_has(owner: psycopg.Connection, sessions: int) -> None:
    """A server needs a moment to notice that a client has left."""
    async with asyncio.timeout(SECONDS):
        while len(owner.execute(OF_SESSIONS).fetchall()) != sessions:  # noqa: ASYNC110  - another process's doing: there is nothing to wait for
            await asyncio.sleep(0.02)
