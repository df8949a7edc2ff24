"""All rows of all tables, as something that can be compared, kept, and put back or elsewhere."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

_TABLES = """
    SELECT relname::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version' ORDER BY relname
"""
_DIGEST = sql.SQL("SELECT {name}, coalesce(md5(string_agg(one::text, '|' ORDER BY one::text)), '') FROM {table} AS one")


class AllContents:
    """Read and written as the superuser, whom neither row security nor, as a replica, foreign keys and triggers stop."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        connection.execute("SET session_replication_role = replica")
        self.connection = connection
        self._tables = [name for (name,) in connection.execute(_TABLES)]
        self._kept: Mapping[str, bytes] = {}
        self._digest_of_all = sql.SQL(" UNION ALL ").join(
            _DIGEST.format(name=sql.Literal(name), table=sql.Identifier(name)) for name in self._tables
        )

    def digest(self) -> Mapping[str, str]:
        """One text for all rows and columns of each table."""
        return dict(self.connection.execute(self._digest_of_all).fetchall())

    def keep(self) -> None:
        self._kept = {name: self._read(name) for name in self._tables}
        self._kept_digest = self.digest()

    def put_back(self) -> None:
        """What has changed since it was kept."""
        self._write(self._changed())

    def copy_from(self, other: "AllContents") -> None:
        self._kept = other._kept
        self._write(self._tables)

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Asserts that afterwards everything is as it was kept; what is not is put back for whoever comes next."""
        yield
        changed = self._changed()
        self._write(changed)
        assert changed == []

    def _changed(self) -> list[str]:
        return [name for name, digest in self.digest().items() if digest != self._kept_digest[name]]

    def _read(self, table: str) -> bytes:
        with self.connection.cursor() as cursor, cursor.copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as rows:
            return b"".join(bytes(part) for part in rows)

    def _write(self, tables: Iterable[str]) -> None:
        for table in tables:
            self.connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            with self.connection.cursor() as cursor, cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as rows:
                rows.write(self._kept[table])
