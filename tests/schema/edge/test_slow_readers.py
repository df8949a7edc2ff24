"""Clients that stop reading: what is kept for them is bounded, and they are dropped."""

import asyncio
import json
import socket
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect

from schema.edge.limits import Limits
from tests.schema.edge.http_client import EVENT_STREAM, MULTIPART
from tests.schema.edge.toy import Observed, server_of, token, toy_edge

# No larger than what can be on its way to a client anyway.
SHORT = Limits(send_seconds=0.2, close_seconds=0.1, heartbeat_seconds=0.05)


@asynccontextmanager
async def stalled(address, lines):
    """A client that asks and never reads, with little room for what it is sent."""
    host, port = address.split(":")
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect((host, int(port)))
    client.sendall(lines)
    try:
        yield client
    finally:
        client.close()


def posted(body, *, accept):
    content = json.dumps(body).encode()
    head = [
        "POST /graphql HTTP/1.1",
        "Host: x",
        f"Authorization: Bearer {token()}",
        f"Accept: {accept}",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + content


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - there is nothing that would say so
            await asyncio.sleep(0.005)


async def until_dropped(server):
    await until(lambda: not server.server_state.connections and not server.server_state.tasks)


@pytest.mark.parametrize("accept", [EVENT_STREAM, MULTIPART])
async def test_a_stream_that_nobody_reads_is_ended_and_its_connection_dropped(accept):
    observed = Observed()
    async with (
        server_of(toy_edge(observed, limits=SHORT)) as (address, server),
        stalled(address, posted({"query": "subscription { flood }"}, accept=accept)),
    ):
        await observed.until_running("flood", 1)
        await observed.until_running("flood", 0)
        await until_dropped(server)


async def test_an_answer_that_nobody_reads_is_dropped(caplog):
    observed = Observed()
    async with (
        server_of(toy_edge(observed, limits=SHORT)) as (address, server),
        stalled(address, posted({"query": "{ pages(number: 5) }"}, accept="application/json")),
    ):
        await until(lambda: server.server_state.tasks)
        await until_dropped(server)
    assert not caplog.records


async def test_a_socket_that_nobody_reads_is_dropped_with_all_its_operations():
    observed = Observed()
    async with (
        server_of(toy_edge(observed, limits=SHORT)) as (address, server),
        connect(f"ws://{address}/graphql", subprotocols=["graphql-transport-ws"], max_queue=1, max_size=None) as client,
    ):
        await client.send(json.dumps({"type": "connection_init", "payload": {"authorization": token()}}))
        await client.recv()
        for name in ("1", "2", "3"):
            await client.send(json.dumps({"id": name, "type": "subscribe", "payload": {"query": "subscription { flood }"}}))
        await observed.until_running("flood", 3)
        client.transport.pause_reading()
        await observed.until_running("flood", 0)
        await until_dropped(server)
        client.transport.abort()


async def test_a_client_that_answers_no_ping_is_dropped():
    observed = Observed()
    async with (
        server_of(toy_edge(observed), ws_ping_interval=0.05, ws_ping_timeout=0.05) as (address, server),
        connect(f"ws://{address}/graphql", subprotocols=["graphql-transport-ws"]) as client,
    ):
        client.transport.pause_reading()
        await until_dropped(server)
        client.transport.abort()


async def test_answers_to_pings_that_nobody_reads_are_not_kept():
    async with (
        server_of(toy_edge(Observed())) as (address, server),
        connect(f"ws://{address}/graphql", subprotocols=["graphql-transport-ws"]) as client,
    ):
        [connection] = server.server_state.connections
        client.transport.pause_reading()
        # More than both kernels' buffers can hold.
        for _ in range(100):
            for number in range(1_000):
                client.protocol.send_ping(number.to_bytes(4) * 30)
            client.transport.write(b"".join(client.protocol.data_to_send()))
            await until(lambda: not client.transport.get_write_buffer_size())
        assert connection.transport.get_write_buffer_size() < 200_000
        client.transport.abort()
