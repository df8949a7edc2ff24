"""Jobs that are long over: found by an index, compacted and forgotten by a worker who may read none of it, after their time and not before."""

import asyncio
from datetime import timedelta

import orjson
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain.jobs.events import Finished, StatusChanged, TextReplaced
from domain.jobs.job import JobStatus
from domain.paging import PageRequest
from persistence import job_archive, migrate
from persistence.database import Database, Transaction
from persistence.job_archive import PostgresJobArchive
from tests.persistence.job_world import NOW, RESERVE, JobWorld, build_world, ending, later, text_of

WEEK = timedelta(days=7)
MANY = 50_000
COMPACTED = [TextReplaced("draft/1", 0, "abc"), StatusChanged(JobStatus.SUCCEEDED), Finished()]


@pytest.fixture
async def world(database):
    return await build_world(database)


@pytest.fixture
def archive(database):
    return PostgresJobArchive(database)


async def done(world: JobWorld, chapter: int = 0, *, status: JobStatus = JobStatus.SUCCEEDED):
    """A finished job with a text in three pieces."""
    claim = await world.claimed(chapter)
    await world.desk.append([(claim, [text_of(letter, offset=offset) for offset, letter in enumerate("abc")])], at=NOW)
    await world.desk.finish(claim, ending(status))
    return claim.job_id


def ended(owner_url: str, job_id: object, ago: str) -> None:
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE job SET finished_at = now() - %s::interval WHERE id = %s", (ago, job_id))


async def test_a_log_is_due_when_its_retention_is_over_by_the_databases_clock(world, archive, owner_url):
    older, old, young, running = await done(world, 0), await done(world, 1), await done(world, 2), await world.queued(None)
    for job_id, ago in ((older, "9 days"), (old, "7 days 1 second"), (young, "6 days 23:59:00")):
        ended(owner_url, job_id, ago)

    assert await archive.due_logs(older_than=WEEK, limit=10) == [older, old]
    assert await archive.due_logs(older_than=WEEK, limit=1) == [older]
    assert running.id not in await archive.due_logs(older_than=timedelta(0), limit=10)


async def test_a_compacted_log_has_the_same_text_fewer_rows_and_is_not_due_again(world, archive, owner_url):
    job_id = await done(world)
    ended(owner_url, job_id, "8 days")

    await archive.compact_log(job_id)

    assert await world.events(job_id) == COMPACTED
    assert await archive.due_logs(older_than=WEEK, limit=10) == []
    async with world.library.reading(world.author) as records:
        assert await records.jobs.texts([job_id]) == {job_id: ("abc", 7)}
        assert await records.jobs.event_counts([job_id]) == {job_id: 3}
        page = (await records.jobs.event_pages([job_id], PageRequest(limit=2, after=(3,))))[job_id]
    assert [(event.first_sequence, event.sequence) for event in page.items] == [(1, 5), (6, 6)]
    assert page.has_next


async def test_a_retried_job_goes_on_behind_its_compacted_log_and_is_compacted_again_after_its_new_end(world, archive, owner_url):
    job_id = await done(world, status=JobStatus.FAILED)
    ended(owner_url, job_id, "8 days")
    await archive.compact_log(job_id)
    async with world.library.writing(world.author) as records:
        await records.jobs.retry(job_id, reserve=RESERVE, at=later(100))
    await archive.compact_log(job_id)  # not while it is active
    claim = await world.claim(job_id)
    await world.desk.append([(claim, [text_of("d", offset=3)])], at=NOW, number=1)
    assert [event.sequence for event in (await world.log(job_id))] == [5, 6, 7, 8, 9, 10]

    await world.desk.finish(claim, ending())
    ended(owner_url, job_id, "7 days 1 second")

    assert await archive.due_logs(older_than=WEEK, limit=10) == [job_id]
    await archive.compact_log(job_id)
    assert await world.events(job_id) == [TextReplaced("draft/1", 0, "abcd"), StatusChanged(JobStatus.SUCCEEDED), Finished()]
    assert await archive.due_logs(older_than=timedelta(0), limit=10) == []


async def test_a_job_that_is_retried_while_its_log_waits_to_be_compacted_keeps_it(world, archive, owner_url):
    job_id = await done(world, status=JobStatus.FAILED)
    before = await world.log(job_id)
    async with world.library.writing(world.author) as records:
        await records.jobs.retry(job_id, reserve=RESERVE, at=later(100))
        compacting = asyncio.create_task(archive.compact_log(job_id))
        await until_blocked(owner_url)
    await compacting

    assert (await world.log(job_id))[: len(before)] == before


async def test_one_process_at_a_time_looks_after_old_jobs(world, archive, database_url):
    elsewhere = Database(database_url, pool_size=1)
    other = PostgresJobArchive(elsewhere)

    async with archive.alone() as first, other.alone() as second:
        assert (first, second) == (True, False)
    async with other.alone() as second:
        assert second

    await elsewhere.close()


AGES = {"fresh": "0 s", "good": "24 hours", "expired": "25 hours 1 second", "old": "30 days", "older": "31 days"}


async def add_keys(world: JobWorld, owner_url: str) -> None:
    job = await world.queued()
    with psycopg.connect(owner_url) as connection:
        for key, age in AGES.items():
            used = (world.author, key, job.id, age)
            connection.execute("INSERT INTO idempotency_key VALUES (%s, %s, 'h', %s, now() - %s::interval)", used)


