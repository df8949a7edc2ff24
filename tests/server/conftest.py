"""One running application, with its model and its database, for all tests of a module."""

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest

from commands.demo.client import Client
from tests.conftest import APPLICATION_LOGIN
from tests.factories import Cluster
from tests.fakes.judge import Judge
from tests.fakes.model_server import ScriptedModelServer
from tests.server.caller import Caller
from tests.server.contents import Contents
from tests.server.running import Running, running
from tests.server.shelf import Shelf, fill_shelf

# Longer than any module takes: no renewal of a lease changes a row behind a test that compares all rows.
LEASE_SECONDS = 3600


@pytest.fixture(scope="module")
def shared_database(cluster: Cluster, template: str, database_names: Iterator[str]) -> Iterator[str]:
    name = next(database_names)
    cluster.create_database(name, template=template)
    yield name
    cluster.drop_database(name)


@pytest.fixture(scope="module")
async def shared_model() -> AsyncIterator[ScriptedModelServer]:
    async with ScriptedModelServer() as server:
        yield server


@pytest.fixture(scope="module")
async def shared_app(cluster: Cluster, shared_database: str, shared_model: ScriptedModelServer) -> AsyncIterator[Running]:
    address = cluster.url(shared_database, login=APPLICATION_LOGIN)
    async with running(address, model_url=shared_model.url, lease_seconds=LEASE_SECONDS) as served:
        yield served


@pytest.fixture(scope="module")
def contents(cluster: Cluster, shared_database: str) -> Iterator[Contents]:
    with psycopg.connect(cluster.url(shared_database), autocommit=True) as connection:
        yield Contents(connection)


@pytest.fixture(scope="module")
async def ada(shared_app: Running) -> AsyncIterator[Caller]:
    async with shared_app.client("ada") as client:
        yield Caller(client)


@pytest.fixture(scope="module")
async def own(shared_app: Running) -> Shelf:
    """What Ada has."""
    return await fill_shelf(shared_app, "ada")


@pytest.fixture(scope="module")
async def foreign(shared_app: Running) -> Shelf:
    """What Ben has, and Ada may not see."""
    return await fill_shelf(shared_app, "ben")


@pytest.fixture
def model(shared_model: ScriptedModelServer, judge: Judge) -> ScriptedModelServer:
    """The model of modules that have a `judge`, who answers for it."""
    shared_model.calls.clear()
    shared_model.default = judge
    return shared_model


@pytest.fixture
def client(ada: Caller, model: ScriptedModelServer) -> Client:
    """Hers, with the judge behind the application."""
    return ada.client
