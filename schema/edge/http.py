"""GraphQL over HTTP: one operation per request, answered at once with a status by its result, or as a stream."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from datetime import datetime
from typing import Generic, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope, Send
from strawberry.types.graphql import OperationType

from resolvers.authentication import AuthenticationFailed
from schema.edge import json_text
from schema.edge.allowance import AllowanceSpent, rate_limit_headers
from schema.edge.bearer import token_from_header
from schema.edge.errors import ErrorCode, RequestError, Unavailable, unauthenticated
from schema.edge.framings import FRAMINGS
from schema.edge.http_request import HttpRefusal, read_operation
from schema.edge.lifetime import Lifetime
from schema.edge.limits import Limits
from schema.edge.masking import ErrorPresenter, Reply
from schema.edge.media_types import EVENT_STREAM, GRAPHQL_RESPONSE, JSON, MULTIPART, Accepted
from schema.edge.operation_request import OperationRequest
from schema.edge.operations import Answer, OperationTypeNotOffered
from schema.edge.outlet import Outlet, SlowReader, hang_up, until_gone
from schema.edge.streams import ReplyStream
from schema.edge.trusted_operations import TrustedOperations
from schema.edge.viewers import ConnectedViewer, Seats, TooManyConnections

ViewerT = TypeVar("ViewerT", bound=ConnectedViewer)

logger = logging.getLogger(__name__)

_OFFERED = {
    "GET": frozenset({OperationType.QUERY}),
    "POST": frozenset({OperationType.QUERY, OperationType.MUTATION}),
}
_STATUS = {
    ErrorCode.GRAPHQL_PARSE_FAILED: 400,
    ErrorCode.GRAPHQL_VALIDATION_FAILED: 400,
    ErrorCode.BAD_USER_INPUT: 400,
    ErrorCode.QUERY_TOO_COMPLEX: 400,
    ErrorCode.PERSISTED_QUERY_NOT_FOUND: 400,
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.TIMEOUT: 504,
    ErrorCode.INTERNAL_SERVER_ERROR: 500,
}
_TRY_AGAIN = {"Retry-After": "5"}
# Large answers go out in pieces, so that no more than two wait in the server's buffer for a client that does not read.
_PIECE_BYTES = 64 * 1024


class HttpEndpoint(Generic[ViewerT]):
    """An ASGI application for HTTP."""

    def __init__(
        self,
        operations: TrustedOperations[ViewerT],
        *,
        authenticate: Callable[[str], Awaitable[ViewerT]],
        present: ErrorPresenter,
        limits: Limits,
        now: Callable[[], datetime],
    ) -> None:
        self._operations = operations
        self._authenticate = authenticate
        self._present = present
        self._limits = limits
        self._now = now
        self._seats = Seats(per_viewer=limits.streams_per_viewer)
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End all streams, now and from now on; their clients come back, to another process or a later one."""
        self._closing.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._respond(Request(scope, receive), Outlet[Message](send, seconds=self._limits.send_seconds))
        except SlowReader:
            if hang_up(scope):
                # Returning earlier, with the answer incomplete, would look like a mistake of ours to the server.
                await until_gone(receive)

    async def _respond(self, request: Request, outlet: Outlet[Message]) -> None:
        accepted = Accepted.read(request.headers.get("accept"))
        whole = accepted.whole or JSON
        try:
            await self._answer(request, accepted, outlet)
        except ClientDisconnect:
            return
        except SlowReader:
            raise
        except TooManyConnections:
            refusal = RequestError(ErrorCode.RATE_LIMITED, f"A user has at most {self._limits.streams_per_viewer} streams at a time.")
            await self._send_whole(outlet, self._present.reply_to_failure(refusal), whole)
        except HttpRefusal as refusal:
            await self._send_whole(outlet, self._present.reply_to_failure(refusal), whole, refusal.status, refusal.headers)
        except Exception as error:  # noqa: BLE001 - the frame of the endpoint: whatever happens, the client gets a GraphQL response
            await self._send_whole(outlet, self._present.reply_to_failure(error), whole)

    async def _answer(self, request: Request, accepted: Accepted, outlet: Outlet[Message]) -> None:
        """Nothing has been sent when this raises, except for SlowReader."""
        if request.method not in _OFFERED:
            raise HttpRefusal(405, "Use POST, or GET for queries.", {"Allow": "GET, POST"})
        if accepted.whole is None and accepted.stream is None:
            raise HttpRefusal(
                406, f"Only {GRAPHQL_RESPONSE} and {JSON} are offered here, and for subscriptions {EVENT_STREAM} and {MULTIPART}."
            )
        token = _token(request)
        viewer = None if token is None else await self._viewer(token)
        operation = await read_operation(request, self._limits, anonymous=viewer is None)
        try:
            answer = await self._execute(request, operation, viewer)
        except OperationTypeNotOffered as error:
            if error.operation_type is OperationType.MUTATION:
                raise HttpRefusal(405, "Mutations need POST.", {"Allow": "POST"}) from error
            if viewer is None or token is None:
                raise unauthenticated() from None
            if accepted.stream is None:
                raise HttpRefusal(
                    406, f'A subscription needs "Accept: {EVENT_STREAM}" or "Accept: {MULTIPART};subscriptionSpec=1.0", or a WebSocket.'
                ) from error
            with self._seats.taken_by(viewer):
                await self._stream(request, accepted.stream, self._operations.stream(operation, viewer), token, viewer, outlet)
            return
        if accepted.stream and accepted.prefers_stream and token and viewer and _status(answer.reply, GRAPHQL_RESPONSE) not in {401, 429}:
            await self._stream(request, accepted.stream, _once(answer.reply), token, viewer, outlet)
        else:
            await self._send_whole(outlet, answer.reply, accepted.whole or JSON, headers=_allowance_headers(answer))

    async def _viewer(self, token: str) -> ViewerT:
        try:
            return await self._authenticate(token)
        except AuthenticationFailed:
            raise unauthenticated() from None
        except Unavailable as error:
            raise HttpRefusal(503, error.message, _TRY_AGAIN, code=error.code) from error

    async def _execute(self, request: Request, operation: OperationRequest, viewer: ViewerT | None) -> Answer:
        address = request.client.host if request.client else ""
        try:
            return await self._operations.execute(operation, viewer, offered=_OFFERED[request.method], address=address)
        except OperationTypeNotOffered:
            raise
        except AllowanceSpent as refusal:
            return Answer(self._present.reply_to_failure(refusal), refusal.standing, refusal.retry_after)
        except RequestError as error:
            return Answer(self._present.reply_to_failure(error))

    async def _stream(
        self, request: Request, media_type: str, replies: AsyncGenerator[Reply], token: str, viewer: ViewerT, outlet: Outlet[Message]
    ) -> None:
        lifetime = Lifetime(token, viewer, authenticate=self._authenticate, limits=self._limits, now=self._now)
        framing = FRAMINGS[media_type]
        stream = ReplyStream(framing, present=self._present, heartbeat_seconds=self._limits.heartbeat_seconds)
        async with aclosing(replies):
            await outlet.send(_head(200, _stream_headers(framing.content_type)))
            try:
                await stream.send(replies, outlet, request.receive, lifetime=lifetime.end(), closing=self._closing.wait())
            except SlowReader:
                raise
            except Exception as error:
                # The head is out already, and with it every way to say what went wrong.
                logger.exception("graphql.stream_failed")
                raise SlowReader from error

    async def _send_whole(
        self, outlet: Outlet[Message], reply: Reply, media_type: str, status: int | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        """Raises: SlowReader."""
        status = status or _status(reply, media_type)
        body = json_text.encode(reply)
        head = _head(status, {**_headers(status, media_type, len(body)), **(headers or {})})
        await outlet.send(head, _piece(body, 0))
        for start in range(_PIECE_BYTES, len(body), _PIECE_BYTES):
            await outlet.send(_piece(body, start))


def _token(request: Request) -> str | None:
    authorization = request.headers.get("authorization")
    try:
        return None if authorization is None else token_from_header(authorization)
    except AuthenticationFailed:
        raise unauthenticated() from None


async def _once(reply: Reply) -> AsyncGenerator[Reply]:
    yield reply


def _head(status: int, headers: Mapping[str, str]) -> Message:
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": raw}


def _piece(body: bytes, start: int) -> Message:
    return {"type": "http.response.body", "body": body[start : start + _PIECE_BYTES], "more_body": start + _PIECE_BYTES < len(body)}


def _allowance_headers(answer: Answer) -> dict[str, str]:
    limits = rate_limit_headers(answer.standing) if answer.standing else {}
    return limits if answer.retry_after is None else {**limits, "Retry-After": str(answer.retry_after)}


def _headers(status: int, media_type: str, length: int) -> dict[str, str]:
    """The headers of every answer that is no stream."""
    return {
        "Content-Type": f"{media_type}; charset=utf-8",
        "Content-Length": str(length),
        "Cache-Control": "no-store",
        "Vary": "Accept",
        "X-Content-Type-Options": "nosniff",
        **({"WWW-Authenticate": "Bearer"} if status == 401 else {}),
        **(_TRY_AGAIN if status == 429 else {}),
    }


def _stream_headers(content_type: str) -> dict[str, str]:
    return {
        "Content-Type": content_type,
        "Cache-Control": "no-cache",
        "Vary": "Accept",
        "X-Accel-Buffering": "no",
        "X-Content-Type-Options": "nosniff",
    }


def _status(reply: Reply, media_type: str) -> int:
    if "data" in reply:
        return 200
    extensions = reply["errors"][0]["extensions"]
    assert isinstance(extensions, dict)
    status = _STATUS[ErrorCode(extensions["code"])]
    # Clients that ask for plain JSON take a 4xx for a broken connection and never read why their document was refused.
    return 200 if media_type == JSON and status == 400 else status
