"""A cancel sent to a server that runs no jobs: within a second the worker's process has hung up on the model, and kept what it had."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal

import pytest

from commands.demo import documents
from commands.demo.client import Client
from tests.conftest import APPLICATION_LOGIN
from tests.factories import Cluster
from tests.fakes.database_proxy import DatabaseProxy
from tests.fakes.model_server import ScriptedModelServer, hold
from tests.reliability.processes import working
from tests.server import story
from tests.server.running import running

WRITTEN = "The lamp burned low,"
AT_MOST = 1.0  # seconds from the request to the closed socket
SECONDS = 20
LISTENER = "scriptorium listener"
BUDGET = "query($id: ID!) { job(id: $id) { project { budget { spent reserved } } } }"


@pytest.fixture(scope="module")
def name(cluster: Cluster, template: str, database_names: Iterator[str]) -> Iterator[str]:
    name = next(database_names)
    cluster.create_database(name, template=template)
    yield name
    cluster.drop_database(name)


@pytest.fixture(scope="module")
async def proxy(cluster: Cluster) -> AsyncIterator[DatabaseProxy]:
    """The worker's way to the database."""
    async with DatabaseProxy(cluster.socket_directory) as proxy:
        yield proxy


@pytest.fixture(scope="module")
async def model(
    cluster: Cluster, name: str, proxy: DatabaseProxy, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ScriptedModelServer]:
    """That of a `scriptorium worker`. It begins, and is never done."""
    folder = tmp_path_factory.mktemp("worker")
    async with (
        ScriptedModelServer(default=hold(asyncio.Event(), WRITTEN)) as model,
        working(folder, database_url=proxy.url(cluster.url(name)), model_url=model.url),
    ):
        yield model


@pytest.fixture(scope="module")
async def ada(cluster: Cluster, name: str) -> AsyncIterator[Client]:
    async with running(cluster.url(name, login=APPLICATION_LOGIN), workers_in_process=0) as api, api.client() as client:
        yield client


async def assert_cancelled_in_time(ada: Client, model: ScriptedModelServer) -> None:
    chapter = await story.new_chapter(ada)
    job = await story.start(ada, chapter)
    await story.watch(ada, job, until=story.has_text)
    number = len(model.calls)
    asked_at = asyncio.get_running_loop().time()
    await ada.change(documents.CANCEL, jobId=job)
    call = await model.disconnected(number)
    assert call.disconnected_at is not None
    assert call.disconnected_at - asked_at < AT_MOST

    async with asyncio.timeout(SECONDS):
        events = await story.watch(ada, job)
    ended = await story.job(ada, job)
    assert events[-1]["job"]["status"] == ended["status"] == "CANCELLED"
    assert (ended["result"]["origin"], ended["result"]["text"]) == ("PARTIAL", WRITTEN)
    assert {step["name"]: (step["status"], step["uncertain"]) for step in ended["steps"]} == {
        "context": ("SUCCEEDED", False),
        "draft/1": ("SUCCEEDED", False),
    }
    assert ended["usage"]["calls"] == 1
    spent = (await ada.ask(BUDGET, id=job))["job"]["project"]["budget"]
    assert 0 < Decimal(spent["spent"]) == Decimal(ended["usage"]["cost"])
    assert Decimal(spent["reserved"]) == 0
    assert (await story.chapter(ada, chapter))["currentVersion"] is None


async def test_a_cancel_reaches_the_model_of_another_process_within_a_second(ada: Client, model: ScriptedModelServer):
    await assert_cancelled_in_time(ada, model)


async def test_a_cancel_reaches_a_worker_that_hears_no_notification_as_soon(ada: Client, model: ScriptedModelServer, proxy: DatabaseProxy):
    proxy.refuse(LISTENER)
    try:
        await assert_cancelled_in_time(ada, model)
    finally:
        proxy.admit(LISTENER)
