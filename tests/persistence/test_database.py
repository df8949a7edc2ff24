"""Transactions act for exactly one user, and a connection forgets whom it acted for."""

import asyncio
import random
from contextlib import suppress
from uuid import UUID

import asyncpg
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain.access import User
from domain.ports import Library
from persistence.database import Database
from persistence.library import PostgresLibrary
from tests.factories import Cluster, add_chapters, add_project, add_user

WHO = text("SELECT current_user, session_user, current_setting('app.user_id', true), current_setting('transaction_read_only')")
SLOW = text("SELECT pg_sleep(30)")


class HostileId(UUID):
    """Says of itself what is no id."""

    def __str__(self) -> str:
        return "'; RESET ROLE; --"

    def __format__(self, form: str) -> str:
        return str(self)

    __repr__ = __str__


async def test_a_transaction_acts_for_its_user_in_a_role_without_rights_of_its_own(database: Database, library: Library) -> None:
    ada = await add_user(library)
    async with database.as_user(ada.id) as connection:
        assert tuple((await connection.execute(WHO)).one()) == ("scriptorium_app", "scriptorium", str(ada.id), "off")
    async with database.as_user(ada.id, read_only=True) as connection:
        assert tuple((await connection.execute(WHO)).one())[3] == "on"
    async with database.as_worker() as connection:
        role, _, user_id, _ = (await connection.execute(WHO)).one()
        assert (role, user_id or "") == ("scriptorium_worker", "")


@pytest.mark.parametrize("read_only", [False, True])
async def test_whatever_an_id_says_of_itself_its_number_is_whom_a_transaction_acts_for(database: Database, read_only: bool) -> None:
    hostile = HostileId(int=7)
    async with database.as_user(hostile, read_only=read_only) as connection:
        role, _, user_id, _ = (await connection.execute(WHO)).one()
    assert (role, user_id) == ("scriptorium_app", "00000000-0000-0000-0000-000000000007")


async def test_a_reading_transaction_cannot_write(library: Library) -> None:
    ada = await add_user(library)
    project = await add_project(library, ada)
    with pytest.raises(DBAPIError, match="read-only transaction"):
        async with library.reading(ada.id) as records:
            await records.projects.update(project.id, {"title": "x"})


async def test_statements_end_at_their_deadline(database_url: str) -> None:
    database = Database(database_url, pool_size=1)
    try:
        async with database.as_worker() as connection:
            assert (await connection.execute(text("SHOW statement_timeout"))).scalar_one() == "5s"
            await connection.execute(text("SET LOCAL statement_timeout = '50ms'"))
            with pytest.raises(DBAPIError, match="statement timeout"):
                await connection.execute(SLOW)
            await connection.execute(text("ROLLBACK"))
        async with database.as_worker() as connection:
            assert (await connection.execute(text("SHOW statement_timeout"))).scalar_one() == "5s"
    finally:
        await database.close()


async def test_a_worker_reaches_no_texts(database: Database) -> None:
    for table in ("project", "chapter", "chapter_version", "reference_file", "app_user", "project_member"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with database.as_worker() as connection:
                await connection.execute(text(f"SELECT * FROM {table}"))


async def test_a_connection_that_the_server_has_closed_is_replaced(cluster: Cluster, database_name: str, database: Database) -> None:
    async with database.as_worker() as connection:
        backend = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        closed = asyncio.get_running_loop().create_future()
        connection._driver.add_termination_listener(lambda _: closed.set_result(None))
    cluster.execute(f"SELECT pg_terminate_backend({backend})", database=database_name)
    await asyncio.wait_for(closed, 5)
    async with database.as_worker() as connection:
        assert (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one() != backend


async def test_no_connection_ever_shows_one_user_the_books_of_another(database_url: str) -> None:
    """Many users on few connections, with requests cancelled at any moment."""
    database = Database(database_url, pool_size=3)
    library = PostgresLibrary(database)
    chance = random.Random(11)
    try:
        owners: list[User] = [await add_user(library, f"user {number}") for number in range(6)]
        projects = {owner.id: await add_project(library, owner) for owner in owners}
        for owner in owners:
            await add_chapters(library, owner, projects[owner.id], 1)
        everything = [project.id for project in projects.values()]
        stayed: list[User] = []

        async def look(owner: User, *, slowly: bool) -> None:
            async with database.as_user(owner.id) as connection:
                if slowly:
                    await connection.execute(SLOW)
                seen = await connection.scalars(text("SELECT project_id FROM chapter"))
                assert seen == [projects[owner.id].id]
            async with library.reading(owner.id) as records:
                assert list(await records.projects.get_many(everything)) == [projects[owner.id].id]
            stayed.append(owner)

        async def look_and_perhaps_leave(owner: User) -> None:
            slowly = chance.random() < 0.1
            with suppress(TimeoutError):
                async with asyncio.timeout(chance.choice([0.0005, 0.002, 0.005, 0.02 if slowly else None])):
                    await look(owner, slowly=slowly)

        for _ in range(20):
            await asyncio.gather(*(look_and_perhaps_leave(chance.choice(owners)) for _ in range(20)))
        assert set(stayed) == set(owners)
    finally:
        await database.close()


async def test_a_listening_connection_hears_what_a_transaction_commits(database: Database) -> None:
    listening = await database.connect_for_listening()
    heard: asyncio.Queue[object] = asyncio.Queue()

    def hear(_connection: object, _backend: int, _channel: str, payload: object) -> None:
        heard.put_nowait(payload)

    try:
        await listening.add_listener("news", hear)
        async with database.as_worker() as connection:
            await connection.execute(text("SELECT pg_notify('news', 'one')"))
        assert await asyncio.wait_for(heard.get(), 5) == "one"
    finally:
        await listening.close()


async def test_the_job_engine_logs_in_as_a_worker(database: Database) -> None:
    connection = await psycopg.AsyncConnection.connect(database.dsn_for_engine())
    async with connection:
        cursor = await connection.execute("SELECT current_user::text, session_user::text")
        assert await cursor.fetchone() == ("scriptorium_worker", "scriptorium")


async def test_who_takes_no_role_has_no_rights(database_url: str, cluster: Cluster, database_name: str) -> None:
    connection = await asyncpg.connect(user="scriptorium", database=database_name, host=str(cluster.socket_directory))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT * FROM project")
    finally:
        await connection.close()