async def test_keys_are_forgotten_a_day_after_they_were_used_and_not_before(world, archive, owner_url):
    await add_keys(world, owner_url)

    assert await archive.forget_keys(limit=2) == 2
    assert keys(owner_url) == {"fresh", "good", "expired"}
    assert await archive.forget_keys(limit=2) == 1
    assert await archive.forget_keys(limit=2) == 0
    assert keys(owner_url) == {"fresh", "good"}


def keys(owner_url: str) -> set[object]:
    with psycopg.connect(owner_url) as connection:
        return {key for (key,) in connection.execute("SELECT key FROM idempotency_key").fetchall()}


async def test_the_statement_alone_deletes_no_key_that_is_still_good(world, owner_url):
    await add_keys(world, owner_url)
    above_row_security = Database(owner_url)
    async with Transaction(above_row_security._pool, "BEGIN") as connection:
        await connection.execute(job_archive._FORGET, {"limit": 10})
    await above_row_security.close()
    assert keys(owner_url) == {"fresh", "good"}


async def test_row_security_alone_lets_a_worker_delete_no_key_that_is_still_good(world):
    job = await world.queued()
    async with world.library.writing(world.author) as records:
        await records.jobs.remember_key("k", request_hash="h", job_id=job.id, at=NOW)
    async with world.database.as_user(world.author) as connection:
        await connection.execute(text("UPDATE idempotency_key SET at = now() - interval '24 hours'"))
    async with world.database.as_worker() as connection:
        assert (await connection.execute(text("DELETE FROM idempotency_key"))).rowcount == 0
    async with world.database.as_user(world.author) as connection:
        await connection.execute(text("UPDATE idempotency_key SET at = now() - interval '26 hours'"))
    async with world.database.as_worker() as connection:
        assert (await connection.execute(text("DELETE FROM idempotency_key"))).rowcount == 1


@pytest.mark.parametrize("statement", ["SELECT body FROM job_event", "DELETE FROM job_event", "SELECT request_hash FROM idempotency_key"])
async def test_a_worker_who_compacts_may_still_read_or_delete_nothing_itself(world, statement):
    with pytest.raises(DBAPIError, match="permission denied"):
        async with world.database.as_worker() as connection:
            await connection.execute(text(statement))


async def test_a_user_may_not_compact(world):
    job_id = await done(world)
    with pytest.raises(DBAPIError, match="permission denied"):
        async with world.database.as_user(world.author) as connection:
            await connection.execute(text("SELECT compact_job_log(:job_id)"), {"job_id": job_id})


async def test_an_owner_of_the_tables_who_is_no_superuser_serves_as_well(cluster, template, database_names):
    name = next(database_names)
    cluster.execute(
        sql.SQL("CREATE ROLE {} LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS IN ROLE scriptorium_app, scriptorium_worker").format(
            sql.Identifier(name)
        )
    )
    cluster.create_database(name, owner=name)
    url = cluster.url(name, login=name)
    migrate.upgrade(url, application_role=None)
    database = Database(url)
    world, archive = await build_world(database), PostgresJobArchive(database)
    job_id = await done(world)

    await archive.compact_log(job_id)

    assert await world.events(job_id) == COMPACTED
    assert await archive.due_logs(older_than=-timedelta(days=36_500), limit=10) == []
    await database.close()


async def test_old_logs_and_keys_are_found_by_their_index_among_fifty_thousand(world, owner_url):
    job = await world.queued()
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(
            """
            INSERT INTO job (id, project_id, kind, status, stage, progress, started_by, attempt, request, rehearsal, estimate, last_sequence,
                             created_at, finished_at, reserved, compacted_until)
            SELECT gen_random_uuid(), project_id, kind, 'SUCCEEDED', 'DONE', 1, started_by, 1, request, rehearsal, estimate, 3, at, at, 0,
                   CASE WHEN mod(number, 100) <> 0 THEN at END
            FROM job, generate_series(1, %s) AS number, LATERAL (SELECT now() - number * interval '1 minute') AS finished (at)
            WHERE id = %s
            """,
            (MANY, job.id),
        )
        connection.execute(
            "INSERT INTO idempotency_key SELECT %s, number::text, 'h', %s, now() - number * interval '1 s' FROM generate_series(1, %s) AS number",
            (world.author, job.id, MANY),
        )
        connection.execute("UPDATE idempotency_key SET at = now() - interval '2 days' WHERE key = '7'")
        connection.execute("VACUUM ANALYZE job, idempotency_key")

    due = await plan(world, job_archive._DUE, older_than=WEEK, limit=50)
    expired = await plan(world, job_archive._FORGET, limit=1000)

    assert due["job_finished_at_idx"] <= 50
    assert expired["idempotency_key_at_idx"] == 1


async def plan(world: JobWorld, statement, **parameters: object) -> dict[str, int]:
    """How many rows each scan has read, by the index or else the table it went through; then all is rolled back."""
    explain = text(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.text}")
    async with world.database.as_worker() as connection:
        answer = (await connection.execute(explain, parameters)).scalar_one()
        await connection.execute(text("ROLLBACK"))
    nodes, found = [(answer if isinstance(answer, list) else orjson.loads(answer))[0]["Plan"]], {}
    for node in nodes:
        nodes += node.get("Plans", [])
        if "Scan" in node["Node Type"]:
            read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            found[node.get("Index Name") or node.get("Relation Name")] = read * node["Actual Loops"]
    assert not found.keys() & {"job", "idempotency_key"}, found
    return found


async def until_blocked(owner_url: str) -> None:
    """Return when somebody waits for a lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(5), await psycopg.AsyncConnection.connect(owner_url, autocommit=True) as observer:
        while True:
            row = await (await observer.execute(query)).fetchone()
            if row == (1,):
                return
            await asyncio.sleep(0.01)
