"""Whose turn it is, among ten thousand queued jobs of many users and fifty thousand finished ones, for eight workers at a time.

The peer takes any queued row of the same table with FOR UPDATE SKIP LOCKED, without turns, limits, epochs or events: the least that a
queue in Postgres can do.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

import asyncpg

from bench.report import HEADING, row
from bench.workbench import workbench_urls
from domain.jobs.job import Ending, JobLimits, JobStatus
from persistence.database import WORKER_ROLE, Database
from persistence.job_desk import PostgresJobDesk
from persistence.urls import DatabaseAddress
from server import utc_now

USERS, QUEUED_EACH, FINISHED = 100, 100, 50_000
CLAIMERS, CLAIMS_EACH = 8, 100
LIMIT_P95_SECONDS = 0.02

_USERS = """
    INSERT INTO app_user (id, issuer, subject, name, created_at, seen_at)
    SELECT gen_random_uuid(), 'bench', 'user ' || number, 'User', now(), now() FROM generate_series(1, $1) AS number
"""
_PROJECTS = """
    INSERT INTO project (id, title, premise, genre, language, style_notes, settings, created_at, updated_at)
    SELECT id, 'Book', '', 'OTHER', 'en', '', '{}', now(), now() FROM app_user WHERE issuer = 'bench'
"""
# Each user has one project, with the user's own id.
_JOBS = """
    INSERT INTO job (id, project_id, chapter_id, kind, status, stage, progress, started_by, attempt, request, rehearsal, estimate,
                     last_sequence, created_at, queued_at, claimed_at, reserved)
    SELECT gen_random_uuid(), app_user.id, NULL, 'CHAPTER', $1, 'QUEUED', 0, app_user.id, 0, '{}', true, '{}', 0, now(),
           now() + make_interval(secs => number * 0.001), CASE $1 WHEN 'QUEUED' THEN NULL ELSE now() - make_interval(secs => number) END, 0
    FROM app_user, generate_series(1, $2) AS number WHERE issuer = 'bench'
"""
_ANY = """
    UPDATE job SET status = 'RUNNING' WHERE id = (SELECT id FROM job WHERE status = 'QUEUED' LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id
"""


async def claims() -> None:
    with workbench_urls() as urls:
        database = Database(urls.application)
        owner = await asyncpg.connect(**DatabaseAddress.parse(urls.owner).asyncpg_arguments())
        try:
            await owner.execute(_USERS, USERS)
            await owner.execute(_PROJECTS)
            for status, each in (("SUCCEEDED", FINISHED // USERS), ("QUEUED", QUEUED_EACH)):
                await owner.execute(_JOBS, status, each)
            await owner.execute("ANALYZE")
            bare = await _bare(urls.application)
            await owner.execute("UPDATE job SET status = 'QUEUED' WHERE status = 'RUNNING'")
            limits = JobLimits(per_user=1_000_000, per_project=1_000_000)
            desk = PostgresJobDesk(database, worker=str(uuid4()), limits=limits, monthly_limit=None)
            taken = await _at_once(lambda: _short_job(desk))
        finally:
            await owner.close()
            await database.close()
    print(f"\nClaims: {CLAIMERS} at a time, {USERS * QUEUED_EACH:,} jobs of {USERS} users queued, {FINISHED:,} finished")
    print(HEADING)
    print(row("claim", taken))
    p95 = sorted(taken)[int(0.95 * len(taken))]
    print(f"  {'claim, 95th percentile':<52} {1000 * p95:>26.1f}   limit {1000 * LIMIT_P95_SECONDS:.0f}: {_verdict(p95)}")
    print(row("peer: any row, FOR UPDATE SKIP LOCKED", bare))


def _verdict(p95: float) -> str:
    return "met" if p95 <= LIMIT_P95_SECONDS else "MISSED"


async def _short_job(desk: PostgresJobDesk) -> float:
    """Seconds of the claim; then the job ends, so that turns go on changing."""
    began = time.perf_counter()
    claim = await desk.claim_next(lease_seconds=30)
    seconds = time.perf_counter() - began
    assert claim is not None
    await desk.finish(claim, Ending(status=JobStatus.SUCCEEDED, at=utc_now()))
    return seconds


async def _bare(url: str) -> list[float]:
    pool = await asyncpg.create_pool(**DatabaseAddress.parse(url).asyncpg_arguments(), min_size=CLAIMERS, max_size=CLAIMERS)

    async def take() -> float:
        async with pool.acquire() as connection:
            began = time.perf_counter()
            async with connection.transaction():
                await connection.execute(f"SET LOCAL ROLE {WORKER_ROLE}")
                await connection.fetchval(_ANY)
            return time.perf_counter() - began

    try:
        return await _at_once(take)
    finally:
        await pool.close()


async def _at_once(take: Callable[[], Awaitable[float]]) -> list[float]:
    async def one() -> list[float]:
        return [await take() for _ in range(CLAIMS_EACH)]

    return [seconds for part in await asyncio.gather(*(one() for _ in range(CLAIMERS))) for seconds in part]
