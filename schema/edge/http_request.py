"""Reading the parameters of an operation from an HTTP request."""

import asyncio
from collections.abc import Mapping
from email.message import Message
from functools import lru_cache

from starlette.requests import Request

from schema.edge import json_text
from schema.edge.errors import ErrorCode, RequestError
from schema.edge.limits import Limits
from schema.edge.media_types import JSON
from schema.edge.operation_request import MalformedRequest, OperationRequest

# A page on another site cannot add any of these to a request without asking first (a CORS preflight).
PREFLIGHT_HEADERS = ("GraphQL-Require-Preflight", "Apollo-Require-Preflight", "X-Apollo-Operation-Name")


class HttpRefusal(RequestError):  # noqa: N818 - a refusal is an answer, not a malfunction
    """A request that HTTP itself has a status for."""

    def __init__(
        self, status: int, message: str, headers: Mapping[str, str] | None = None, *, code: ErrorCode = ErrorCode.BAD_USER_INPUT
    ) -> None:
        super().__init__(code, message)
        self.status = status
        self.headers = headers or {}


async def read_operation(request: Request, limits: Limits, *, anonymous: bool) -> OperationRequest:
    """Raises: HttpRefusal."""
    parameters = _read_query_string(request) if request.method == "GET" else await _read_body(request, limits, anonymous=anonymous)
    try:
        return OperationRequest.parse(parameters)
    except MalformedRequest as error:
        raise HttpRefusal(400, str(error)) from error


def _read_query_string(request: Request) -> dict[str, object]:
    if not any(name in request.headers for name in PREFLIGHT_HEADERS):
        raise HttpRefusal(400, f"GET needs one of these headers: {', '.join(PREFLIGHT_HEADERS)}.")
    parameters: dict[str, object] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if text := request.query_params.get(name):
            parameters[name] = _decode(text, f"`{name}` must be JSON.")
    return parameters


async def _read_body(request: Request, limits: Limits, *, anonymous: bool) -> object:
    if not _is_json(request.headers.get("content-type", "")):
        raise HttpRefusal(415, f"The request must be {JSON} in UTF-8.")
    allowed = limits.anonymous_body_bytes if anonymous else limits.body_bytes
    too_large = HttpRefusal(413, f"The request is larger than {allowed} bytes.")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > allowed:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > allowed:
                    raise too_large
    except TimeoutError:
        # What is still to come would be taken for the next request.
        raise HttpRefusal(408, "The request did not arrive in time.", {"Connection": "close"}) from None
    return _decode(bytes(body), "The request body must be JSON in UTF-8.")


@lru_cache(maxsize=64)
def _is_json(content_type: str) -> bool:
    header = Message()
    header["content-type"] = content_type
    return header.get_content_type() == JSON and str(header.get_param("charset", "utf-8")).lower() == "utf-8"


def _decode(text: bytes | str, message: str) -> object:
    try:
        return json_text.decode(text)
    except ValueError:
        raise HttpRefusal(400, message) from None
