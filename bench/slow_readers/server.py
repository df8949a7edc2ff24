"""`python -m bench.slow_readers.server`: says its port, and serves until it is terminated."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import strawberry
import uvicorn

from commands.http_server import bound_what_waits, server_config
from domain.access import User, Viewer
from domain.identifiers import uuid7
from schema.edge.app import GraphQLEdge
from schema.edge.limits import Limits
from server import utc_now

EVENT_CHARACTERS = 100_000
BETWEEN_BEATS = 0.05


@strawberry.type
class Query:
    alive: bool = True


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def flood(self) -> AsyncIterator[str]:
        while True:
            yield "x" * EVENT_CHARACTERS

    @strawberry.subscription
    async def beats(self) -> AsyncIterator[float]:
        """The time of each, on the clock that all processes share."""
        while True:
            await asyncio.sleep(BETWEEN_BEATS)
            yield time.perf_counter()


async def _anybody(token: str) -> Viewer:
    return Viewer(User(uuid7(), token, None), datetime.max.replace(tzinfo=UTC) - timedelta(days=1))


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    bound_what_waits(listener)
    edge = GraphQLEdge(
        strawberry.Schema(query=Query, subscription=Subscription),
        authenticate=_anybody,
        context=lambda viewer: viewer,
        identify=lambda viewer: viewer.user.name,
        limits=Limits(),
        development=False,
        allowed_origins=(),
        now=utc_now,
    )
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(server_config(edge, Limits(), lifespan="off")).run(sockets=[listener])


if __name__ == "__main__":
    main()
