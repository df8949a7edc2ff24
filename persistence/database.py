"""Connections and transactions. The only commit is here, and so is the choice of whom a transaction acts for.

The tenant is set by the first statement inside the transaction, for that transaction alone: not by a listener, whose cancellation
could hand a connection to the next user with the last one's setting.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import bindparam, event, func, select
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from persistence.urls import DatabaseAddress

APPLICATION_ROLE = "scriptorium_app"
WORKER_ROLE = "scriptorium_worker"

STATEMENT_SECONDS = 5
IDLE_SECONDS = 10
"""How long a process that is stuck in the middle of a transaction may keep its locks."""
ANSWER_SECONDS = 10
CHECKOUT_SECONDS = 60
"""How long to wait for a free connection: longer than any operation may take, whose own deadline is an answer that a client understands."""
RECYCLE_SECONDS = 1800

_SESSION = {
    "statement_timeout": f"{STATEMENT_SECONDS}s",
    "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
    "jit": "off",
    "timezone": "UTC",
}

_ACT_FOR_USER = select(
    func.set_config("role", APPLICATION_ROLE, True),
    func.set_config("app.user_id", bindparam("user_id"), True),
    func.set_config("transaction_read_only", bindparam("read_only"), True),
)
_ACT_AS_WORKER = select(func.set_config("role", WORKER_ROLE, True))


class Database:
    """A pool of connections to the Postgres at `url`, a libpq URL. Raises persistence.urls.InvalidDatabaseUrl."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self._address = DatabaseAddress.parse(url)
        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self._connect,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=CHECKOUT_SECONDS,
            pool_recycle=RECYCLE_SECONDS,
            pool_use_lifo=True,
            json_serializer=lambda document: orjson.dumps(document).decode(),
            json_deserializer=orjson.loads,
            # What goes wrong is logged; an author's text is not.
            hide_parameters=True,
        )
        event.listen(self._engine.sync_engine, "checkout", _refuse_closed_connection)

    @asynccontextmanager
    async def as_user(self, user_id: UUID, *, read_only: bool = False) -> AsyncIterator[AsyncConnection]:
        """A transaction that row security confines to what `user_id` may see; committed when the context ends well."""
        async with self._engine.begin() as connection:
            await connection.execute(_ACT_FOR_USER, {"user_id": str(user_id), "read_only": "on" if read_only else "off"})
            yield connection

    @asynccontextmanager
    async def as_worker(self) -> AsyncIterator[AsyncConnection]:
        """A transaction on the job tables of all tenants, without access to texts; committed when the context ends well."""
        async with self._engine.begin() as connection:
            await connection.execute(_ACT_AS_WORKER)
            yield connection

    async def connect_for_listening(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection of its own, outside the pool, without a statement timeout; whoever asks for it closes it."""
        arguments = self._address.asyncpg_arguments(settings={"application_name": "scriptorium listener"})
        return await asyncpg.connect(**arguments, command_timeout=ANSWER_SECONDS)

    def dsn_for_engine(self) -> str:
        """A libpq conninfo whose sessions act as the worker role; it holds the password."""
        return self._address.conninfo(settings={"role": WORKER_ROLE})

    async def close(self) -> None:
        await self._engine.dispose()

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(**self._address.asyncpg_arguments(settings=_SESSION), command_timeout=ANSWER_SECONDS)


def _refuse_closed_connection(dbapi_connection: Any, *_: object) -> None:
    """Makes the pool open a new connection in place of one that the server has closed, without asking the server."""
    if dbapi_connection.driver_connection.is_closed():
        raise DisconnectionError
