"""A client's authenticated socket, open before the clock starts, as a frontend's is."""

import asyncio
import json
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect

from commands.demo import documents
from tests.server.running import token_for

PATIENCE_SECONDS = 30


class Follower:
    """Follows one job after the other."""

    def __init__(self, address: str) -> None:
        self._connecting = connect(f"{address.replace('http', 'ws', 1)}/graphql", subprotocols=["graphql-transport-ws"])  # type: ignore[list-item]
        self._subscriptions = 0
        self._socket: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        self._socket = await self._connecting.__aenter__()
        await self._send("connection_init", None, authorization=f"Bearer {token_for('ada')}")
        await self._socket.recv()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._connecting.__aexit__(*error)  # type: ignore[arg-type]

    async def subscribe(self, job_id: str) -> None:
        self._subscriptions += 1
        await self._send("subscribe", str(self._subscriptions), query=documents.EVENTS, variables={"jobId": job_id})

    async def event(self) -> dict[str, Any] | None:
        """The next of the log; None when it has ended."""
        assert self._socket is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            frame = json.loads(await self._socket.recv())
        return frame["payload"]["data"]["jobEvents"] if frame["type"] == "next" else None

    async def _send(self, kind: str, number: str | None, **payload: object) -> None:
        assert self._socket is not None
        await self._socket.send(json.dumps({"type": kind, "payload": payload} | ({} if number is None else {"id": number})))
