"""What repositories run statements on: composed by SQLAlchemy, executed by asyncpg with nothing between them.

Failures come out as SQLAlchemy's DBAPIError, whatever part of the driver they arise in; a lost socket may also be an OSError, and a
server that does not answer a TimeoutError.
"""

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg
import orjson
from sqlalchemy import ClauseElement, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from persistence.statements import Prepared, prepared

Parameters = Mapping[str, Any]

DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

_SAVEPOINT, _BACK_TO_SAVEPOINT = text("SAVEPOINT nested"), text("ROLLBACK TO SAVEPOINT nested")
_RELEASE_SAVEPOINT = text("RELEASE SAVEPOINT nested")
_NO_PARAMETERS: Parameters = {}
_JSONB_VERSION = b"\x01"
"""What Postgres begins a document with when it sends or takes one as bytes."""
_ARGUMENT = re.compile(r"(invalid input for query argument [^:]+):.*", re.DOTALL)
"""How the driver says that it cannot send a parameter, which it quotes."""


class Row(asyncpg.Record):
    """A row's columns by position, by name, and as attributes."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


Driver: TypeAlias = "asyncpg.Connection[Row]"


async def make_ready(driver: Driver) -> None:
    """Have a new connection give documents as values, and take them as text."""
    await driver.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda document: _JSONB_VERSION + document.encode(),
        decoder=lambda content: orjson.loads(memoryview(content)[1:]),
        format="binary",
    )
    await driver.set_type_codec("json", schema="pg_catalog", encoder=str, decoder=orjson.loads)


def failure(error: Exception, sql: str, driver: "Driver | None" = None) -> DBAPIError:
    """What the driver has raised, as SQLAlchemy's error; `driver` is the connection that it was raised on, where there is one.

    Nothing that stands in a row or a parameter is in its words: what goes wrong is logged; an author's text is not.
    """
    if driver is not None and driver.is_closed() and isinstance(error, asyncpg.InterfaceError):
        # A statement after the one that was lost with the connection is told of a mistake in the use of the driver.
        error = asyncpg.ConnectionDoesNotExistError("The connection was lost before.")
    if isinstance(error, asyncpg.PostgresError):
        error.detail = None  # "Failing row contains ..."
    if isinstance(error, asyncpg.DataError):
        error.args = (_ARGUMENT.sub(r"\1", error.args[0]),)
    kind = IntegrityError if isinstance(error, asyncpg.IntegrityConstraintViolationError) else DBAPIError
    return kind(sql, None, error, hide_parameters=True)


class Rows:
    """What a statement has answered, all of it; `status` is Postgres' word for what it has done, such as "UPDATE 3"."""

    __slots__ = ("_rows", "_status")

    def __init__(self, rows: list[Row], status: str = "") -> None:
        self._rows = rows
        self._status = status

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    @property
    def rowcount(self) -> int:
        return int(self._status.rpartition(" ")[2]) if self._status else len(self._rows)

    def all(self) -> list[Row]:
        return self._rows

    def first(self) -> Row | None:
        return self._rows[0] if self._rows else None

    def one(self) -> Row:
        (row,) = self._rows
        return row

    def one_or_none(self) -> Row | None:
        return self.one() if self._rows else None

    def scalar_one(self) -> Any:
        return self.one()[0]

    def scalars(self) -> list[Any]:
        return [row[0] for row in self._rows]


class Connection:
    """One transaction. Once it has ended, nothing more can be executed in it: the driver's connection is in the hands of others by then."""

    __slots__ = ("_driver",)

    def __init__(self, driver: Driver) -> None:
        self._driver: Driver | None = driver

    def end(self) -> None:
        self._driver = None

    async def execute(self, statement: ClauseElement, parameters: Parameters | None = None) -> Rows:
        given = parameters or _NO_PARAMETERS
        ready = prepared(statement, given)
        return await self.send(ready, ready.arguments(given))

    async def execute_many(self, statement: ClauseElement, parameters: Sequence[Parameters]) -> None:
        """The statement once for each of the parameters, which all have the same names."""
        ready = prepared(statement, parameters[0])
        driver = self._driver_for(ready)
        try:
            await driver.executemany(ready.sql, [ready.arguments(given) for given in parameters])
        except DRIVER_ERRORS as error:
            raise failure(error, ready.sql, driver) from error

    async def scalar(self, statement: ClauseElement, parameters: Parameters | None = None) -> Any:
        """The first row's first column, or None."""
        row = (await self.execute(statement, parameters)).first()
        return None if row is None else row[0]

    async def scalars(self, statement: ClauseElement, parameters: Parameters | None = None) -> list[Any]:
        """Each row's first column."""
        return (await self.execute(statement, parameters)).scalars()

    @asynccontextmanager
    async def begin_nested(self) -> AsyncIterator[None]:
        """Where it ends in an error, what was done in it is undone, and the transaction goes on."""
        await self.execute(_SAVEPOINT)
        try:
            yield
        except Exception:
            await self.execute(_BACK_TO_SAVEPOINT)
            # It stands there still, and hides one of the same name that was set before.
            await self.execute(_RELEASE_SAVEPOINT)
            raise
        await self.execute(_RELEASE_SAVEPOINT)

    async def send(self, statement: Prepared, arguments: Sequence[Any]) -> Rows:
        """Every statement but those of the transaction itself comes through here, except where one is executed many times."""
        driver = self._driver_for(statement)
        try:
            if statement.answers_rows:
                return Rows(await driver.fetch(statement.sql, *arguments))
            return Rows([], await driver.execute(statement.sql, *arguments))
        except DRIVER_ERRORS as error:
            raise failure(error, statement.sql, driver) from error

    def _driver_for(self, statement: Prepared) -> Driver:
        if self._driver is None:
            raise failure(asyncpg.InterfaceError("The transaction has ended."), statement.sql)
        return self._driver
