"""Two walls around jobs: the repositories' own filter, and row security, each holding without the other."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from domain.access import Role
from domain.errors import NotFound
from domain.jobs.job import Claim
from domain.paging import PageRequest
from domain.ports import Jobs
from persistence.database import Database, Transaction
from persistence.jobs import JobRecords
from persistence.tables.jobs import idempotency_key, job, job_event, job_step, ledger_entry, prompt_receipt
from tests.factories import add_user
from tests.persistence.job_world import NOW, RESERVE, RESULT, JobWorld, build_world, ending, later, prompt

TABLES = (job, job_step, job_event, prompt_receipt, ledger_entry, idempotency_key)
FIRST_PAGE = PageRequest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """An author's jobs: one has left a row in every table, one has only been claimed, and the last chapter has none.

    The stranger has no part in them, the reader may only read; the leaver has started one too, and is no member any more.
    """

    world: JobWorld
    written: Claim
    bare: Claim
    receipt_id: UUID
    people: dict[str, UUID]

    @property
    def chapter_id(self) -> UUID:
        return self.world.chapter_ids[0]


@pytest.fixture
async def shelf(database):
    world = await build_world(database, chapters=4)
    people = {"author": world.author, "stranger": world.stranger}
    for name, role in (("reader", Role.VIEWER), ("leaver", Role.EDITOR)):
        people[name] = (await add_user(world.library, name)).id
        await world.add_member(people[name], role)
    shelf = Shelf(world=world, written=await world.claimed(0), bare=await world.claimed(1), receipt_id=uuid4(), people=people)
    await write(shelf)
    await world.create(world.job(2, by=people["leaver"]))
    async with world.library.writing(world.author) as records:
        await records.projects.remove_member(world.project_id, people["leaver"])
    return shelf


async def write(shelf):
    claim, world = shelf.written, shelf.world
    async with world.library.writing(world.author) as records:
        await records.jobs.add_prompt(prompt(), receipt_id=shelf.receipt_id, job_id=claim.job_id, chapter_id=shelf.chapter_id, at=NOW)
        await records.jobs.remember_key("k", request_hash="h", job_id=claim.job_id, at=NOW)
    await world.desk.record(claim, await world.begun(claim), RESULT, at=NOW)


async def items(pages):
    return [item for page in (await pages).values() for item in page.items]


async def total(counts):
    return sum((await counts).values())


async def items_of_user(page):
    return (await page).items


READS = {
    "get_many": lambda jobs, shelf: jobs.get_many([shelf.written.job_id]),
    "active_on": lambda jobs, shelf: jobs.active_on(shelf.chapter_id),
    "active_count": lambda jobs, shelf: jobs.active_count(),
    "steps": lambda jobs, shelf: jobs.steps([shelf.written.job_id]),
    "pages_of_projects": lambda jobs, shelf: items(jobs.pages_of_projects([shelf.world.project_id], FIRST_PAGE, status=None, kind=None)),
    "counts_of_projects": lambda jobs, shelf: total(jobs.counts_of_projects([shelf.world.project_id], status=None, kind=None)),
    "pages_of_chapters": lambda jobs, shelf: items(jobs.pages_of_chapters([shelf.chapter_id], FIRST_PAGE)),
    "counts_of_chapters": lambda jobs, shelf: total(jobs.counts_of_chapters([shelf.chapter_id])),
    "page_of_user": lambda jobs, shelf: items_of_user(jobs.page_of_user(FIRST_PAGE, status=None)),
    "count_of_user": lambda jobs, shelf: jobs.count_of_user(status=None),
    "events_after": lambda jobs, shelf: jobs.events_after(shelf.written.job_id, sequence=0, limit=9),
    "event_pages": lambda jobs, shelf: items(jobs.event_pages([shelf.written.job_id], FIRST_PAGE)),
    "event_counts": lambda jobs, shelf: total(jobs.event_counts([shelf.written.job_id])),
    "texts": lambda jobs, shelf: jobs.texts([shelf.written.job_id]),
    "last_messages": lambda jobs, shelf: jobs.last_messages(shelf.chapter_id),
    "prompt_of": lambda jobs, shelf: jobs.prompt_of(shelf.written.job_id),
    "receipts": lambda jobs, shelf: jobs.receipts([shelf.receipt_id]),
    "recall_key": lambda jobs, shelf: jobs.recall_key("k", since=later(-1)),
}
WRITES = {
    "create": lambda jobs, shelf: jobs.create(shelf.world.job(3), reserve=RESERVE),
    "request_cancel": lambda jobs, shelf: jobs.request_cancel(shelf.written.job_id, at=NOW),
    "retry": lambda jobs, shelf: jobs.retry(shelf.written.job_id, reserve=RESERVE, at=NOW),
    "change_cost_limit": lambda jobs, shelf: jobs.change_cost_limit(shelf.written.job_id, None),
    "add_prompt": lambda jobs, shelf: jobs.add_prompt(
        prompt(), receipt_id=uuid4(), job_id=shelf.bare.job_id, chapter_id=shelf.world.chapter_ids[1], at=NOW
    ),
    "complete_step": lambda jobs, shelf: jobs.complete_step(shelf.bare, "context", started_at=NOW, at=NOW, events=()),
    "finish": lambda jobs, shelf: jobs.finish(shelf.bare, ending()),
}
ONES_OWN = {"remember_key"}
"""Writes a row that belongs to its user, in whatever project the job is; `recall_key` shows it to nobody else."""


def test_every_method_of_the_jobs_port_is_tried():
    methods = {method for method in vars(Jobs) if not method.startswith("_")}
    assert methods == READS.keys() | WRITES.keys() | ONES_OWN


@pytest.fixture
async def above_row_security(owner_url):
    """The superuser, whom no policy binds: what is refused here is refused by the repositories alone."""
    database = Database(owner_url)
    async with Transaction(database._pool, "BEGIN") as connection:
        yield connection
        await connection.execute(text("ROLLBACK"))
    await database.close()


@pytest.mark.parametrize("who", ["stranger", "leaver"])
@pytest.mark.parametrize("read", READS)
async def test_the_repositories_filter_alone_shows_only_members_something(shelf, above_row_security, read, who):
    assert await READS[read](JobRecords(above_row_security, shelf.people["author"]), shelf)
    assert not await READS[read](JobRecords(above_row_security, shelf.people[who]), shelf)


@pytest.mark.parametrize("who", ["stranger", "leaver", "reader"])
@pytest.mark.parametrize("change", WRITES)
async def test_the_repositories_filter_alone_lets_only_writers_change_something(shelf, above_row_security, change, who):
    with pytest.raises(NotFound):
        await WRITES[change](JobRecords(above_row_security, shelf.people[who]), shelf)
    await WRITES[change](JobRecords(above_row_security, shelf.people["author"]), shelf)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_row_security_alone_shows_only_members_the_rows(shelf, table):
    rows = select(table).where((table.c.id if table is job else table.c.job_id) == shelf.written.job_id)
    async with shelf.world.database.as_user(shelf.people["author"]) as connection:
        assert (await connection.execute(rows)).first() is not None
    for outsider in (shelf.people["stranger"], shelf.people["leaver"], uuid4()):
        async with shelf.world.database.as_user(outsider) as connection:
            assert (await connection.execute(rows)).first() is None


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_row_security_is_forced_on_every_table(shelf, table):
    async with shelf.world.database.as_worker() as connection:
        flags = text("SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = CAST(:name AS regclass)")
        assert (await connection.execute(flags, {"name": table.name})).scalar_one()


@pytest.mark.parametrize("who", ["stranger", "leaver", "reader"])
async def test_row_security_alone_lets_only_writers_change_rows(shelf, who):
    async with shelf.world.database.as_user(shelf.people[who]) as connection:
        assert (await connection.execute(text("UPDATE job SET progress = 1"))).rowcount == 0
        assert (await connection.execute(text("UPDATE job_step SET tries = 9"))).rowcount == 0


ADDITIONS = {
    "job": "(id, project_id, chapter_id, kind, status, stage, progress, started_by, attempt, request, rehearsal, estimate, last_sequence, "
    "created_at, reserved) VALUES (gen_random_uuid(), :project, :chapter, 'CHAPTER', 'QUEUED', 'QUEUED', 0, :author, 0, '{}', true, '{}', "
    "0, now(), 0)",
    "job_step": "(job_id, project_id, name, status, tries, epoch, asked_since, started_at) "
    "VALUES (:job, :project, 'x', 'RUNNING', 1, 1, 1, now())",
    "job_event": "VALUES (:job, 99, :project, now(), 'Finished', '{}')",
    "prompt_receipt": "VALUES (gen_random_uuid(), :project, :job, :chapter, now(), '[]', '[]', '{}')",
    "idempotency_key": "VALUES (:author, 'x', 'h', :job, now())",
}


@pytest.mark.parametrize("who", ["stranger", "leaver", "reader"])
@pytest.mark.parametrize("table", ADDITIONS)
async def test_row_security_alone_lets_only_writers_add_rows(shelf, table, who):
    contents = {
        "job": shelf.bare.job_id,
        "project": shelf.world.project_id,
        "chapter": shelf.world.chapter_ids[-1],
        "author": shelf.people["author"],
    }
    addition = text(f"INSERT INTO {table} {ADDITIONS[table]}")
    mentioned = {name: contents[name] for name in addition.compile().params}
    with pytest.raises(DBAPIError, match="row-level security"):
        async with shelf.world.database.as_user(shelf.people[who]) as connection:
            await connection.execute(addition, mentioned)
    async with shelf.world.database.as_user(shelf.people["author"]) as connection:
        await connection.execute(addition, mentioned)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET cost = 0",
        "DELETE FROM ledger_entry",
        "INSERT INTO ledger_entry (at) VALUES (now())",
        "UPDATE job_event SET body = '{}'",
    ],
)
async def test_what_is_only_ever_added_cannot_be_changed(shelf, statement):
    with pytest.raises(DBAPIError, match="permission denied"):
        async with shelf.world.database.as_user(shelf.people["author"]) as connection:
            await connection.execute(text(statement))


@pytest.mark.parametrize("question", ["SELECT * FROM prompt_receipt", "SELECT body FROM job_event", "SELECT request FROM job"])
async def test_a_worker_sees_no_prompts_no_logs_and_no_requests(shelf, question):
    with pytest.raises(DBAPIError, match="permission denied"):
        async with shelf.world.database.as_worker() as connection:
            await connection.execute(text(question))
