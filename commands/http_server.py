"""How uvicorn serves our application: within limits, and never held up by a client that does not read."""

import socket
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from schema.edge.limits import Limits
from schema.edge.outlet import HANG_UP

CLOSING_SECONDS = 5
# A client that answers no ping has stopped reading, or is gone: after both of these its connection is dropped.
PING_SECONDS = 10
PONG_SECONDS = 15
LINGERING_SECONDS = 1
# What is in the kernel's buffers when a client stops reading. Left to itself, Linux lets them grow to 4 MB for each.
SEND_BUFFER_BYTES = 256 * 1024
UNACKNOWLEDGED_MILLISECONDS = 20_000
# One message may come in so many frames; without a limit, empty ones could come for ever and be kept.
MOST_FRAGMENTS = 1_000


def server_config(app: ASGIApp, limits: Limits, **options: Any) -> uvicorn.Config:
    return uvicorn.Config(
        with_hang_up(app),
        **{
            "log_config": None,
            "access_log": False,
            "lifespan": "on",
            "ws": SocketProtocol,
            "ws_max_size": limits.frame_bytes,
            "ws_per_message_deflate": False,
            "ws_ping_interval": PING_SECONDS,
            "ws_ping_timeout": PONG_SECONDS,
            "server_header": False,
            "timeout_graceful_shutdown": CLOSING_SECONDS,
            **options,
        },
    )


def bound_what_waits(listener: socket.socket) -> None:
    """Connections inherit this from the socket that they are accepted on."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MILLISECONDS)


def with_hang_up(app: ASGIApp) -> ASGIApp:
    """Lets the application drop a connection at once; in ASGI it can only close one, after everything has been read."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if transport is not None:
            scope.setdefault("extensions", {})[HANG_UP] = transport.abort
        await app(scope, receive, send)

    return serve


class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's, where it would wait for a client without end, keep what it sends without end, or end without a word."""

    _is_broken = False

    def keepalive_timeout(self) -> None:
        # Not 1011, which the standard clients take for the end: a laptop that wakes up is to connect again.
        self.pong_timer = None
        self.pending_ping_payload = None
        self.transport.abort()

    def handle_ping(self) -> None:
        answer = b"".join(self.conn.data_to_send())
        # A client that asks and reads nothing would otherwise have us keep all the answers.
        if self.writable.is_set():
            self.transport.write(answer)

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) >= MOST_FRAGMENTS:
            self._fail(1009, "Too many fragments")
            return
        super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not _is_utf8(b"".join(self.frames)):
            self._fail(1007, "Not UTF-8")
            return
        super().send_receive_event_to_app()

    def handle_parser_exception(self) -> None:
        """Called again for whatever comes after a message that broke the protocol, none of which is read."""
        if self._is_broken:
            return
        self._is_broken = True
        assert self.conn.close_sent is not None
        self.queue.put_nowait({"type": "websocket.disconnect", "code": self.conn.close_sent.code, "reason": self.conn.close_sent.reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        # Closed at once, with the client still sending, the connection would be reset and the close code lost.
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(LINGERING_SECONDS, self.transport.close)

    async def send(self, message: ASGISendEvent) -> None:
        try:
            await super().send(message)
        except RuntimeError:
            # The client broke the protocol and has been told so, which the application does not know yet.
            if not self.close_sent:
                raise
            raise ClientDisconnected from None

    def on_task_complete(self, task: Any) -> None:
        super().on_task_complete(task)
        # A close waits until everything has been read. By now there has been time for that.
        self.loop.call_later(self.close_timeout + CLOSING_SECONDS, self.transport.abort)

    def _fail(self, code: int, reason: str) -> None:
        self.frames = []
        self.conn.fail(code, reason)
        self.handle_parser_exception()


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
