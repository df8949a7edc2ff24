"""A small schema on a real server: what the edge's tests talk to."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import strawberry
import uvicorn

from commands.http_server import bound_what_waits, server_config
from resolvers.authentication import AuthenticationFailed, issue_development_token, local_authenticator
from schema.edge.allowance import Allowances
from schema.edge.app import GraphQLEdge
from schema.edge.errors import ErrorCode, RequestError, Unavailable
from schema.edge.limits import Limits
from schema.edge.trusted_documents import TrustedDocuments

SECRET = "a secret that is long enough for tests"
HARMLESS_ORIGIN = "https://studio.example"


@dataclass(frozen=True)
class Viewer:
    subject: str
    expires_at: datetime

    @property
    def id(self) -> str:
        return self.subject


@dataclass
class Context:
    viewer: Viewer
    number: int


@dataclass
class Observed:
    """What the tests may see of the inside: how many contexts were made, which subscriptions run, who is banned."""

    contexts: int = 0
    running: Counter[str] = field(default_factory=Counter)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    banned: set[str] = field(default_factory=set)
    rushed_through: bool = False

    def note(self, name: str, difference: int) -> None:
        self.running[name] += difference
        self.changed.set()

    async def until_running(self, name: str, count: int) -> None:
        async with asyncio.timeout(5):
            while self.running[name] != count:
                self.changed.clear()
                await self.changed.wait()


Info = strawberry.Info[Context, None]


@strawberry.type
class Chapter:
    title: str

    @strawberry.field
    def next(self) -> "Chapter":
        return Chapter(title=self.title)


def toy_schema(observed: Observed) -> strawberry.Schema:  # noqa: C901 - many fields, none with a branch
    @strawberry.type
    class Query:
        chapter: Chapter = strawberry.field(resolver=lambda: Chapter(title="One"))

        @strawberry.field
        def viewer(self, info: Info) -> str:
            return info.context.viewer.subject

        @strawberry.field
        def context_number(self, info: Info) -> int:
            return info.context.number

        @strawberry.field
        def length(self, text: str) -> int:
            return len(text)

        @strawberry.field
        def echo(self, text: str) -> str:
            return text

        @strawberry.field
        def double(self, number: int) -> int:
            return number * 2

        @strawberry.field
        def pages(self, number: int) -> str:
            return "x" * 1_000_000 * number

        @strawberry.field
        def fails(self) -> str | None:
            raise RuntimeError("the password is swordfish")

        @strawberry.field
        def fails_hard(self) -> str:
            raise RuntimeError("the password is swordfish")

        @strawberry.field
        def forbidden(self) -> str | None:
            raise RequestError(ErrorCode.FORBIDDEN, "Only the owner may see this.")

        @strawberry.field
        def unknown_key(self) -> str | None:
            raise KeyError("translated by explain")

        @strawberry.field
        async def never(self) -> str:
            await asyncio.Event().wait()
            return "unreachable"

    @strawberry.type
    class Mutation:
        @strawberry.mutation
        def rename(self, title: str) -> str:
            return title

        @strawberry.mutation
        async def never(self) -> str:
            await asyncio.Event().wait()
            return "unreachable"

    @strawberry.type
    class Subscription:
        @strawberry.subscription
        async def count(self, to: int) -> AsyncIterator[int]:
            for number in range(to):
                yield number

        @strawberry.subscription
        async def chapters(self, to: int) -> AsyncIterator[Chapter]:
            for number in range(to):
                yield Chapter(title=f"{number}")

        @strawberry.subscription
        async def silent(self) -> AsyncIterator[int]:
            observed.note("silent", 1)
            try:
                yield 0
                await asyncio.Event().wait()
            finally:
                observed.note("silent", -1)

        @strawberry.subscription
        async def flood(self) -> AsyncIterator[str]:
            observed.note("flood", 1)
            try:
                while True:
                    yield "x" * 1_000_000
            finally:
                observed.note("flood", -1)

        @strawberry.subscription
        async def rush(self) -> AsyncIterator[int]:
            """Never waits for anything."""
            observed.note("rush", 1)
            try:
                for number in range(50_000):
                    yield number
                observed.rushed_through = True
            finally:
                observed.note("rush", -1)

        @strawberry.subscription
        async def breaks(self) -> AsyncIterator[int]:
            yield 0
            raise RuntimeError("the password is swordfish")

        @strawberry.subscription
        async def refused(self) -> AsyncIterator[int]:
            raise RequestError(ErrorCode.FORBIDDEN, "Only the owner may see this.")
            yield 0

    return strawberry.Schema(query=Query, mutation=Mutation, subscription=Subscription)


def toy_time() -> datetime:
    """The event loop's own clock, so that a token's end and the timers that wait for it agree."""
    return datetime.fromtimestamp(asyncio.get_running_loop().time(), UTC)


def token(subject: str = "ada", *, ttl: timedelta = timedelta(hours=1)) -> str:
    return issue_development_token(SECRET, subject=subject, name=None, email=None, ttl=ttl, now=toy_time())


def toy_edge(
    observed: Observed,
    *,
    development: bool = False,
    limits: Limits | None = None,
    documents: TrustedDocuments | None = None,
    allowances: Allowances | None = None,
) -> GraphQLEdge[Viewer]:
    tokens = local_authenticator(SECRET, now=toy_time)

    async def authenticate(presented: str) -> Viewer:
        claims = await tokens.authenticate(presented)
        if claims.subject in observed.banned:
            raise AuthenticationFailed
        if claims.subject == "unlucky":
            raise OSError("the database at 10.0.0.7 is gone")
        if claims.subject == "early":
            raise Unavailable
        return Viewer(claims.subject, claims.expires_at)

    def context(viewer: Viewer) -> Context:
        observed.contexts += 1
        return Context(viewer, observed.contexts)

    def explain(error: BaseException) -> RequestError | None:
        return RequestError(ErrorCode.BAD_USER_INPUT, "There is no such key.") if isinstance(error, KeyError) else None

    return GraphQLEdge(
        toy_schema(observed),
        authenticate=authenticate,
        context=context,
        identify=lambda viewer: viewer.subject,
        limits=limits or Limits(),
        allowances=allowances,
        development=development,
        allowed_origins=[HARMLESS_ORIGIN],
        now=toy_time,
        explain=explain,
        documents=documents,
    )


@asynccontextmanager
async def serving(edge: GraphQLEdge[Viewer]) -> AsyncIterator[str]:
    """The address (host and port) where the edge is served."""
    async with server_of(edge) as (address, _):
        yield address


@asynccontextmanager
async def server_of(edge: GraphQLEdge[Viewer], **options: Any) -> AsyncIterator[tuple[str, uvicorn.Server]]:
    """The address where the edge is served, and what serves it there; `options` are uvicorn's."""
    listener = socket.create_server(("127.0.0.1", 0))
    bound_what_waits(listener)
    server = uvicorn.Server(server_config(edge, Limits(), lifespan="off", timeout_graceful_shutdown=1, **options))
    # Not `serve`, which takes over the signal handlers of the test run.
    running = asyncio.create_task(server._serve(sockets=[listener]))
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}", server
    finally:
        server.should_exit = True
        await running
