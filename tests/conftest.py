"""A real Postgres for every test that asks: one server a run, one migrated template a process, and clones of it to work in.

Nothing is dropped: that would cost a checkpoint each, and the whole server is thrown away in the end.
"""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest

from persistence import migrate
from persistence.database import Database
from persistence.embedded import EmbeddedPostgres
from persistence.library import PostgresLibrary
from tests.factories import Cluster, DatabasePool

APPLICATION_LOGIN = "scriptorium"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The server, shared by all processes of one run."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    # Not pytest's own folder for temporary files: nobody else may enter that, and started by root the server runs as somebody else.
    root = Path(tempfile.gettempdir()) / f"scriptorium-tests-{run}"
    root.mkdir(mode=0o755, exist_ok=True)
    server = EmbeddedPostgres(root, durable=False, max_connections=300)
    address = server.start()
    try:
        yield Cluster(address.socket_directory)
    finally:
        server.stop()
        if server_is_gone(address.socket_directory):
            shutil.rmtree(root, ignore_errors=True)


def server_is_gone(socket_directory: Path) -> bool:
    return not list(socket_directory.glob(".s.PGSQL.*"))


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> str:
    name = f"template_{os.environ.get('PYTEST_XDIST_WORKER', 'only')}"
    cluster.create_database(name)
    migrate.upgrade(cluster.url(name), application_role=APPLICATION_LOGIN)
    return name


@pytest.fixture(scope="session")
def database_names() -> Iterator[str]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "only")
    return (f"test_{worker}_{number}" for number in count(1))


@pytest.fixture(scope="session")
def databases(cluster: Cluster, template: str, database_names: Iterator[str]) -> DatabasePool:
    return DatabasePool(cluster, template=template, names=database_names)


@pytest.fixture
def database_name(databases: DatabasePool) -> Iterator[str]:
    """A migrated database without a row in it."""
    with databases.borrow() as name:
        yield name


@pytest.fixture
def database_url(cluster: Cluster, database_name: str) -> str:
    """The fresh database as the application logs in to it: an ordinary role that owns nothing."""
    return cluster.url(database_name, login=APPLICATION_LOGIN)


@pytest.fixture
def owner_url(cluster: Cluster, database_name: str) -> str:
    """The same database as the superuser who owns its tables, and whom row security does not bind."""
    return cluster.url(database_name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
def library(database: Database) -> PostgresLibrary:
    return PostgresLibrary(database)
