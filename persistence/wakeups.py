"""Hints between processes over LISTEN/NOTIFY: one connection per process, heard again after every loss, with polling underneath.

Nothing is queued for a reader: a hint sets its event, and however many come before it looks, it looks once.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any
from uuid import UUID

import asyncpg

from persistence.database import Database
from persistence.events import CANCELS_CHANNEL, EVENTS_CHANNEL

logger = logging.getLogger(__name__)

POLL_SECONDS = 3.0
LIVENESS_SECONDS = 10.0
QUERY_SECONDS = 5.0
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0
# The last is what the driver says when the server has ended a connection between two statements.
GONE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
WORKERS_LOCK = 0x5C12_1970_7215
"""The advisory lock that every worker process shares while it lives."""


class PostgresWakeups:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._followers: defaultdict[UUID, set[asyncio.Event]] = defaultdict(set)
        self._cancel_watchers: set[_CancelWatcher] = set()
        self._connection: asyncpg.Connection[Any] | None = None
        self._connected = asyncio.Event()
        self._querying = asyncio.Lock()
        self._is_worker = False
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen; readers may begin before the connection stands."""
        self._listening = asyncio.create_task(self._listen(), name="wakeups: listen")

    async def stop(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait({self._listening})
            self._listening = None

    @asynccontextmanager
    async def job_changed(self, job_id: UUID) -> AsyncIterator[AsyncIterator[None]]:
        event = asyncio.Event()
        event.set()
        self._followers[job_id].add(event)
        try:
            async with aclosing(_hints(event)) as hints:
                yield hints
        finally:
            self._followers[job_id].discard(event)
            if not self._followers[job_id]:
                del self._followers[job_id]

    @asynccontextmanager
    async def cancel_requests(self) -> AsyncIterator[AsyncIterator[UUID]]:
        watcher = _CancelWatcher()
        self._cancel_watchers.add(watcher)
        try:
            async with aclosing(watcher.requests()) as requests:
                yield requests
        finally:
            self._cancel_watchers.discard(watcher)

    def notify_local(self, job_ids: Iterable[UUID]) -> None:
        for job_id in job_ids:
            for event in self._followers.get(job_id, ()):
                event.set()

    @asynccontextmanager
    async def joining_workers(self) -> AsyncIterator[bool]:
        """Raises TimeoutError when the database cannot be reached, or another worker stays in here."""
        async with asyncio.timeout(QUERY_SECONDS):
            await self._connected.wait()
        async with self._querying:
            connection = self._connection
            assert connection is not None
            async with asyncio.timeout(QUERY_SECONDS):
                alone: bool = await connection.fetchval("SELECT pg_try_advisory_lock($1)", WORKERS_LOCK)
                if not alone:
                    await connection.execute("SELECT pg_advisory_lock_shared($1)", WORKERS_LOCK)
            self._is_worker = True
            try:
                yield alone
            finally:
                if alone and not connection.is_closed():
                    # Taken before the other is given back, so that there is no moment in which nobody seems to work here.
                    await connection.execute("SELECT pg_advisory_lock_shared($1)", WORKERS_LOCK)
                    await connection.execute("SELECT pg_advisory_unlock($1)", WORKERS_LOCK)

    async def _listen(self) -> None:
        pause = SHORTEST_PAUSE_SECONDS
        while True:
            try:
                async with asyncio.timeout(QUERY_SECONDS):
                    connection = await self._database.connect_for_listening()
                try:
                    await self._open(connection)
                    pause = SHORTEST_PAUSE_SECONDS
                    await self._stay(connection)
                finally:
                    self._connected.clear()
                    self._connection = None
                    await _close(connection)
            except GONE as error:
                logger.warning("wakeups.lost", extra={"reason": type(error).__name__})
            except Exception:  # whatever it was: without this task the process would hear nothing any more, and nobody be told
                logger.exception("wakeups.failed")
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _open(self, connection: "asyncpg.Connection[Any]") -> None:
        async with asyncio.timeout(QUERY_SECONDS):
            await connection.add_listener(EVENTS_CHANNEL, self._events_written)
            await connection.add_listener(CANCELS_CHANNEL, self._cancel_requested)
            if self._is_worker:
                await connection.execute("SELECT pg_advisory_lock_shared($1)", WORKERS_LOCK)
        self._connection = connection
        self._connected.set()
        # What was committed while nobody listened is found by looking once.
        self.notify_local(list(self._followers))

    async def _stay(self, connection: "asyncpg.Connection[Any]") -> None:
        """Return when the connection is gone; a peer that is dead but silent is found by asking it."""
        ended = asyncio.Event()
        connection.add_termination_listener(lambda _: ended.set())
        while not (ended.is_set() or connection.is_closed()):
            with suppress(TimeoutError):
                async with asyncio.timeout(LIVENESS_SECONDS):
                    await ended.wait()
            if not ended.is_set():
                async with self._querying, asyncio.timeout(QUERY_SECONDS):
                    await connection.execute("SELECT 1")

    def _events_written(self, _connection: object, _process: int, _channel: str, payload: object) -> None:
        self.notify_local(UUID(job_id) for job_id in str(payload).split(","))

    def _cancel_requested(self, _connection: object, _process: int, _channel: str, payload: object) -> None:
        for watcher in self._cancel_watchers:
            watcher.tell(UUID(str(payload)))


async def _hints(event: asyncio.Event) -> AsyncGenerator[None, None]:
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await event.wait()
        event.clear()
        yield


class _CancelWatcher:
    def __init__(self) -> None:
        self._requested: set[UUID] = set()
        self._changed = asyncio.Event()

    def tell(self, job_id: UUID) -> None:
        self._requested.add(job_id)
        self._changed.set()

    async def requests(self) -> AsyncGenerator[UUID, None]:
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._requested:
                yield self._requested.pop()


async def _close(connection: "asyncpg.Connection[Any]") -> None:
    try:
        async with asyncio.timeout(1):
            await connection.close()
    except GONE:
        connection.terminate()
