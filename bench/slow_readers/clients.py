"""Clients that read as fast as they can, and clients that ask for a flood and never read again."""

import asyncio
import json
import socket
import time
from collections.abc import Callable
from typing import Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol


class Listener:
    """Follows the beats; `delays` are the seconds from each event's making to its arrival."""

    def __init__(self, port: int, name: str) -> None:
        self._port = port
        self._name = name
        self.delays: list[float] = []

    async def __aenter__(self) -> Self:
        self._connection = await _subscribed(self._port, self._name, "subscription { beats }")
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *error: object) -> None:
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        await self._connection.close()

    async def _listen(self) -> None:
        async for message in self._connection:
            now = time.perf_counter()
            self.delays.append(now - json.loads(message)["payload"]["data"]["beats"])


async def stalled_socket(port: int, name: str) -> Callable[[], None]:
    """Returns what ends it, as all of these do."""
    connection = await _subscribed(port, name, "subscription { flood }")
    connection.transport.pause_reading()
    return connection.transport.abort


def stalled_stream(port: int, name: str, media_type: str) -> Callable[[], None]:
    content = json.dumps({"query": "subscription { flood }"})
    head = ["POST /graphql HTTP/1.1", "Host: x", f"Authorization: Bearer {name}", f"Accept: {media_type}"]
    head += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(("\r\n".join(head) + "\r\n\r\n" + content).encode())
    return connection.close


async def _subscribed(port: int, name: str, query: str) -> ClientConnection:
    connection = await connect(
        f"ws://127.0.0.1:{port}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")], max_size=None, ping_interval=None
    )
    await connection.send(json.dumps({"type": "connection_init", "payload": {"authorization": name}}))
    await connection.recv()
    await connection.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
    return connection
