"""Speaking to an ASGI application without a network: what it is sent need not be what any client would send."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message

SUBPROTOCOL = "graphql-transport-ws"
PATIENCE_SECONDS = 20

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def call(
    app: ASGIApp, body: bytes | Iterable[bytes] = b"", *, method: str = "POST", headers: Headers = (), query: bytes = b""
) -> Response:
    """The answer to a request whose body comes in these parts. Raises what the application lets out, as a server would log it."""
    parts = [body] if isinstance(body, bytes) else list(body)
    coming = [{"type": "http.request", "body": part, "more_body": number < len(parts)} for number, part in enumerate(parts, 1)]
    sent: list[Message] = []

    async def receive() -> Message:
        return coming.pop(0) if coming else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    async with asyncio.timeout(PATIENCE_SECONDS):
        await app(_scope("http", headers, method=method, query_string=query), receive, send)
    start, *rest = sent
    return Response(
        start["status"],
        {name.decode().lower(): value.decode() for name, value in start["headers"]},
        b"".join(message.get("body", b"") for message in rest),
    )


@dataclass
class Socket:
    """A client's end. `sent` is all that the application has said, as ASGI messages."""

    sent: list[Message] = field(default_factory=list)
    _coming: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    _said: asyncio.Event = field(default_factory=asyncio.Event)
    _serving: asyncio.Task[None] | None = None
    _heard: int = 0

    def send(self, frame: str | bytes) -> None:
        self._coming.put_nowait({"type": "websocket.receive", "text" if isinstance(frame, str) else "bytes": frame})

    def leave(self, code: int = 1001) -> None:
        self._coming.put_nowait({"type": "websocket.disconnect", "code": code, "reason": ""})

    async def receive(self) -> dict[str, Any] | None:
        """The next message of the protocol; None when the connection was closed instead."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.sent) <= self._heard:
                self._said.clear()
                await self._said.wait()
        message = self.sent[self._heard]
        if message["type"] != "websocket.send":
            return None
        self._heard += 1
        return dict(json.loads(message["text"]))

    @property
    def closing(self) -> tuple[int, str] | None:
        """The code and the reason the application gave, once it has closed the connection."""
        last = self.sent[-1] if self.sent else {}
        return (last["code"], last["reason"]) if last.get("type") == "websocket.close" else None

    async def closed(self) -> tuple[int, str]:
        """Wait until the application has ended the connection, and everything it did for it."""
        assert self._serving is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._serving
        assert self.closing is not None, self.sent
        return self.closing

    async def _receive(self) -> Message:
        return await self._coming.get()

    async def _send(self, message: Message) -> None:
        assert self.closing is None, "a closed connection says nothing more"
        self.sent.append(message)
        self._said.set()


@asynccontextmanager
async def connected(app: ASGIApp, *, subprotocols: Sequence[str] = (SUBPROTOCOL,), headers: Headers = ()) -> AsyncIterator[Socket]:
    """An accepted connection; at the end the client leaves, and whatever the application raises comes out here."""
    socket = Socket()
    socket._coming.put_nowait({"type": "websocket.connect"})
    scope = _scope("websocket", headers, subprotocols=list(subprotocols))
    socket._serving = asyncio.create_task(app(scope, socket._receive, socket._send))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await socket._said.wait()
    assert socket.sent[0]["type"] == "websocket.accept"
    socket._heard = 1
    try:
        yield socket
    finally:
        socket.leave()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await socket._serving


def _scope(kind: str, headers: Headers, **parts: object) -> dict[str, Any]:
    return {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "http" if kind == "http" else "ws",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"scriptorium.example"), *headers],
        "client": ("127.0.0.1", 40_000),
        "server": ("scriptorium.example", 80),
        "state": {},
        **parts,
    }
