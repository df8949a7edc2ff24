"""The application's own subscription over every transport, and what clients hear while its database is away."""

import asyncio
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError

from commands.demo import documents
from tests.conftest import APPLICATION_LOGIN
from tests.factories import Cluster
from tests.fakes.database_proxy import DatabaseProxy
from tests.fakes.model_server import ScriptedModelServer
from tests.schema.edge.http_client import EVENT_STREAM, MULTIPART, answered, events, parts
from tests.server import story
from tests.server.caller import Caller
from tests.server.running import Running, running, token_for

POOL = ""  # its connections give themselves no name


@pytest.fixture
async def finished(shared_app: Running, ada: Caller) -> str:
    """The id of a job that has ended."""
    job_id = await story.start(ada.client, await story.new_chapter(ada.client))
    await story.watch(ada.client, job_id)
    return job_id


@pytest.mark.parametrize("accept", [EVENT_STREAM, MULTIPART])
async def test_a_job_is_followed_over_http_as_it_is_over_a_socket(shared_app: Running, ada: Caller, finished: str, accept: str):
    over_socket = await story.watch(ada.client, finished)
    host = shared_app.address.removeprefix("http://")
    body = {"query": documents.EVENTS, "variables": {"jobId": finished}}
    response = await answered(host, body, accept=accept, presented=token_for("ada"))
    replies = (
        [part["payload"] for part in parts(response.text) if part]
        if accept == MULTIPART
        else [data for event, data in events(response.text) if event == "next"]
    )
    assert [reply["data"]["jobEvents"] for reply in replies] == over_socket
    assert over_socket[-1]["__typename"] == "JobFinished"
    later = {"query": documents.EVENTS, "variables": {"jobId": finished, "after": over_socket[-2]["cursor"]}}
    rest = await answered(host, later, accept=EVENT_STREAM, presented=token_for("ada"))
    assert [data["data"]["jobEvents"] for event, data in events(rest.text) if event == "next"] == over_socket[-1:]


async def test_who_may_not_see_a_job_hears_nothing_of_it_over_http(shared_app: Running, finished: str):
    host = shared_app.address.removeprefix("http://")
    body = {"query": documents.EVENTS, "variables": {"jobId": finished}}
    said = events((await answered(host, body, presented=token_for("ben"))).text)
    assert [event for event, _ in said] == ["next", "complete"]
    assert "data" not in said[0][1]


async def test_while_the_database_is_away_clients_are_told_to_come_back(cluster: Cluster, database_name: str):
    async with (
        ScriptedModelServer() as model,
        DatabaseProxy(cluster.socket_directory) as proxy,
        running(proxy.url(cluster.url(database_name, login=APPLICATION_LOGIN)), model_url=model.url, workers_in_process=0) as served,
    ):
        proxy.refuse(POOL)
        host = served.address.removeprefix("http://")
        response = await answered(host, "{ viewer { user { name } } }", accept="application/json", presented=token_for("ada"))
        assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (503, "INTERNAL_SERVER_ERROR")
        assert await _closing_code(host) == 1013
        proxy.admit(POOL)
        async with served.client("ada") as client:
            assert await client.ask("{ viewer { user { name } } }") == {"viewer": {"user": {"name": "Ada"}}}


async def _closing_code(host: str) -> int | None:
    async with connect(f"ws://{host}/graphql", subprotocols=["graphql-transport-ws"]) as connection:  # type: ignore[list-item]
        await connection.send(json.dumps({"type": "connection_init", "payload": {"authorization": token_for("ada")}}))
        async with asyncio.timeout(10):
            with pytest.raises(ConnectionClosedError):
                await connection.recv()
        return connection.close_code
