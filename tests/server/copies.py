"""A small world made large: all that is in a database, copied with ids of its own, behind the back of everything that checks."""

import re
from collections.abc import Collection
from uuid import UUID, uuid5

import psycopg
from psycopg import sql

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' AND tablename !~ '^procrastinate'"
_COLUMNS = """
    SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attidentity = '' ORDER BY attnum
"""


def copy_of(original: UUID, number: int) -> UUID:
    """What copy `number`, from 1, has for this id; 0 is the original."""
    return uuid5(original, str(number)) if number else original


def copy_everything(owner_url: str, *, times: int, sparing: Collection[UUID]) -> None:
    """Every row with any other id in it than those to spare, which are common to all copies. Ids within documents change along."""
    with psycopg.connect(owner_url) as connection:
        # As a replica, so that no trigger and no foreign key asks for an order.
        connection.execute("SET session_replication_role = replica")
        for (table,) in connection.execute(_TABLES).fetchall():
            columns = sql.SQL(", ").join(sql.Identifier(name) for (name,) in connection.execute(_COLUMNS, (table,)).fetchall())
            place = sql.SQL("{} ({})").format(sql.Identifier(table), columns)
            with connection.cursor() as cursor:
                with cursor.copy(sql.SQL("COPY {} TO STDOUT").format(place)) as rows:
                    lines = b"".join(rows).decode().splitlines(keepends=True)
                with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(place)) as copies:
                    for number in range(1, times + 1):
                        for line in lines:
                            copied = _copied(line, number, sparing)
                            if copied != line:
                                copies.write(copied)


def _copied(line: str, number: int, sparing: Collection[UUID]) -> str:
    def other(found: re.Match[str]) -> str:
        original = UUID(found[0])
        return found[0] if original in sparing else str(copy_of(original, number))

    return _UUID.sub(other, line)
