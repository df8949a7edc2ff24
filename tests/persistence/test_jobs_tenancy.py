"""Two walls around jobs: the repositories' own filter, and row security, each holding without the other."""

from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from domain.errors import NotFound
from domain.paging import PageRequest
from persistence.jobs import JobRecords
from persistence.tables.jobs import idempotency_key, job, job_event, job_step, ledger_entry, prompt_receipt
from tests.persistence.job_world import NOW, RESERVE, RESULT, build_world, ending, intent, prompt

TABLES = (job, job_step, job_event, prompt_receipt, ledger_entry, idempotency_key)


@pytest.fixture
async def world(database):
    """With a row in every table."""
    world = await build_world(database)
    claim = await world.claimed()
    await world.desk.intend(claim, intent())
    await world.desk.record(claim, "draft/1", RESULT, at=NOW, events=())
    async with world.library.writing(world.author) as records:
        await records.jobs.add_prompt(prompt(), receipt_id=uuid4(), job_id=claim.job_id, chapter_id=world.chapter_ids[0], at=NOW)
        await records.jobs.remember_key("k", request_hash="h", job_id=claim.job_id, at=NOW)
    return world


async def claim_of(world):
    async with world.library.reading(world.author) as records:
        active = await records.jobs.active_on(world.chapter_ids[0])
    return await world.claim(active.id, lease=30) if active.attempt == 0 else active


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_row_security_alone_shows_members_their_rows_and_strangers_none(world, table):
    async with world.database.as_user(world.author) as connection:
        assert (await connection.execute(select(table))).first() is not None
    async with world.database.as_user(world.stranger) as connection:
        assert (await connection.execute(select(table))).first() is None
    async with world.database.as_user(uuid4()) as connection:
        assert (await connection.execute(select(table))).first() is None


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_row_security_is_forced_on_every_table(world, table):
    async with world.database.as_worker() as connection:
        flags = text("SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = CAST(:name AS regclass)")
        assert (await connection.execute(flags, {"name": table.name})).scalar_one()


async def test_row_security_alone_lets_strangers_change_nothing(world):
    async with world.database.as_user(world.stranger) as connection:
        assert (await connection.execute(text("UPDATE job SET progress = 1"))).rowcount == 0
        assert (await connection.execute(text("UPDATE job_step SET tries = 9"))).rowcount == 0
    copy = text("INSERT INTO job_event VALUES (:job, 99, :project, now(), 'Finished', '{}')")
    seen = await claim_of(world)
    with pytest.raises(DBAPIError, match="row-level security"):
        async with world.database.as_user(world.stranger) as connection:
            await connection.execute(copy, {"job": seen.id, "project": world.project_id})


@pytest.mark.parametrize("statement", ["UPDATE ledger_entry SET cost = 0", "DELETE FROM ledger_entry", "UPDATE job_event SET body = '{}'"])
async def test_what_is_only_ever_added_cannot_be_changed(world, statement):
    with pytest.raises(DBAPIError, match="permission denied"):
        async with world.database.as_user(world.author) as connection:
            await connection.execute(text(statement))


@pytest.mark.parametrize("question", ["SELECT * FROM prompt_receipt", "SELECT body FROM job_event", "SELECT request FROM job"])
async def test_a_worker_sees_no_prompts_no_logs_and_no_requests(world, question):
    with pytest.raises(DBAPIError, match="permission denied"):
        async with world.database.as_worker() as connection:
            await connection.execute(text(question))


async def test_the_repositories_filter_alone_shows_strangers_nothing(world):
    """The author's transaction in the stranger's hands: row security lets everything through."""
    seen = await claim_of(world)
    page = PageRequest()
    async with world.database.as_user(world.author) as connection:
        jobs = JobRecords(connection, world.stranger)
        assert await jobs.get_many([seen.id]) == {}
        assert await jobs.active_on(world.chapter_ids[0]) is None
        assert await jobs.steps([seen.id]) == {}
        assert await jobs.events_after(seen.id, sequence=0, limit=10) == []
        assert (await jobs.event_pages([seen.id], page))[seen.id].items == ()
        assert await jobs.texts([seen.id]) == {}
        assert await jobs.prompt_of(seen.id) is None
        assert list(await jobs.last_messages(world.chapter_ids[0])) == []
        assert (await jobs.pages_of_projects([world.project_id], page, status=None, kind=None))[world.project_id].items == ()
        assert await jobs.counts_of_projects([world.project_id], status=None, kind=None) == {world.project_id: 0}
        assert (await jobs.pages_of_chapters(world.chapter_ids, page))[world.chapter_ids[0]].items == ()
        assert await jobs.counts_of_chapters(world.chapter_ids[:1]) == {world.chapter_ids[0]: 0}
        assert await jobs.recall_key("k", since=NOW.replace(year=2000)) is None


async def test_the_repositories_filter_alone_lets_strangers_change_nothing(world):
    seen = await claim_of(world)
    other = await world.claimed(1)
    for attempt in (
        lambda jobs: jobs.create(world.job(2), reserve=RESERVE),
        lambda jobs: jobs.request_cancel(seen.id, at=NOW),
        lambda jobs: jobs.retry(seen.id, reserve=RESERVE, at=NOW),
        lambda jobs: jobs.complete_step(other, "context", started_at=NOW, at=NOW, events=()),
        lambda jobs: jobs.finish(other, ending()),
        lambda jobs: jobs.add_prompt(prompt(), receipt_id=uuid4(), job_id=other.job_id, chapter_id=world.chapter_ids[1], at=NOW),
    ):
        with pytest.raises(NotFound):
            async with world.database.as_user(world.author) as connection:
                await attempt(JobRecords(connection, world.stranger))
    assert await world.look(seen.id) == seen
