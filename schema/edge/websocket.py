"""GraphQL over WebSocket: one connection of the graphql-transport-ws protocol."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from resolvers.authentication import CLOCK_SKEW, AuthenticationFailed
from resolvers.signing_keys import SigningKeysUnavailable
from schema.edge import json_text
from schema.edge.bearer import token_from_connection
from schema.edge.errors import ErrorCode, RequestError
from schema.edge.frames import Complete, ConnectionInit, Frame, MalformedFrame, Ping, Pong, Subscribe, parse_frame
from schema.edge.limits import Limits
from schema.edge.masking import ErrorPresenter
from schema.edge.operations import Operations

SUBPROTOCOL = "graphql-transport-ws"

logger = logging.getLogger(__name__)


class Expiring(Protocol):
    """A viewer, as far as a long connection has to know them."""

    @property
    def expires_at(self) -> datetime:
        """When the token they came with ends."""


ViewerT = TypeVar("ViewerT", bound=Expiring)


class SocketClosing(Exception):  # noqa: N818 - the end of a connection is not always an error
    """Ends the connection with this close code. The standard clients reconnect after 1013, 4403 and 4408 only."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class OperationSocket(Generic[ViewerT]):
    """Reads messages one after the other; each operation runs in its own task and ends with the connection.

    A single deadline watches over the connection: first for `connection_init`, then for the end of the token.
    """

    def __init__(
        self,
        socket: WebSocket,
        operations: Operations[ViewerT],
        *,
        authenticate: Callable[[str], Awaitable[ViewerT]],
        present: ErrorPresenter,
        limits: Limits,
        now: Callable[[], datetime],
    ) -> None:
        self._socket = socket
        self._operations = operations
        self._authenticate = authenticate
        self._present = present
        self._limits = limits
        self._now = now
        self._token: str | None = None
        self._running: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._deadline = asyncio.timeout(limits.init_seconds)
        self._at_deadline: SocketClosing | None = SocketClosing(4408, "Connection initialisation timeout")

    async def serve(self) -> None:
        if SUBPROTOCOL not in self._socket.scope["subprotocols"]:
            await self._socket.accept()
            await self._socket.close(4406, "Subprotocol not acceptable")
            return
        await self._socket.accept(SUBPROTOCOL)
        closing: SocketClosing | None = None
        try:
            async with self._deadline:
                await self._receive()
        except Exception as error:  # noqa: BLE001 - the frame of the connection: whatever happens, it ends with a close code
            closing = self._closing_after(error)
        finally:
            await self._stop_operations()
        if closing:
            await self._close(closing)

    async def _receive(self) -> None:
        while (message := await self._socket.receive())["type"] == "websocket.receive":
            text = message.get("text")
            if text is not None and len(text) > self._limits.frame_bytes:
                raise SocketClosing(1009, "Message too big")
            await self._handle(parse_frame(text))

    async def _handle(self, frame: Frame) -> None:
        match frame:
            case ConnectionInit(payload):
                await self._initialise(payload)
            case Ping(payload):
                await self._send({"type": "pong"} if payload is None else {"type": "pong", "payload": payload})
            case Subscribe():
                await self._start(frame)
            case Complete(identifier):
                if task := self._running.pop(identifier, None):
                    task.cancel()
            case Pong():
                pass

    async def _initialise(self, payload: Mapping[str, object]) -> None:
        if self._token is not None:
            raise SocketClosing(4429, "Too many initialisation requests")
        token = token_from_connection(payload)
        if token is None:
            raise SocketClosing(4401, "Unauthorized")
        try:
            viewer = await self._authenticate(token)
        except SigningKeysUnavailable:
            raise SocketClosing(1013, "Try again later") from None
        self._token = token
        remaining = (viewer.expires_at + CLOCK_SKEW - self._now()).total_seconds()
        self._end_in(remaining, SocketClosing(4403, "Token expired"))
        await self._send({"type": "connection_ack"})

    async def _start(self, subscribe: Subscribe) -> None:
        if self._token is None:
            raise SocketClosing(4401, "Unauthorized")
        if subscribe.id in self._running:
            raise SocketClosing(4409, "Subscriber for this id already exists")
        if len(self._running) >= self._limits.operations_per_socket:
            refusal = RequestError(ErrorCode.RATE_LIMITED, f"A connection carries at most {self._limits.operations_per_socket} operations.")
            await self._send_failure(subscribe.id, refusal)
            return
        task = asyncio.create_task(self._run(subscribe, self._token), name="graphql-operation")
        self._running[subscribe.id] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, subscribe: Subscribe, token: str) -> None:
        try:
            await self._relay(subscribe, token)
        except (AuthenticationFailed, SocketClosing, WebSocketDisconnect, WebSocketDisconnected) as error:
            self._end_in(0, self._closing_after(error))

    async def _relay(self, subscribe: Subscribe, token: str) -> None:
        try:
            # Anew for each operation: since the connection was opened the account may have been closed.
            viewer = await self._authenticate(token)
            async with aclosing(self._operations.stream(subscribe.request, viewer)) as replies:
                async for reply in replies:
                    if "data" not in reply:
                        self._forget(subscribe.id)
                        await self._send({"id": subscribe.id, "type": "error", "payload": reply["errors"]})
                        return
                    await self._send({"id": subscribe.id, "type": "next", "payload": reply})
        except (AuthenticationFailed, SocketClosing, WebSocketDisconnect, WebSocketDisconnected):
            raise
        except Exception as error:  # noqa: BLE001 - the frame of an operation: its failure must not end the others
            self._forget(subscribe.id)
            await self._send_failure(subscribe.id, error)
            return
        self._forget(subscribe.id)
        await self._send({"id": subscribe.id, "type": "complete"})

    def _forget(self, identifier: str) -> None:
        # Before the last message, so that the client may use the id again as soon as it reads it.
        if self._running.get(identifier) is asyncio.current_task():
            del self._running[identifier]

    async def _send_failure(self, identifier: str, error: Exception) -> None:
        await self._send({"id": identifier, "type": "error", "payload": self._present.reply_to_failure(error)["errors"]})

    async def _send(self, message: Mapping[str, object]) -> None:
        try:
            async with asyncio.timeout(self._limits.send_seconds):
                await self._socket.send_text(json_text.encode(message).decode())
        except TimeoutError:
            raise SocketClosing(1013, "Reading too slowly") from None

    def _end_in(self, seconds: float, closing: SocketClosing | None) -> None:
        # A deadline that has passed can not be moved: the connection is ending already, for an earlier reason.
        with suppress(RuntimeError):
            self._deadline.reschedule(asyncio.get_running_loop().time() + max(0.0, seconds))
            self._at_deadline = closing

    def _closing_after(self, error: Exception) -> SocketClosing | None:
        """None when the client is gone and nothing can be said to it."""
        match error:
            case SocketClosing():
                return error
            case WebSocketDisconnect() | WebSocketDisconnected():
                return None
            case TimeoutError() if self._deadline.expired():
                return self._at_deadline
            case AuthenticationFailed():
                return SocketClosing(4403, "Forbidden")
            case MalformedFrame():
                return SocketClosing(4400, str(error))
            case _:
                logger.error("graphql.socket_failed", exc_info=error)
                return SocketClosing(4500, "Internal server error")

    async def _stop_operations(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _close(self, closing: SocketClosing) -> None:
        # A client that reads nothing does not read the close frame either; the server then drops the connection.
        with suppress(TimeoutError, WebSocketDisconnect, WebSocketDisconnected):
            async with asyncio.timeout(self._limits.close_seconds):
                await self._socket.close(closing.code, closing.reason)
