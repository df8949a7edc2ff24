"""The ASGI application that serves a Strawberry schema over HTTP and WebSocket."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Generic, TypeVar

import strawberry
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected
from strawberry.http.websocket_origin import is_same_origin, normalize_allowed_origins, normalize_origin

from schema.edge.allowance import Allowances
from schema.edge.errors import RequestError
from schema.edge.http import HttpEndpoint
from schema.edge.http_request import PREFLIGHT_HEADERS
from schema.edge.limits import Limits
from schema.edge.masking import ErrorPresenter
from schema.edge.metering import Meter
from schema.edge.operations import Operations
from schema.edge.trusted_documents import TrustedDocuments
from schema.edge.trusted_operations import TrustedOperations
from schema.edge.viewers import ConnectedViewer, Seats
from schema.edge.websocket import OperationSocket

ViewerT = TypeVar("ViewerT", bound=ConnectedViewer)


class GraphQLEdge(Generic[ViewerT]):
    """Strawberry declares; the transports and the executor are ours.

    Those of Strawberry 0.341 answer malformed HTTP bodies with 500 and malformed frames with a dropped connection,
    know neither the newer response media type nor statuses by result, share one context between all operations of a
    socket, and let one syntax error close it.

    `authenticate` takes a token and raises AuthenticationFailed, or Unavailable when nobody can be judged now; on a socket it
    is asked again for each operation.
    `context` makes the context of one operation. `identify` gives the key of a viewer's allowance; without `allowances` there are
    none. `allowed_origins` are those of browser applications that are served
    from elsewhere, such as "https://studio.example". `explain` may give an exception of the layers below its code.
    `documents` says which can be named by an id; without it, those that viewers bring.
    """

    def __init__(  # noqa: PLR0913 - all that differs between an application and another
        self,
        schema: strawberry.Schema,
        *,
        authenticate: Callable[[str], Awaitable[ViewerT]],
        context: Callable[[ViewerT], object],
        identify: Callable[[ViewerT], str],
        limits: Limits,
        development: bool,
        allowed_origins: Sequence[str],
        now: Callable[[], datetime],
        allowances: Allowances | None = None,
        explain: Callable[[BaseException], RequestError | None] = lambda _: None,
        documents: TrustedDocuments | None = None,
    ) -> None:
        self._authenticate = authenticate
        self._limits = limits
        self._now = now
        self._allowed_origins = normalize_allowed_origins(allowed_origins)
        self._present = ErrorPresenter(development=development, explain=explain)
        self._seats = Seats(per_viewer=limits.connections_per_viewer)
        operations = Operations(
            schema,
            context=context,
            identify=identify,
            meter=Meter(limit=limits.cost, allowances=allowances, now=now),
            present=self._present,
            limits=limits,
            development=development,
        )
        self._operations = TrustedOperations(
            operations, documents or TrustedDocuments({}, only=False, most_characters=limits.remembered_characters)
        )
        self._endpoint = HttpEndpoint(self._operations, authenticate=authenticate, present=self._present, limits=limits, now=now)
        self._http = _with_cors(self._endpoint, sorted(self._allowed_origins))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
            return
        with suppress(WebSocketDisconnect, WebSocketDisconnected):  # whoever leaves while being let in
            await self._serve_socket(WebSocket(scope, receive, send))

    async def _serve_socket(self, socket: WebSocket) -> None:
        if not self._is_origin_allowed(socket):
            # Closing before accepting answers the handshake with 403.
            await socket.close()
            return
        await OperationSocket(
            socket,
            self._operations,
            authenticate=self._authenticate,
            present=self._present,
            limits=self._limits,
            now=self._now,
            seats=self._seats,
        ).serve()

    def end_streams(self) -> None:
        """Call this when the server shuts down, which waits for open responses. Sockets it closes itself, with 1012."""
        self._endpoint.close()

    def _is_origin_allowed(self, socket: WebSocket) -> bool:
        # Browsers ask no permission before they open a socket to another site, but they always say where they come from.
        origin = socket.headers.get("origin")
        if origin is None or is_same_origin(origin, socket.headers.get("host")):
            return True
        return not self._allowed_origins.isdisjoint({"*", normalize_origin(origin)})


def _with_cors(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", *PREFLIGHT_HEADERS],
        expose_headers=[
            "WWW-Authenticate",
            "Retry-After",
            "RateLimit",
            "RateLimit-Policy",
            "RateLimit-Limit",
            "RateLimit-Remaining",
            "RateLimit-Reset",
        ],
        max_age=86_400,
    )
