"""A proxy in front of Postgres that knows where a statement begins and where its answer ends, and breaks connections exactly there.

    async with DatabaseProxy(cluster.socket_directory) as proxy:
        database = Database(proxy.url(cluster.url(name)))
        ...                                      # use it once, so that its connection stands and its statements are prepared
        with proxy.noting() as statements:       # what is sent meanwhile: BEGIN and COMMIT are statements like others
            await something(database)
        proxy.cut(3, Moment.BEFORE)              # the third statement from now on does not reach the server
        proxy.cut(3, Moment.AFTER)               # it takes effect, and nobody is told
        with proxy.frozen():                     # bytes stay where they are, as when a network is gone, and arrive afterwards
            ...
        proxy.refuse("scriptorium listener")     # connections of this application end, and no new one stands, until `admit`

It speaks the frontend's part of the protocol as far as that goes: https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

import asyncio
import re
import shutil
import struct
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Self
from urllib.parse import quote

SOCKET_NAME = ".s.PGSQL.5432"
CANCEL_REQUEST = 80877102
CHUNK = 1 << 16
READY_FOR_QUERY = b"Z"


class Moment(Enum):
    BEFORE = auto()
    AFTER = auto()


@dataclass
class Cut:
    """When `remaining` statements more of those that count have been sent, the connection that sends the last of them is broken."""

    remaining: int
    moment: Moment
    counts: Callable[[str], bool]
    statement: str | None = None


@dataclass(eq=False)
class Link:
    """One client's connection and its other half. A deaf one hears no answer any more, and ends with the one it is owed."""

    application: str
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    statements: dict[bytes, str] = field(default_factory=dict)
    portals: dict[bytes, str] = field(default_factory=dict)
    is_deaf: bool = False

    def abort(self) -> None:
        for writer in (self.client, self.server):
            writer.transport.abort()


class DatabaseProxy:
    """For the server whose Unix socket is in `upstream`. `made` is the cut that was made last, with the text of its statement."""

    def __init__(self, upstream: Path) -> None:
        self._upstream = str(upstream / SOCKET_NAME)
        # Not pytest's folder, whose path is too long for a socket's.
        self._folder = Path(tempfile.mkdtemp(prefix="pgproxy-"))
        self._server: asyncio.Server | None = None
        self._links: set[Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._refused: set[str] = set()
        self._noted: list[tuple[list[str], str | None]] = []
        self._cut: Cut | None = None
        self.made: Cut | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._accept, self._folder / SOCKET_NAME)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, direct: str) -> str:
        """The same database and login by way of this proxy."""
        return re.sub(r"host=[^&]+", f"host={quote(str(self._folder))}", direct)

    @contextmanager
    def noting(self, *, besides: str | None = None) -> Iterator[list[str]]:
        """The statements that are sent while the context lasts, without those of the application called `besides`."""
        statements: list[str] = []
        self._noted.append((statements, besides))
        try:
            yield statements
        finally:
            self._noted = [noted for noted in self._noted if noted[0] is not statements]

    def cut(self, number: int, moment: Moment, *, counting: Callable[[str], bool] = lambda _: True) -> None:
        """Break the connection that sends the statement of this number, from 1, counted over all connections from now on."""
        self._cut, self.made = Cut(number, moment, counting), None

    def spare(self) -> None:
        """Whatever cut was ordered and not made is called off."""
        self._cut = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        self._flowing.clear()
        try:
            yield
        finally:
            self._flowing.set()

    def refuse(self, application: str) -> None:
        self._refused.add(application)
        for link in self._links:
            if link.application == application:
                link.abort()

    def admit(self, application: str) -> None:
        self._refused.discard(application)

    async def _accept(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._connect(reader, client)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # one side is gone, or __aexit__ ended it
        finally:
            self._tasks.discard(task)
            client.close()

    async def _connect(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        length = await reader.readexactly(4)
        startup = await reader.readexactly(struct.unpack("!I", length)[0] - 4)
        await self._flowing.wait()
        application = _application(startup)
        if application in self._refused:
            return
        answers, server = await asyncio.open_unix_connection(self._upstream)
        link = Link(application, client, server)
        self._links.add(link)
        try:
            server.write(length + startup)
            if struct.unpack("!I", startup[:4])[0] == CANCEL_REQUEST:
                await answers.read()
                return
            pumps = [asyncio.create_task(self._requests(reader, link)), asyncio.create_task(self._answers(answers, link))]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            self._links.discard(link)
            server.close()

    async def _requests(self, reader: asyncio.StreamReader, link: Link) -> None:
        async for messages in _messages(reader):
            for message in messages:
                statement = _statement(message, link)
                if statement is not None and self._begins(statement, link):
                    return
            await self._flowing.wait()
            link.server.write(b"".join(messages))
            await link.server.drain()

    async def _answers(self, reader: asyncio.StreamReader, link: Link) -> None:
        async for messages in _messages(reader):
            if link.is_deaf:
                if any(message.startswith(READY_FOR_QUERY) for message in messages):  # what was asked has taken effect, or failed
                    link.abort()
                    return
                continue
            await self._flowing.wait()
            link.client.write(b"".join(messages))
            await link.client.drain()

    def _begins(self, statement: str, link: Link) -> bool:
        """Whether the connection was broken before it."""
        for statements, besides in self._noted:
            if link.application != besides:
                statements.append(statement)
        if self._cut is None or not self._cut.counts(statement):
            return False
        self._cut.remaining -= 1
        if self._cut.remaining > 0:
            return False
        self.made, self._cut = self._cut, None
        self.made.statement = statement
        if self.made.moment is Moment.AFTER:
            link.is_deaf = True
            return False
        link.abort()
        return True


async def _messages(reader: asyncio.StreamReader) -> AsyncIterator[list[bytes]]:
    """Whole messages, as many as have come at once. A message begins with one byte for its kind and four for the length of the rest."""
    buffer = b""
    while chunk := await reader.read(CHUNK):
        buffer += chunk
        messages = []
        while len(buffer) >= 5 and len(buffer) >= (end := 1 + struct.unpack_from("!I", buffer, 1)[0]):
            messages.append(buffer[:end])
            buffer = buffer[end:]
        if messages:
            yield messages


def _statement(message: bytes, link: Link) -> str | None:
    """The text of the statement that this message has carried out, if it is one that has anything carried out."""
    kind, body = message[:1], message[5:]
    match kind:
        case b"Q":
            return _text(body)
        case b"P":
            name, query, _ = body.split(b"\0", 2)
            link.statements[name] = _text(query)
        case b"B":
            portal, name, _ = body.split(b"\0", 2)
            link.portals[portal] = link.statements.get(name, "")
        case b"E":
            return link.portals.get(body.split(b"\0", 1)[0], "")
    return None


def _text(query: bytes) -> str:
    return " ".join(query.rstrip(b"\0").decode("utf-8", "replace").split())


def _application(startup: bytes) -> str:
    """The client's application_name, if it gives one."""
    words = startup[4:].split(b"\0")
    with suppress(ValueError, IndexError):
        return words[words.index(b"application_name") + 1].decode("utf-8", "replace")
    return ""
