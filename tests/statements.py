"""What is really sent to the database."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from persistence.connection import Connection, Rows
from persistence.statements import Prepared


@contextmanager
def statements_sent() -> Iterator[list[tuple[str, Sequence[Any]]]]:
    """Every statement with its parameters, whoever runs it, except those that begin and end transactions."""
    sent: list[tuple[str, Sequence[Any]]] = []
    send = Connection.send

    async def note(connection: Connection, statement: Prepared, arguments: Sequence[Any]) -> Rows:
        sent.append((statement.sql, arguments))
        return await send(connection, statement, arguments)

    with patch.object(Connection, "send", note):
        yield sent
