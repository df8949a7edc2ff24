"""GraphQL over WebSocket: one connection of the graphql-transport-ws protocol."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import ExitStack, aclosing, suppress
from datetime import datetime
from typing import Generic, TypeVar

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from resolvers.authentication import AuthenticationFailed
from schema.edge import json_text
from schema.edge.bearer import token_from_connection
from schema.edge.errors import ErrorCode, RequestError, Unavailable
from schema.edge.frames import Complete, ConnectionInit, Frame, MalformedFrame, Ping, Pong, Subscribe, parse_frame
from schema.edge.lifetime import End, Lifetime
from schema.edge.limits import Limits
from schema.edge.masking import ErrorPresenter
from schema.edge.message_rate import MessageRate
from schema.edge.outlet import Outlet, SlowReader, hang_up
from schema.edge.trusted_operations import TrustedOperations
from schema.edge.viewers import ConnectedViewer, Seats, TooManyConnections

SUBPROTOCOL = "graphql-transport-ws"

# Raised while an operation runs, and not the operation's own.
_ENDS_THE_CONNECTION = (AuthenticationFailed, SlowReader, WebSocketDisconnect, WebSocketDisconnected)


ViewerT = TypeVar("ViewerT", bound=ConnectedViewer)


class SocketClosing(Exception):  # noqa: N818 - the end of a connection is not always an error
    """Ends the connection with this close code. The standard clients reconnect after 1012, 1013, 4403 and 4408 only."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class OperationSocket(Generic[ViewerT]):
    """Reads messages one after the other; each operation runs in its own task and ends with the connection.

    A single deadline watches over the connection: first for `connection_init`, then for the end of its lifetime.
    """

    def __init__(
        self,
        socket: WebSocket,
        operations: TrustedOperations[ViewerT],
        *,
        authenticate: Callable[[str], Awaitable[ViewerT]],
        present: ErrorPresenter,
        limits: Limits,
        now: Callable[[], datetime],
        seats: Seats,
    ) -> None:
        self._socket = socket
        self._operations = operations
        self._authenticate = authenticate
        self._present = present
        self._limits = limits
        self._now = now
        self._seats = seats
        self._seat = ExitStack()
        self._outlet = Outlet[str](socket.send_text, seconds=limits.send_seconds)
        self._rate = MessageRate(
            burst=limits.messages_at_once, per_second=limits.messages_per_second, clock=asyncio.get_running_loop().time
        )
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
        with self._seat:
            try:
                async with self._deadline:
                    await self._receive()
            except Exception as error:  # noqa: BLE001 - the frame of the connection: whatever happens, it ends with a close code
                closing = self._closing_after(error)
            finally:
                await self._stop_tasks()
        if closing:
            await self._close(closing)

    async def _receive(self) -> None:
        while (message := await self._socket.receive())["type"] == "websocket.receive":
            if not self._rate.allows_one_more():
                raise SocketClosing(1013, "Too many messages")
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
        viewer = await self._authenticate(token)
        try:
            self._seat.enter_context(self._seats.taken_by(viewer))
        except TooManyConnections:
            raise SocketClosing(1013, "Too many connections") from None
        self._token = token
        self._end_in(None)
        self._begin(self._live(Lifetime(token, viewer, authenticate=self._authenticate, limits=self._limits, now=self._now)))
        await self._send({"type": "connection_ack"})

    async def _live(self, lifetime: Lifetime[ViewerT]) -> None:
        match await lifetime.end():
            case End.EXPIRED:
                self._end_in(0, SocketClosing(4403, "Token expired"))
            case End.REVOKED:
                self._end_in(0, SocketClosing(4403, "Forbidden"))
            case End.TOO_OLD:
                self._end_in(0, SocketClosing(1012, "Connection too old"))

    async def _start(self, subscribe: Subscribe) -> None:
        if self._token is None:
            raise SocketClosing(4401, "Unauthorized")
        if subscribe.id in self._running:
            raise SocketClosing(4409, "Subscriber for this id already exists")
        if len(self._running) >= self._limits.operations_per_socket:
            refusal = RequestError(ErrorCode.RATE_LIMITED, f"A connection carries at most {self._limits.operations_per_socket} operations.")
            await self._send_failure(subscribe.id, refusal)
            return
        self._running[subscribe.id] = self._begin(self._run(subscribe, self._token))

    def _begin(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _run(self, subscribe: Subscribe, token: str) -> None:
        try:
            await self._relay(subscribe, token)
        except _ENDS_THE_CONNECTION as error:
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
        except _ENDS_THE_CONNECTION:
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
        await self._outlet.send(json_text.encode(message).decode())

    def _end_in(self, seconds: float | None, closing: SocketClosing | None = None) -> None:
        # A deadline that has passed can not be moved: the connection is ending already, for an earlier reason.
        with suppress(RuntimeError):
            self._deadline.reschedule(None if seconds is None else asyncio.get_running_loop().time() + seconds)
            self._at_deadline = closing

    def _closing_after(self, error: Exception) -> SocketClosing | None:  # noqa: PLR0911 - a table
        """None when the client is gone and nothing can be said to it."""
        match error:
            case SocketClosing():
                return error
            case WebSocketDisconnect() | WebSocketDisconnected():
                return None
            case TimeoutError() if self._deadline.expired():
                return self._at_deadline
            case SlowReader():
                return SocketClosing(1013, "Reading too slowly")
            case AuthenticationFailed():
                return SocketClosing(4403, "Forbidden")
            case MalformedFrame():
                return SocketClosing(4400, str(error))
            case Unavailable():
                return SocketClosing(1013, "Try again later")
            case _:
                return self._closing_after_failure(error)

    def _closing_after_failure(self, error: Exception) -> SocketClosing:
        [presented] = self._present.reply_to_failure(error)["errors"]
        extensions = presented["extensions"]
        assert isinstance(extensions, dict)
        trace_id = extensions.get("traceId")
        return SocketClosing(4500, f"Internal server error {trace_id}" if trace_id else str(presented["message"])[:100])

    async def _stop_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _close(self, closing: SocketClosing) -> None:
        try:
            async with asyncio.timeout(self._limits.close_seconds):
                await self._socket.close(closing.code, closing.reason)
        except TimeoutError:
            # A client that reads nothing does not read the close frame either.
            hang_up(self._socket.scope)
        except (WebSocketDisconnect, WebSocketDisconnected):
            pass
