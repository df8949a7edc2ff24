"""A way to the tests' Postgres that breaks at a chosen statement: before the server gets it, or after it was done but not answered.

It stands in between and reads along, so what breaks is the connection itself: the server keeps what it has committed, and the driver
learns nothing.

    async with BreakingPostgres(cluster.socket_directory) as postgres:
        database = Database(postgres.url(name, login=login))
        postgres.cut(AFTER, commit_of("INSERT INTO job_event"))
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Self

CLOSED = (asyncio.IncompleteReadError, ConnectionError)


class Moment(Enum):
    BEFORE = auto()
    AFTER = auto()


BEFORE, AFTER = Moment.BEFORE, Moment.AFTER


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """`number` counts all connections' statements, BEGIN and COMMIT too, from 1 since the cut was asked for; `earlier` are those of
    the same connection since its last BEGIN."""

    sql: str
    number: int
    earlier: tuple[str, ...]


Choice = Callable[[Statement], bool]


def commit_of(words: str) -> Choice:
    """The commit of a transaction in which a statement with these words was made."""
    return lambda statement: statement.sql.startswith("COMMIT") and any(words in sql for sql in statement.earlier)


class BreakingPostgres:
    """Serves until its context ends. `cuts` counts the connections it has broken."""

    def __init__(self, socket_directory: Path) -> None:
        self._upstream = socket_directory / ".s.PGSQL.5432"
        self._choices: list[tuple[Moment, Choice]] = []
        self._statements = 0
        self._connections: set[asyncio.Task[None]] = set()
        self.cuts = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        if self._connections:
            await asyncio.wait(self._connections)

    def url(self, database: str, *, login: str) -> str:
        port = self._server.sockets[0].getsockname()[1]
        return f"postgresql://{login}@127.0.0.1:{port}/{database}?sslmode=disable"

    def cut(self, moment: Moment, when: Choice) -> None:
        """Break the next connection that makes such a statement, once."""
        self._statements = 0
        self._choices.append((moment, when))

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        server_reader, server_writer = await asyncio.open_unix_connection(self._upstream)
        try:
            connection = _Connection(self._moment_of, reader, writer, server_reader, server_writer)
            if await connection.until_closed():
                self.cuts += 1
        finally:
            self._connections.discard(task)
            writer.transport.abort()
            server_writer.transport.abort()

    def _moment_of(self, sql: str, earlier: tuple[str, ...]) -> Moment | None:
        self._statements += 1
        statement = Statement(sql=sql, number=self._statements, earlier=earlier)
        for choice in self._choices:
            if choice[1](statement):
                self._choices.remove(choice)
                return choice[0]
        return None


class _Connection:
    """Frames of the frontend/backend protocol, handed on in both directions."""

    def __init__(
        self,
        moment_of: Callable[[str, tuple[str, ...]], Moment | None],
        client: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
        server: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
    ) -> None:
        self._moment_of = moment_of
        self._client, self._to_client = client, to_client
        self._server, self._to_server = server, to_server
        self._prepared: dict[bytes, str] = {}
        self._earlier: tuple[str, ...] = ()
        self._unanswered = False
        self._broken = False

    async def until_closed(self) -> bool:
        """Whether it was broken on purpose."""
        pumps = [asyncio.create_task(self._requests()), asyncio.create_task(self._answers())]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.wait(pumps)
        return self._broken

    async def _requests(self) -> None:
        with suppress(*CLOSED):
            length = await self._client.readexactly(4)  # of the startup packet, the only one without a kind
            self._to_server.write(length + await self._client.readexactly(int.from_bytes(length) - 4))
            while True:
                kind, body, frame = await _frame(self._client)
                match self._moment(kind, body):
                    case Moment.BEFORE:
                        self._broken = True
                        return
                    case Moment.AFTER:
                        self._unanswered = True
                self._to_server.write(frame)

    async def _answers(self) -> None:
        with suppress(*CLOSED):
            while True:
                kind, _, frame = await _frame(self._server)
                if not self._unanswered:
                    self._to_client.write(frame)
                elif kind == b"Z":  # ready for the next: this one is done
                    self._broken = True
                    return

    def _moment(self, kind: bytes, body: bytes) -> Moment | None:
        if kind == b"P":
            name, sql, _ = body.split(b"\0", 2)
            self._prepared[name] = sql.decode()
            return None
        if kind == b"B":
            return self._made(self._prepared[body.split(b"\0", 2)[1]])
        return self._made(body.rstrip(b"\0").decode()) if kind == b"Q" else None

    def _made(self, sql: str) -> Moment | None:
        if sql.startswith("BEGIN"):
            self._earlier = ()
        moment = self._moment_of(sql, self._earlier)
        self._earlier += (sql,)
        return moment


async def _frame(reader: asyncio.StreamReader) -> tuple[bytes, bytes, bytes]:
    """A message's kind, its body, and all of it as it came."""
    head = await reader.readexactly(5)
    body = await reader.readexactly(int.from_bytes(head[1:]) - 4)
    return head[:1], body, head + body
