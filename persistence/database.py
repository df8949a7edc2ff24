"""Transactions. The only commit is here, and so is the choice of whom a transaction acts for.

The tenant is set in the message that begins the transaction, for that transaction alone, so that no connection can be handed to the
next user with the last one's setting, whenever something is cancelled.
"""

from types import TracebackType
from uuid import UUID

import asyncpg
from sqlalchemy.exc import DBAPIError

from persistence.connection import DRIVER_ERRORS, Connection, Driver, Row, failure, make_ready
from persistence.pool import Pool
from persistence.urls import DatabaseAddress

APPLICATION_ROLE = "scriptorium_app"
WORKER_ROLE = "scriptorium_worker"

STATEMENT_SECONDS = 5
IDLE_SECONDS = 10
"""How long a process that is stuck in the middle of a transaction may keep its locks."""
ANSWER_SECONDS = 10
KEPT_STATEMENTS = 150
"""Of each connection, those used last. Each costs the server 110 kB with its plan, and all 250 of them 28 MB a connection."""

_SESSION = {
    "statement_timeout": f"{STATEMENT_SECONDS}s",
    "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
    "jit": "off",
    "timezone": "UTC",
}

# What a connection knows of the tables, and what is there since a migration.
_OUTDATED = (asyncpg.InvalidCachedStatementError, asyncpg.exceptions.OutdatedSchemaCacheError)

_LOST = (
    ConnectionError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    # How the driver says that the server's farewell has arrived, but not yet the end of the connection.
    asyncpg.InternalClientError,
    asyncpg.InterfaceError,
)

_AS_WORKER = f"BEGIN; SET LOCAL ROLE {WORKER_ROLE}"


class Transaction:
    """A context in which statements are one transaction, committed when it ends well and undone otherwise.

    `begin` opens it and says at once for whom: there is no moment at which the transaction is open and acts for anybody else.
    Raises DBAPIError when it ends well although a statement in it has failed: Postgres undoes such a transaction, and says so in its answer only.
    """

    __slots__ = ("_begin", "_connection", "_driver", "_pool")

    def __init__(self, pool: Pool, begin: str) -> None:
        self._pool = pool
        self._begin = begin
        self._driver: Driver | None = None
        self._connection: Connection | None = None

    async def __aenter__(self) -> Connection:
        try:
            self._driver = await self._begun()
        except (OSError, DBAPIError) as error:
            if not isinstance(error.orig if isinstance(error, DBAPIError) else error, _LOST):
                raise
            # The server has closed the connection while it waited in the pool, and likely those beside it. Nothing has begun yet.
            self._pool.renew()
            self._driver = await self._begun()
        self._connection = Connection(self._driver)
        return self._connection

    async def _begun(self) -> Driver:
        driver = await self._pool.take()
        await self._run(driver, self._begin)
        return driver

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        assert self._driver is not None
        assert self._connection is not None
        self._connection.end()
        if kind is None:
            done = await self._run(self._driver, "COMMIT")
            self._pool.give_back(self._driver)
            if done == "ROLLBACK":
                raise failure(asyncpg.InFailedSQLTransactionError("A statement had failed: nothing is committed."), "COMMIT")
        else:
            if isinstance(error, DBAPIError) and isinstance(error.orig, _OUTDATED):
                self._pool.renew()
            await self._pool.give_up(self._driver)

    async def _run(self, driver: Driver, sql: str) -> str:
        """What Postgres says it has done."""
        try:
            return await driver.execute(sql)
        except BaseException as error:
            await self._pool.give_up(driver)
            if isinstance(error, DRIVER_ERRORS):
                raise failure(error, sql, driver) from error
            raise


class Database:
    """A pool of connections to the Postgres at `url`, a libpq URL. Raises persistence.urls.InvalidDatabaseUrl."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self._address = DatabaseAddress.parse(url)
        self._pool = Pool(self._connect, size=pool_size)

    def as_user(self, user_id: UUID, *, read_only: bool = False) -> Transaction:
        """A transaction that row security confines to what `user_id` may see."""
        begin = "BEGIN READ ONLY" if read_only else "BEGIN"
        # Made a UUID once more, so that nothing else can ever stand here.
        acting_user = UUID(int=user_id.int)
        return Transaction(self._pool, f"{begin}; SET LOCAL ROLE {APPLICATION_ROLE}; SET LOCAL app.user_id = '{acting_user}'")

    def as_worker(self) -> Transaction:
        """A transaction on the job tables of all tenants, without access to texts."""
        return Transaction(self._pool, _AS_WORKER)

    async def connect_for_listening(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection of its own, outside the pool, without a statement timeout; whoever asks for it closes it."""
        arguments = self._address.asyncpg_arguments(settings={"application_name": "scriptorium listener"})
        return await asyncpg.connect(**arguments, command_timeout=ANSWER_SECONDS)

    def dsn_for_engine(self) -> str:
        """A libpq conninfo whose sessions act as the worker role; it holds the password."""
        return self._address.conninfo(settings={"role": WORKER_ROLE})

    async def close(self) -> None:
        await self._pool.close()

    async def _connect(self) -> Driver:
        try:
            return await self._open()
        except DRIVER_ERRORS as error:
            raise failure(error, "connect") from error

    async def _open(self) -> Driver:
        driver: Driver = await asyncpg.connect(
            **self._address.asyncpg_arguments(settings=_SESSION),
            command_timeout=ANSWER_SECONDS,
            record_class=Row,
            statement_cache_size=KEPT_STATEMENTS,
            max_cached_statement_lifetime=0,
        )
        try:
            await make_ready(driver)
        except BaseException:
            driver.terminate()
            raise
        return driver
