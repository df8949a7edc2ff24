"""What can be wrong with a database that answers: asked of the server itself."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from persistence.connection import Connection
from persistence.database import Database

# Raised while connecting, or as what a DBAPIError is about.
_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)

NOBODY = UUID(int=0)
ANSWER_SECONDS = 3.0
CHANNEL = "scriptorium_doctor"

# https://www.postgresql.org/docs/current/locale.html: with the C locale, letters beyond ASCII have no other case.
_FOLDS_CASE = text("SELECT lower('ÉIRE') = 'éire'")
_ORDINARY = text("""
    SELECT count(*) = 2 AND NOT bool_or(rolsuper OR rolbypassrls) FROM pg_roles WHERE rolname IN ('scriptorium_app', 'scriptorium_worker')
""")
_UNFORCED = text("""
    SELECT string_agg(relname, ', ' ORDER BY relname) FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE attname = 'project_id' AND NOT attisdropped AND relkind = 'r' AND relnamespace = 'public'::regnamespace AND NOT relforcerowsecurity
""")


@dataclass(frozen=True, slots=True)
class Finding:
    """`advice` says what to do, and is empty when all is well."""

    subject: str
    advice: str = ""


async def is_reachable(database: Database) -> bool:
    try:
        async with asyncio.timeout(ANSWER_SECONDS), database.as_user(NOBODY, read_only=True):
            return True
    except (OSError, TimeoutError, SQLAlchemyError):
        return False


def is_away(error: BaseException) -> bool:
    """Whether a statement failed because the database could not be reached, or had no connection to give."""
    return isinstance(error.orig if isinstance(error, DBAPIError) else error, (*_AWAY, PoolTimeout))


async def diagnose(database: Database) -> list[Finding]:
    """Raises what the driver raises when the database does not answer at all."""
    async with database.as_user(NOBODY, read_only=True) as connection:
        version = await connection.scalar(text("SHOW server_version"))
        return [
            Finding(f"Postgres {version}"),
            await _locale(connection),
            await _roles(connection),
            await _row_security(connection),
            await _notifications(database),
        ]


async def _locale(connection: Connection) -> Finding:
    good = await connection.scalar(_FOLDS_CASE)
    advice = "Searches will not find capital letters beyond ASCII: create the database with a Unicode locale, such as C.UTF-8."
    return Finding("upper and lower case of all letters", "" if good else advice)


async def _roles(connection: Connection) -> Finding:
    good = await connection.scalar(_ORDINARY)
    advice = "scriptorium_app and scriptorium_worker must both exist, without SUPERUSER and without BYPASSRLS."
    return Finding("ordinary roles", "" if good else advice)


async def _row_security(connection: Connection) -> Finding:
    tables = await connection.scalar(_UNFORCED)
    return Finding("row security", f"Not forced on {tables}: run `scriptorium migrate`." if tables else "")


async def _notifications(database: Database) -> Finding:
    """A pooler in transaction mode accepts LISTEN and never delivers."""
    heard = asyncio.Event()
    connection = await database.connect_for_listening()
    try:
        await connection.add_listener(CHANNEL, lambda *_: heard.set())
        async with database.as_worker() as writer:
            await writer.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})
        async with asyncio.timeout(ANSWER_SECONDS):
            await heard.wait()
    except TimeoutError:
        return Finding("LISTEN and NOTIFY", "Nothing arrives: use the database's direct address instead of a pooler's.")
    finally:
        await connection.close()
    return Finding("LISTEN and NOTIFY")
