"""Migrations: bringing a database to the newest revision, safely when many processes start at once.

Everything happens in one transaction under one lock: whoever comes second finds the work done. The calls block.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.rows import scalar_row
from sqlalchemy import Connection, MetaData, NullPool, create_engine, text

from alembic import command, context
from persistence.roles import ROLES, prepare_roles
from persistence.tables.metadata import metadata
from persistence.urls import DatabaseAddress

CONFIGURATION = Path(__file__).resolve().parent.parent / "alembic.ini"
LOCK = 0x5C217_704  # any number, as long as it stays the same
LOCK_SECONDS = 120

_READY = """
    SELECT version_num = %(head)s AND (
        SELECT count(*) = 2 FROM pg_auth_members JOIN pg_roles AS granted ON granted.oid = roleid JOIN pg_roles AS holder ON holder.oid = member
        WHERE granted.rolname = ANY(%(roles)s) AND holder.rolname = coalesce(%(login)s, current_user))
    FROM alembic_version
"""


class DatabaseUnreachable(Exception):  # noqa: N818  - an answer for the operator
    """The database does not answer; the message says why, and what to check."""


def upgrade(url: str, *, application_role: str | None) -> None:
    """Bring the database to the newest revision, and let `application_role` (None: the URL's own login) work with it.

    Raises DatabaseUnreachable, persistence.roles.RolesMissing, persistence.urls.InvalidDatabaseUrl.
    """
    if _is_ready(url, application_role):
        return
    with exclusive_connection(url, application_role=application_role) as connection:
        command.upgrade(_configuration(connection), "head")


def downgrade(url: str, revision: str = "base") -> None:
    """Take revisions back, with the data in their tables. The roles stay: other databases of the server may use them."""
    with exclusive_connection(url) as connection:
        command.downgrade(_configuration(connection), revision)


def check(url: str) -> list[str]:
    """Where tables in the database and in the code differ; empty when they agree."""
    with exclusive_connection(url) as connection:
        comparing = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": _is_ours})
        return [str(difference) for difference in compare_metadata(comparing, metadata)]


@contextmanager
def exclusive_connection(url: str, *, application_role: str | None = None) -> Iterator[Connection]:
    """A transaction in which nobody else migrates this database, with the roles in place."""
    conninfo = DatabaseAddress.parse(url).conninfo(settings={"lock_timeout": f"{LOCK_SECONDS}s", "search_path": "public"})
    engine = create_engine("postgresql+psycopg://", creator=lambda: _connect(conninfo), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        prepare_roles(connection, application_role)
        yield connection


def run_revisions(connection: Connection, target: MetaData) -> None:
    """What Alembic's environment does."""
    context.configure(connection=connection, target_metadata=target, compare_type=True, include_name=_is_ours)
    with context.begin_transaction():
        context.run_migrations()


def _is_ready(url: str, application_role: str | None) -> bool:
    head = ScriptDirectory.from_config(Config(CONFIGURATION)).get_current_head()
    with _connect(DatabaseAddress.parse(url).conninfo()) as connection, connection.cursor(row_factory=scalar_row) as cursor:
        try:
            ready = cursor.execute(_READY, {"head": head, "roles": list(ROLES), "login": application_role}).fetchone()
        except psycopg.errors.UndefinedTable:
            return False
    return bool(ready)


def _connect(conninfo: str) -> psycopg.Connection:
    try:
        return psycopg.connect(conninfo)
    except psycopg.OperationalError as error:
        # Of several lines, one for each address tried, the first says enough.
        reason = str(error).splitlines()[0]
        raise DatabaseUnreachable(f"The database does not answer ({reason}). Check DATABASE_URL, and that the server runs.") from error


def _configuration(connection: Connection) -> Config:
    configuration = Config(CONFIGURATION)
    configuration.attributes["connection"] = connection
    return configuration


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """The job engine's tables come with its own package, and are none of our models."""
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))
