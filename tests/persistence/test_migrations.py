"""Migrations go up, down and up again, agree with the models, and mind whoever else is migrating."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import NullPool, create_engine, text

from domain.access import Role, User
from persistence import migrate
from persistence.database import Database
from persistence.diagnosis import NOBODY
from persistence.library import PostgresLibrary
from persistence.roles import RolesMissing
from persistence.tables.metadata import metadata
from tests.factories import Cluster, add_member, add_project, add_user

CHECKOUT = Path(__file__).parents[2]
APPLICATION_LOGIN = "scriptorium"
CONSTRAINTS = """
    SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f', 'p', 'u') AND conrelid::regclass::text = ANY(%s)
"""
EVERYTHING = """
    SELECT 'relation', relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'function', proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT 'type', typname::text FROM pg_type WHERE typnamespace = 'public'::regnamespace
"""


@pytest.fixture
def empty_url(cluster: Cluster, database_names: Iterator[str]) -> str:
    """A database without a table."""
    name = next(database_names)
    cluster.create_database(name)
    return cluster.url(name)


@pytest.fixture
def changeable_url(cluster: Cluster, template: str, database_names: Iterator[str]) -> str:
    """A migrated database whose tables the test may change: nobody gets it afterwards."""
    name = next(database_names)
    cluster.create_database(name, template=template)
    return cluster.url(name)


def rows(url: str, query: str, *parameters: object) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return sorted(connection.execute(query, parameters).fetchall())  # type: ignore[arg-type, type-var]


def test_going_down_leaves_nothing_and_coming_up_again_gives_the_same(empty_url: str) -> None:
    migrate.upgrade(empty_url, application_role=APPLICATION_LOGIN)
    first = rows(empty_url, EVERYTHING)
    migrate.downgrade(empty_url)
    assert [name for kind, name in rows(empty_url, EVERYTHING) if "alembic_version" not in str(name)] == []
    migrate.upgrade(empty_url, application_role=APPLICATION_LOGIN)
    assert rows(empty_url, EVERYTHING) == first
    assert migrate.check(empty_url) == []


def test_models_and_migrations_say_the_same(owner_url: str, empty_url: str) -> None:
    """Also where Alembic does not look: at check constraints, and at what a foreign key does on deletion."""
    assert migrate.check(owner_url) == []
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(empty_url), poolclass=NullPool)
    metadata.create_all(engine)
    tables = list(metadata.tables)
    assert rows(owner_url, CONSTRAINTS, tables) == rows(empty_url, CONSTRAINTS, tables)


def test_books_from_before_genre_overrides_leave_all_to_their_genre(changeable_url: str) -> None:
    """Also those that a server of the version before adds while it is being replaced."""
    project = """
        INSERT INTO project (id, title, premise, genre, language, style_notes, settings, created_at, updated_at)
        VALUES (gen_random_uuid(), 'The Lighthouse', '', 'MYSTERY', 'en', '', '{}', now(), now())
    """
    migrate.downgrade(changeable_url, "0006")
    with psycopg.connect(changeable_url) as connection:
        connection.execute(project)
    migrate.upgrade(changeable_url, application_role=APPLICATION_LOGIN)
    with psycopg.connect(changeable_url) as connection:
        connection.execute(project)
    assert rows(changeable_url, "SELECT title, genre_override FROM project") == [("The Lighthouse", None)] * 2
    assert migrate.check(changeable_url) == []


async def test_whom_a_user_sees_is_the_same_before_and_after_fellows_are_looked_up(changeable_url: str) -> None:
    """Themselves, and those with whom they share a project: not even that the others are there."""
    database = Database(changeable_url)
    library = PostgresLibrary(database)
    ada, bob, eve = [await add_user(library, each) for each in ("Ada", "Bob", "Eve")]
    await add_member(library, ada, await add_project(library, ada), bob, Role.VIEWER)
    await add_project(library, eve)

    async def seen(by: User | None) -> set[UUID]:
        async with database.as_user(by.id if by else NOBODY, read_only=True) as connection:
            return {*await connection.scalars(text("SELECT id FROM app_user"))}

    try:
        expected = [{ada.id, bob.id}, {ada.id, bob.id}, {eve.id}, set()]
        assert [await seen(by) for by in (ada, bob, eve, None)] == expected
        migrate.downgrade(changeable_url, "0010")
        assert [await seen(by) for by in (ada, bob, eve, None)] == expected
        migrate.upgrade(changeable_url, application_role=None)
        assert [await seen(by) for by in (ada, bob, eve, None)] == expected
    finally:
        await database.close()


def start_upgrade(url: str, application_role: str) -> "subprocess.Popen[bytes]":
    program = f"from persistence import migrate; migrate.upgrade({url!r}, application_role={application_role!r})"
    return subprocess.Popen([sys.executable, "-c", program], cwd=CHECKOUT, stderr=subprocess.PIPE)


def wait_until_blocked(url: str, holder: "psycopg.Connection[tuple[object, ...]]", number: int) -> None:
    """Return when so many sessions wait for what the holder holds."""
    query = "SELECT count(*), pg_sleep(0.02) FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"
    give_up = time.monotonic() + 40
    with psycopg.connect(url, autocommit=True) as observer:
        while (observer.execute(query, (holder.info.backend_pid,)).fetchone() or (0,))[0] < number:
            assert time.monotonic() < give_up


def outcomes(processes: "list[subprocess.Popen[bytes]]") -> list[tuple[str, int]]:
    return [(process.communicate(timeout=40)[1].decode(), process.returncode) for process in processes]


def test_processes_that_migrate_at_once_do_it_one_after_the_other(empty_url: str) -> None:
    with psycopg.connect(empty_url) as holder:
        holder.execute("SELECT pg_advisory_xact_lock(%s)", (migrate.LOCK,))
        processes = [start_upgrade(empty_url, APPLICATION_LOGIN) for _ in range(2)]
        wait_until_blocked(empty_url, holder, len(processes))
        assert rows(empty_url, EVERYTHING) == []
    assert outcomes(processes) == [("", 0)] * 2
    assert migrate.check(empty_url) == []


def test_databases_of_one_server_that_migrate_at_once_share_the_roles(cluster: Cluster, database_names: Iterator[str]) -> None:
    names = [next(database_names) for _ in range(2)]
    login = f"login_of_{names[0]}"
    for name in names:
        cluster.create_database(name)
    with psycopg.connect(cluster.url("postgres")) as holder:
        # Not committed yet: whoever else makes this role has to wait, and then finds it made.
        holder.execute(sql.SQL("CREATE ROLE {} LOGIN NOINHERIT").format(sql.Identifier(login)))
        processes = [start_upgrade(cluster.url(name), login) for name in names]
        wait_until_blocked(cluster.url("postgres"), holder, len(names))
    assert outcomes(processes) == [("", 0)] * len(names)


def test_a_difference_is_reported(changeable_url: str) -> None:
    with psycopg.connect(changeable_url) as connection:
        connection.execute("ALTER TABLE project ADD COLUMN mood text")
    (difference,) = migrate.check(changeable_url)
    assert "mood" in difference


@pytest.fixture
def login(cluster: Cluster, database_names: Iterator[str]) -> str:
    """An ordinary login that owns a database of the same name, as hosting providers hand out."""
    name = f"owner_{next(database_names)}"
    cluster.execute(sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS").format(sql.Identifier(name)))
    cluster.create_database(name, owner=name)
    return name


def test_a_login_that_may_not_grant_roles_is_told_what_an_administrator_must_run(cluster: Cluster, template: str, login: str) -> None:
    url = cluster.url(login, login=login)
    with pytest.raises(RolesMissing) as missing:
        migrate.upgrade(url, application_role=None)
    statements = str(missing.value).partition("run once: ")[2]
    assert "scriptorium_app" in statements
    assert "scriptorium_worker" in statements
    cluster.execute(statements)
    migrate.upgrade(url, application_role=None)
    assert migrate.check(url) == []


@pytest.mark.parametrize("may_create_roles", [False, True])
async def test_an_ordinary_owner_runs_everything_and_is_bound_by_row_security(
    cluster: Cluster, template: str, login: str, may_create_roles: bool
) -> None:
    grants = "ALTER ROLE {} CREATEROLE" if may_create_roles else "GRANT scriptorium_app, scriptorium_worker TO {}"
    cluster.execute(sql.SQL(grants).format(sql.Identifier(login)))
    if may_create_roles:  # since Postgres 16 it may grant only roles that it administers
        cluster.execute(sql.SQL("GRANT scriptorium_app, scriptorium_worker TO {} WITH ADMIN OPTION").format(sql.Identifier(login)))
    url = cluster.url(login, login=login)
    migrate.upgrade(url, application_role=None)
    database = Database(url)
    try:
        library = PostgresLibrary(database)
        ada, bob = await add_user(library), await add_user(library, "Bob")
        project = await add_project(library, ada)
        async with library.reading(ada.id) as records:
            assert list(await records.projects.get_many([project.id])) == [project.id]
        async with library.reading(bob.id) as records:
            assert await records.projects.get_many([project.id]) == {}
            assert list(await records.users.get_many([ada.id, bob.id])) == [bob.id]
        await add_member(library, ada, project, bob, Role.VIEWER)
        async with library.reading(bob.id) as records:
            assert {*await records.users.get_many([ada.id, bob.id])} == {ada.id, bob.id}
    finally:
        await database.close()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM chapter").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            connection.execute(
                "INSERT INTO project_member SELECT gen_random_uuid(), id, 'OWNER', now() FROM app_user LIMIT 1",
            )
