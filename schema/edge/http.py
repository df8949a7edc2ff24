"""GraphQL over HTTP: one operation per request, the status by its result."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from email.message import Message
from typing import Generic, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.types.graphql import OperationType

from resolvers.authentication import AuthenticationFailed
from resolvers.signing_keys import SigningKeysUnavailable
from schema.edge import json_text
from schema.edge.allowance import AllowanceSpent, rate_limit_headers, retry_headers
from schema.edge.bearer import token_from_header
from schema.edge.errors import ErrorCode, RequestError, unauthenticated
from schema.edge.limits import Limits
from schema.edge.masking import ErrorPresenter, Reply
from schema.edge.media_types import GRAPHQL_RESPONSE, JSON, preferred_media_type
from schema.edge.operation_request import MalformedRequest, OperationRequest
from schema.edge.operations import Answer, Operations, OperationTypeNotOffered

ViewerT = TypeVar("ViewerT")

# A page on another site cannot add any of these to a request without asking first (a CORS preflight).
PREFLIGHT_HEADERS = ("GraphQL-Require-Preflight", "Apollo-Require-Preflight", "X-Apollo-Operation-Name")

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


class HttpRefusal(RequestError):  # noqa: N818 - a refusal is an answer, not a malfunction
    """A request that HTTP itself has a status for."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(ErrorCode.BAD_USER_INPUT, message)
        self.status = status
        self.headers = headers or {}


class HttpEndpoint(Generic[ViewerT]):
    """An ASGI application for HTTP."""

    def __init__(
        self,
        operations: Operations[ViewerT],
        *,
        authenticate: Callable[[str], Awaitable[ViewerT]],
        present: ErrorPresenter,
        limits: Limits,
    ) -> None:
        self._operations = operations
        self._authenticate = authenticate
        self._present = present
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        media_type = preferred_media_type(request.headers.get("accept"))
        try:
            answer = await self._answer(request, media_type)
            response = _response(answer.reply, media_type or JSON, headers=rate_limit_headers(answer.standing) if answer.standing else None)
        except AllowanceSpent as refusal:
            response = _response(self._present.reply_to_failure(refusal), media_type or JSON, headers=retry_headers(refusal))
        except HttpRefusal as refusal:
            response = _response(self._present.reply_to_failure(refusal), media_type or JSON, refusal.status, refusal.headers)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - the frame of the endpoint: whatever happens, the client gets a GraphQL response
            response = _response(self._present.reply_to_failure(error), media_type or JSON)
        await response(scope, receive, send)

    async def _answer(self, request: Request, media_type: str | None) -> Answer:
        if request.method not in _OFFERED:
            raise HttpRefusal(405, "Use POST, or GET for queries.", {"Allow": "GET, POST"})
        if media_type is None:
            raise HttpRefusal(406, f"Only {GRAPHQL_RESPONSE} and {JSON} are offered here.")
        viewer = await self._viewer(request)
        parameters = _read_query_string(request) if request.method == "GET" else await self._read_body(request, anonymous=viewer is None)
        try:
            operation = OperationRequest.parse(parameters)
            return await self._operations.execute(
                operation, viewer, offered=_OFFERED[request.method], address=request.client.host if request.client else ""
            )
        except MalformedRequest as error:
            raise HttpRefusal(400, str(error)) from error
        except OperationTypeNotOffered as error:
            if error.operation_type is OperationType.MUTATION:
                raise HttpRefusal(405, "Mutations need POST.", {"Allow": "POST"}) from error
            raise

    async def _viewer(self, request: Request) -> ViewerT | None:
        authorization = request.headers.get("authorization")
        if authorization is None:
            return None
        try:
            return await self._authenticate(token_from_header(authorization))
        except AuthenticationFailed:
            raise unauthenticated() from None
        except SigningKeysUnavailable:
            raise RequestError(ErrorCode.TIMEOUT, "The issuer of tokens does not answer. Try again in a few seconds.") from None

    async def _read_body(self, request: Request, *, anonymous: bool) -> object:
        _require_json(request.headers.get("content-type", ""))
        allowed = self._limits.anonymous_body_bytes if anonymous else self._limits.body_bytes
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > allowed:
                        raise HttpRefusal(413, f"The request is larger than {allowed} bytes.")
        except TimeoutError:
            raise HttpRefusal(408, "The request did not arrive in time.") from None
        return _decode(bytes(body), "The request body must be JSON in UTF-8.")


def _read_query_string(request: Request) -> dict[str, object]:
    if not any(name in request.headers for name in PREFLIGHT_HEADERS):
        raise HttpRefusal(400, f"GET needs one of these headers: {', '.join(PREFLIGHT_HEADERS)}.")
    parameters: dict[str, object] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if text := request.query_params.get(name):
            parameters[name] = _decode(text, f"`{name}` must be JSON.")
    return parameters


def _require_json(content_type: str) -> None:
    header = Message()
    header["content-type"] = content_type
    if header.get_content_type() != JSON or str(header.get_param("charset", "utf-8")).lower() != "utf-8":
        raise HttpRefusal(415, f"The request must be {JSON} in UTF-8.")


def _decode(text: bytes | str, message: str) -> object:
    try:
        return json_text.decode(text)
    except ValueError:
        raise HttpRefusal(400, message) from None


def _response(reply: Reply, media_type: str, status: int | None = None, headers: Mapping[str, str] | None = None) -> Response:
    status = status or _status(reply, media_type)
    return Response(
        json_text.encode(reply),
        status_code=status,
        headers={
            "Content-Type": f"{media_type}; charset=utf-8",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            **({"WWW-Authenticate": "Bearer"} if status == 401 else {}),
            **(headers or {}),
        },
    )


def _status(reply: Reply, media_type: str) -> int:
    if "data" in reply:
        return 200
    extensions = reply["errors"][0]["extensions"]
    assert isinstance(extensions, dict)
    status = _STATUS[ErrorCode(extensions["code"])]
    # Clients that ask for plain JSON take a 4xx for a broken connection and never read why their document was refused.
    return 200 if media_type == JSON and status == 400 else status
