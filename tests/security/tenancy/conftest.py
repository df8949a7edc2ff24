"""One world for all tests of a process: whoever changes it puts it back."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import httpx2
import pytest

from tests.factories import Cluster, DatabasePool
from tests.security.tenancy.walls import without_filters, without_row_security
from tests.security.tenancy.world import World, new_world
from tests.server.running import Running, running

BOTH = "both walls"
ROW_SECURITY = "row security alone"
FILTERS = "filters alone"


@pytest.fixture(scope="session")
async def world(cluster: Cluster, databases: DatabasePool) -> AsyncIterator[World]:
    async with new_world(cluster, databases) as world:
        yield world


@pytest.fixture(scope="module", params=[BOTH, ROW_SECURITY, FILTERS])
def walls(request: pytest.FixtureRequest, world: World) -> Iterator[str]:
    """The walls that stand."""
    with ExitStack() as without:
        if request.param == ROW_SECURITY:
            without.enter_context(without_filters())
        if request.param == FILTERS:
            without.enter_context(without_row_security(world.contents.connection))
        yield request.param


@pytest.fixture
def changing(world: World) -> Iterator[World]:
    """The world, for a test that changes it."""
    yield world
    world.contents.put_back()


@pytest.fixture(scope="module")
async def server(world: World) -> AsyncIterator[Running]:
    """The whole application over the same database, without workers: nothing changes by itself."""
    async with running(world.url, workers_in_process=0) as served:
        yield served


@pytest.fixture(scope="module")
async def http(server: Running) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=server.address, timeout=20) as client:
        yield client
