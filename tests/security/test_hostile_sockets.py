"""What only a real socket can carry: frames in fragments, frames that are none, other protocols, and clients that vanish."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any, Final

import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from commands.http_server import server_config
from schema.edge.limits import Limits
from tests.schema.edge.toy import Observed, token, toy_edge
from tests.security.frame_oracle import FRAME_BYTES, MOST_OPERATIONS, VALID, Oracle
from tests.security.hostile_frames import HostileFrames
from tests.security.test_hostile_frames import PING, PONG

SEED: Final = 20261126
SEQUENCES: Final = 120
LIMITS = Limits(frame_bytes=FRAME_BYTES, operations_per_socket=MOST_OPERATIONS)
PATIENCE_SECONDS: Final = 10


@asynccontextmanager
async def served(observed: Observed) -> AsyncIterator[str]:
    """As `scriptorium serve` does it."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = server_config(toy_edge(observed, limits=LIMITS), LIMITS, lifespan="off")
    server = uvicorn.Server(config)
    # Not `serve`, which takes over the signal handlers of the test run.
    serving = asyncio.create_task(server._serve(sockets=[listener]))
    try:
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}/graphql"
    finally:
        server.should_exit = True
        await serving


@pytest.fixture(scope="module")
def observed() -> Observed:
    return Observed()


@pytest.fixture(scope="module")
async def address(observed: Observed) -> AsyncIterator[str]:
    async with served(observed) as url:
        yield url


@pytest.fixture(autouse=True)
async def nobody_else_is_disturbed(address: str, observed: Observed, caplog: pytest.LogCaptureFixture):
    """Somebody who watches all the time, and a log without a fault."""
    async with connect(address, subprotocols=["graphql-transport-ws"]) as bystander:
        await introduce(bystander)
        await bystander.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": "subscription { silent }"}}))
        await observed.until_running("silent", 1)
        yield
        await observed.until_running("silent", 1)
        assert await is_alive(bystander)
    await observed.until_running("silent", 0)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info] == []


async def introduce(connection: ClientConnection) -> None:
    await connection.send(json.dumps({"type": "connection_init", "payload": {"authorization": token()}}))
    assert json.loads(await connection.recv()) == {"type": "connection_ack"}


async def is_alive(connection: ClientConnection) -> bool:
    with suppress(ConnectionClosed):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await connection.send(PING.content)
            async for message in connection:
                if json.loads(message) == PONG:
                    return True
    return False


async def closing_code(connection: ClientConnection) -> int | None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        with suppress(ConnectionClosed):
            async for _ in connection:
                pass
    return connection.close_code


async def test_sequences_end_over_a_network_as_they_do_without_one(address: str):
    drawn, chance = HostileFrames(SEED), Random(SEED)
    for _ in range(SEQUENCES):
        frames, oracle = drawn.draw(), Oracle()
        async with connect(address, subprotocols=["graphql-transport-ws"], max_size=None) as connection:
            with suppress(ConnectionClosed):
                for frame in frames:
                    oracle.sent(frame)
                    content = frame.content
                    if isinstance(content, str):
                        content = content.replace(f'"{VALID}"', f'"{token()}"')
                    await connection.send(fragments(content, chance) if chance.random() < 0.3 else content)
            code = None if await is_alive(connection) else await closing_code(connection)
            # The transport reads ahead of the application, and may find the frame that is too long before the one that is wrong.
            too_long = {1009} if any(len(frame.content) > FRAME_BYTES for frame in frames) else set()
            assert code in {oracle.expected} | too_long, [frame.content for frame in frames]


def fragments(content: Any, chance: Random) -> list[Any]:
    at = chance.randrange(len(content) + 1)
    return [content[:at], content[at:at], content[at:]]


