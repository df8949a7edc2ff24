"""The two walls between tenants, each of which can be taken away."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import psycopg
from psycopg import sql

from persistence.connection import Connection, Rows
from persistence.statements import Prepared

# What `persistence.membership.accessible` makes of any column. Parameters must still be taken, or the driver knows no types for them.
_OF_MEMBERS = re.compile(
    r"IN \(SELECT mine\.project_id\s+FROM project_member AS mine\s+WHERE mine\.user_id = (\$\d+::UUID)"
    r"(?: AND mine\.role = any ?\((\$\d+::[A-Z\[\]]+)\))?\)"
)
# And what is left then of the one filter that is a step further off: users are seen by those they share a project with.
_OF_FELLOWS = re.compile(
    r"IN \(SELECT project_member\.user_id\s+FROM project_member\s+WHERE project_member\.project_id IS NOT NULL AND (\$\d+::UUID) IS NOT NULL\)"
)
_GUARDED = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relrowsecurity ORDER BY relname"


@contextmanager
def without_filters() -> Iterator[None]:
    """Whatever repositories ask of any database, they ask for everybody: in statements that were built long before as in new ones."""
    send = Connection.send

    async def send_opened(connection: Connection, statement: Prepared, arguments: Sequence[Any]) -> Rows:
        opened = _OF_FELLOWS.sub(_anything, _OF_MEMBERS.sub(_anything, statement.sql))
        assert "AS mine" not in opened, f"this filter was not recognised: {opened}"
        assert "(SELECT project_member" not in opened, f"this filter was not recognised: {opened}"
        return await send(connection, replace(statement, sql=opened), arguments)

    with patch.object(Connection, "send", send_opened):
        yield


def _anything(filter_: re.Match[str]) -> str:
    return " AND ".join(f"{taken}IS NOT NULL" for taken in ("", *(f"{each} " for each in filter_.groups() if each)))


@contextmanager
def without_row_security(connection: "psycopg.Connection[Any]") -> Iterator[None]:
    """In the database that the superuser is connected to."""
    guarded = [name for (name,) in connection.execute(_GUARDED)]
    assert guarded
    _alter(connection, guarded, "DISABLE")
    try:
        yield
    finally:
        _alter(connection, guarded, "ENABLE")


def _alter(connection: "psycopg.Connection[Any]", tables: list[str], change: str) -> None:
    for table in tables:
        connection.execute(sql.SQL("ALTER TABLE {} {} ROW LEVEL SECURITY").format(sql.Identifier(table), sql.SQL(change)))
