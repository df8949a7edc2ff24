"""Writing to a client that may have stopped reading."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from starlette.types import Receive, Scope

MessageT = TypeVar("MessageT")

# An ASGI extension of ours: a function that drops the connection at once, with whatever the client has not taken.
HANG_UP = "scriptorium.hang_up"


class SlowReader(Exception):  # noqa: N818 - named after the client
    """For too long the client has taken nothing of what was sent."""


class Outlet(Generic[MessageT]):
    """One message after the other, what is sent together within `seconds`, however many tasks send: so at most one waits in the server's buffer."""

    def __init__(self, send: Callable[[MessageT], Awaitable[None]], *, seconds: float) -> None:
        self._send = send
        self._seconds = seconds
        self._turn = asyncio.Lock()

    async def send(self, *messages: MessageT) -> None:
        """Raises: SlowReader, and what the transport raises."""
        async with self._turn:
            try:
                async with asyncio.timeout(self._seconds):
                    for message in messages:
                        await self._send(message)
            except TimeoutError:
                raise SlowReader from None


def hang_up(scope: Scope) -> bool:
    """Where the server offers it. An orderly close would wait, possibly for ever, until the client has read what is left."""
    drop: Callable[[], Any] | None = scope.get("extensions", {}).get(HANG_UP)
    if drop is not None:
        drop()
    return drop is not None


async def until_gone(receive: Receive) -> None:
    """Behind the request's body, nothing comes from an HTTP client but its end."""
    while (await receive())["type"] != "http.disconnect":
        pass
