"""Jobs that are long over: the JobArchive port on Postgres, as the role that sees jobs of all tenants and texts of none.

Compaction is a function of the database (alembic/versions/0005_job_logs.py), because workers may not read what it works on.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from persistence.database import Database

_ALONE = text("SELECT pg_try_advisory_xact_lock(hashtext('scriptorium: upkeep of jobs'))")
_DUE = text("""
    SELECT id FROM job
    WHERE compacted_until IS DISTINCT FROM finished_at AND finished_at < now() - CAST(:older_than AS interval)
    ORDER BY finished_at LIMIT :limit
""")
_COMPACT = text("SELECT compact_job_log(:job_id)")
# Row security lets a worker see and delete no others.
_FORGET = text("""
    DELETE FROM idempotency_key WHERE (user_id, key) IN (
        SELECT user_id, key FROM idempotency_key WHERE at < now() - interval '25 hours' ORDER BY at LIMIT :limit)
""")


class PostgresJobArchive:
    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[bool]:
        async with self._database.as_worker() as connection:
            yield bool(await connection.scalar(_ALONE))

    async def due_logs(self, *, older_than: timedelta, limit: int) -> Sequence[UUID]:
        async with self._database.as_worker() as connection:
            return await connection.scalars(_DUE, {"older_than": older_than, "limit": limit})

    async def compact_log(self, job_id: UUID) -> None:
        async with self._database.as_worker() as connection:
            await connection.execute(_COMPACT, {"job_id": job_id})

    async def forget_keys(self, *, limit: int) -> int:
        async with self._database.as_worker() as connection:
            return (await connection.execute(_FORGET, {"limit": limit})).rowcount
