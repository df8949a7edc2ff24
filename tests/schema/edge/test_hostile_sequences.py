"""Whatever is sent over a socket: it ends with a close code that says why, nothing goes wrong behind it, and others are served on."""

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from random import Random

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidState

from tests.schema.edge.test_websocket import connected
from tests.schema.edge.toy import Observed, token

SEED = 6
PARTS = 3
SEQUENCES_AT_ONCE = 100
CLOSE_CODES = {1002, 1007, 1009, 1013, 4400, 4401, 4403, 4409, 4429}

Step = Callable[[ClientConnection, Random], None]


def said(**message: object) -> Step:
    return lambda connection, _: connection.protocol.send_text(json.dumps(message).encode())


def text(*contents: bytes) -> Step:
    return lambda connection, random: connection.protocol.send_text(random.choice(contents))


def raw(*contents: bytes) -> Step:
    return lambda connection, random: connection.transport.write(b"".join(connection.protocol.data_to_send()) + random.choice(contents))


def fragmented(connection: ClientConnection, random: Random) -> None:
    connection.protocol.send_text(b'{"type":', fin=False)
    if random.random() < 0.5:
        connection.protocol.send_ping(b"between")
    connection.protocol.send_continuation(b'"ping"}', fin=True)


def subscribed(connection: ClientConnection, random: Random) -> None:
    query = random.choice(["subscription { silent }", "{ viewer }", "{", "subscription { breaks }", "{ nothing }", "x" * 10_000])
    payload = random.choice(
        [{"query": query}, {"query": query, "variables": {"a": [{}] * 5}}, {"documentId": query}, {"query": query, "operationName": "A"}]
    )
    said(type="subscribe", id=random.choice("123"), payload=payload)(connection, random)


def initialised(connection: ClientConnection, random: Random) -> None:
    payload = random.choice([{"authorization": f"Bearer {token()}"}, {"authorization": token()}, {"authorization": "x"}, {}, None, [], "x"])
    said(type="connection_init", payload=payload)(connection, random)


STEPS: list[Step] = [
    initialised,
    subscribed,
    subscribed,
    fragmented,
    said(type="ping"),
    said(type="ping", payload={"a": {"b": [1, None]}}),
    said(type="pong", payload=None),
    said(type="complete", id="1"),
    said(type="complete", id=["1"]),
    said(type="next", id="1", payload={}),
    said(type=["subscribe"], id="1"),
    said(type="subscribe", id={}, payload={"query": "{ viewer }"}),
    said(type="subscribe", id="1", payload={"extensions": {"persistedQuery": {"version": 2}}}),
    text(
        b"",
        b"null",
        b"[]",
        b"5",
        b'"x"',
        b"{",
        b"[" * 100_000,
        b'{"type":' * 10_000,
        b'{"type": "\\ud800"}',
        b'{"type": 1e999}',
        b"\xff\xfe",
    ),
    text(b'{"type": "subscribe", "id": "\\ud83d", "payload": {"query": "{ viewer \\udc00 }"}}'),
    lambda connection, _: connection.protocol.send_binary(b'{"type": "ping"}'),
    lambda connection, _: connection.protocol.send_ping(b"x" * 125),
    lambda connection, _: connection.protocol.send_pong(b"unasked"),
    raw(
        b"\x83\x80abcd",
        b"\xf1\x80abcd",
        b"\x01\x00",
        b"\x81\x01x",
        b"\x80\x80abcd",
        b"\x89\xfe\x00\x7eabcd" + b"x" * 126,
        b"\x81\xff" + b"\xff" * 12,
    ),
]


@pytest.mark.parametrize("part", range(PARTS))
async def test_any_sequence_ends_with_a_close_code_and_without_a_failure(
    address: str, observed: Observed, caplog: pytest.LogCaptureFixture, part: int
):
    caplog.set_level(logging.WARNING)
    async with asyncio.TaskGroup() as clients:
        for number in range(SEQUENCES_AT_ONCE):
            clients.create_task(_misbehave(address, f"hostile-{part}-{number}"))
    # What breaks of itself is the toy's own, and asked for.
    assert {str(record.exc_info and record.exc_info[1]) for record in caplog.records} <= {"the password is swordfish"}
    await observed.until_running("silent", 0)
    async with connected(address, token=token()) as client:
        assert (await client.reply("{ viewer }"))[-1][0] == "complete"


async def _misbehave(address: str, name: str) -> None:
    random = Random(f"{SEED} {name}")
    steps = random.choices(STEPS, k=random.randint(1, 12))
    async with connected(address, token=token(name) if random.random() < 0.7 else None) as client:
        # The connection may end anywhere in between.
        with suppress(ConnectionClosed, InvalidState, RuntimeError):
            for step in steps:
                step(client.connection, random)
                client.connection.transport.write(b"".join(client.connection.protocol.data_to_send()))
                if random.random() < 0.3:
                    await asyncio.sleep(0.001)
            await client.connection.send("the end")
        code, reason = await client.closing()
    assert code in CLOSE_CODES, (name, code, reason)
