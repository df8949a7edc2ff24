"""Requests of a client to the toy's HTTP endpoint, and what a stream over HTTP says."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from tests.schema.edge.toy import token

EVENT_STREAM = "text/event-stream"
MULTIPART = 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'


def asking(address: str, body: object, *, accept: str, presented: str | None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """What to give to an HTTP client; `presented` None sends no token."""
    content = body if isinstance(body, bytes) else json.dumps({"query": body} if isinstance(body, str) else body).encode()
    sent = {"Accept": accept, "Content-Type": "application/json", **(headers or {})}
    if presented is not None:
        sent["Authorization"] = f"Bearer {presented}"
    return {"method": "POST", "url": f"http://{address}/graphql", "content": content, "headers": sent}


@asynccontextmanager
async def streamed(
    address: str, body: object, *, accept: str = EVENT_STREAM, presented: str | None = None
) -> AsyncIterator[httpx2.Response]:
    async with (
        httpx2.AsyncClient(timeout=10) as client,
        client.stream(**asking(address, body, accept=accept, presented=presented or token())) as response,
    ):
        yield response


async def answered(address: str, body: object, *, accept: str = EVENT_STREAM, presented: str | None = None) -> httpx2.Response:
    """The whole answer, a stream's to its end."""
    async with httpx2.AsyncClient(timeout=10) as client:
        return await client.request(**asking(address, body, accept=accept, presented=presented or token()))


def events(text: str) -> list[tuple[str, Any]]:
    """The (event, data) of a whole stream, comments left out. The framing is checked to the letter."""
    assert "\r" not in text
    assert text.endswith("\n\n")
    said = []
    for block in text.removesuffix("\n\n").split("\n\n"):
        if block.startswith(":"):
            assert "\n" not in block
            continue
        event, data = block.split("\n")
        assert event.startswith("event: ")
        assert data.startswith("data:")
        said.append((event.removeprefix("event: "), json.loads(data.removeprefix("data:").strip() or "null")))
    return said


def parts(text: str) -> list[dict[str, Any]]:
    """The parts of a whole multipart body."""
    first, *rest = text.split("--graphql")
    assert first == ""
    assert rest.pop() == "--\r\n"
    said = []
    for part in rest:
        head, _, content = part.partition("\r\n\r\n")
        assert head.strip().lower() == "content-type: application/json"
        assert content.endswith("\r\n")
        said.append(json.loads(content))
    return said