@pytest.mark.parametrize(
    ("frame", "codes"),
    [
        pytest.param(b"\x81\x82\x00\x00\x00\x00\xff\xfe", {1007}, id="text that is no UTF-8"),
        pytest.param(b"\x81\x83\x00\x00\x00\x00\xed\xa0\x80", {1007}, id="half of a surrogate pair"),
        pytest.param(b"\xc1\x80\x00\x00\x00\x00", {1002}, id="a reserved bit"),
        pytest.param(b"\x83\x80\x00\x00\x00\x00", {1002}, id="an opcode there is none of"),
        pytest.param(b"\x81\x02{}", {1002}, id="without a mask"),
        pytest.param(b"\x80\x80\x00\x00\x00\x00", {1002}, id="the end of what did not begin"),
        pytest.param(b"\x01\x80\x00\x00\x00\x00\x81\x80\x00\x00\x00\x00", {1002}, id="a message within a message"),
        pytest.param(b"\x09\x80\x00\x00\x00\x00", {1002}, id="a ping in fragments"),
        pytest.param(b"\x89\xfe\x00\x80\x00\x00\x00\x00" + b"x" * 128, {1002}, id="a ping that is too long"),
        pytest.param(b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", {1009}, id="eight exabytes announced"),
        pytest.param(b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", {1002, 1009}, id="a length with its first bit set"),
        pytest.param(b"\x88\x81\x00\x00\x00\x00\x03", {1002}, id="half of a close code"),
        pytest.param(b"\x88\x82\x00\x00\x00\x00\x03\xee", {1002}, id="a close code that nobody may send"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", {1002, 1009}, id="another request"),
    ],
)
async def test_what_is_no_frame_is_refused_by_a_code_of_the_transport(address: str, frame: bytes, codes: set[int]):
    async with connect(address, subprotocols=["graphql-transport-ws"]) as connection:
        await introduce(connection)
        connection.transport.write(frame)
        assert await closing_code(connection) in codes


@pytest.mark.parametrize("offered", [None, ["graphql-ws"], ["mqtt"], ["graphql-transport-ws "], ["GRAPHQL-TRANSPORT-WS"], ["x" * 200]])
async def test_another_protocol_is_refused_by_its_code(address: str, offered: list[Any] | None):
    try:
        async with connect(address, subprotocols=offered) as connection:
            assert await closing_code(connection) == 4406
    except ValueError:
        # The client itself refuses names like that.
        assert offered == ["graphql-transport-ws "]


async def test_the_right_protocol_among_others_is_taken(address: str):
    async with connect(address, subprotocols=["graphql-ws", "graphql-transport-ws"]) as connection:
        assert connection.subprotocol == "graphql-transport-ws"
        await introduce(connection)


def _gone(connection: ClientConnection) -> None:
    connection.transport.abort()


def _gone_within_a_frame(connection: ClientConnection) -> None:
    connection.transport.write(b"\x81\xfe\x01\x00\x00\x00\x00\x00half of")
    connection.transport.abort()


def _gone_within_a_message(connection: ClientConnection) -> None:
    connection.transport.write(b"\x01\x84\x00\x00\x00\x00half")
    connection.transport.close()


def _gone_halfway(connection: ClientConnection) -> None:
    connection.transport.write_eof()


@pytest.mark.parametrize("goes", [_gone, _gone_within_a_frame, _gone_within_a_message, _gone_halfway])
async def test_a_client_that_vanishes_takes_its_operations_along(
    address: str, observed: Observed, goes: Callable[[ClientConnection], None]
):
    async with connect(address, subprotocols=["graphql-transport-ws"], open_timeout=PATIENCE_SECONDS) as connection:
        await introduce(connection)
        for number in range(3):
            await connection.send(json.dumps({"type": "subscribe", "id": f"{number}", "payload": {"query": "subscription { silent }"}}))
        await observed.until_running("silent", 4)
        goes(connection)
        await observed.until_running("silent", 1)


@pytest.mark.parametrize(
    "change",
    [
        {"Sec-WebSocket-Version": "12"},
        {"Sec-WebSocket-Key": "short"},
        {"Connection": "close"},
        {"Upgrade": "h2c"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
    ids=str,
)
async def test_a_handshake_that_is_none_gets_an_answer_of_http(address: str, change: dict[str, str]):
    host, port = address.removeprefix("ws://").removesuffix("/graphql").split(":")
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    usual = {"Host": "x", "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key}
    usual |= {"Sec-WebSocket-Protocol": "graphql-transport-ws", **change}
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write("\r\n".join(["GET /graphql HTTP/1.1", *(f"{name}: {text}" for name, text in usual.items()), "", ""]).encode())
    async with asyncio.timeout(PATIENCE_SECONDS):
        status = int((await reader.readline()).split()[1])
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    assert 400 <= status < 500
