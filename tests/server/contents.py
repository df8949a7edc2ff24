"""Everything that the database keeps of its users, as something that can be compared."""

from collections.abc import Mapping

import psycopg
from psycopg import sql

# The engine's own bookkeeping goes on whether anybody asks for anything or not.
_TABLES = """
    SELECT relname::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname NOT LIKE 'procrastinate%' AND relname <> 'alembic_version'
    ORDER BY relname
"""
_DIGEST = sql.SQL("SELECT count(*) || ' rows, ' || coalesce(md5(string_agg(one::text, '|' ORDER BY one::text)), '') FROM {} AS one")


class Contents:
    """Read as the owner of the tables, whom row security does not bind."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._tables = [name for (name,) in connection.execute(_TABLES)]

    def digest(self) -> Mapping[str, str]:
        """Of each table, the number and a digest of its rows: what differs tells which table has changed."""
        return {name: self._digest(name) for name in self._tables}

    def _digest(self, table: str) -> str:
        row = self._connection.execute(_DIGEST.format(sql.Identifier(table))).fetchone()
        assert row is not None
        return str(row[0])
