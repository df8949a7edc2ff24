"""A small GraphQL client: queries and mutations over HTTP, subscriptions over graphql-transport-ws."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

ANSWER_SECONDS = 60

Data = dict[str, Any]


class ApiError(Exception):
    """The server refused; the message is its own."""


class Client:
    """Speaks to the server at `address`, such as http://127.0.0.1:8000, for whoever `token` names."""

    def __init__(self, address: str, token: str) -> None:
        self._authorization = f"Bearer {token}"
        self._socket_address = f"{address.replace('http', 'ws', 1)}/graphql"
        self._http = httpx2.AsyncClient(base_url=address, headers={"Authorization": self._authorization}, timeout=ANSWER_SECONDS)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def ask(self, document: str, **variables: object) -> Data:
        """The `data` of the answer. Raises ApiError."""
        response = await self._http.post("/graphql", json={"query": document, "variables": variables})
        return _data(response.json())

    async def change(self, document: str, **given: object) -> Data:
        """The payload of a mutation that takes one `$input`. Raises ApiError with what the payload's errors say."""
        (payload,) = (await self.ask(document, input=given)).values()
        if payload["errors"]:
            raise ApiError("; ".join(error["message"] for error in payload["errors"]))
        return dict(payload)

    @asynccontextmanager
    async def follow(self, document: str, **variables: object) -> AsyncIterator[AsyncIterator[Data]]:
        """The events of a subscription, on a socket of their own; leaving the context closes it."""
        async with connect(self._socket_address, subprotocols=[Subprotocol("graphql-transport-ws")], max_size=None) as socket:
            await socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": self._authorization}}))
            await socket.recv()
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": document, "variables": variables}}))

            async def events() -> AsyncIterator[Data]:
                async for message in socket:
                    frame = json.loads(message)
                    if frame["type"] == "complete":
                        return
                    if frame["type"] == "error":
                        raise ApiError(frame["payload"][0]["message"])
                    if frame["type"] == "next":
                        yield _data(frame["payload"])

            yield events()


def _data(answer: Data) -> Data:
    if answer.get("errors"):
        raise ApiError(answer["errors"][0]["message"])
    return dict(answer["data"])
