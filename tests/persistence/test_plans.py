"""Every hot read finds what it reads by an index: of tables in which many authors keep their work, it reads about as much as it answers."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from domain.paging import PageRequest
from domain.ports import Records
from domain.projects import ProjectFilter, ProjectOrder, ProjectOrderField
from domain.reference_files import ReferenceKind
from persistence.database import Database
from persistence.library import PostgresLibrary
from persistence.users import UserRecords, user_seen
from tests.conftest import APPLICATION_LOGIN
from tests.factories import Cluster
from tests.persistence.many_books import ManyBooks, fill
from tests.statements import statements_sent

Read = Callable[[Records, ManyBooks], Awaitable[Any]]

LIMIT = 3
FIRST = PageRequest(limit=LIMIT)
LAST = PageRequest(limit=LIMIT, backwards=True)
MODEL = "m"
BESIDE = 1500
"""Rows that may be read to answer none: of the reader's own, who has hundreds in each table, and by no means those of others."""
SCANS_FOR_A_ROW = 8
SCANNED = text("SELECT sum(seq_scan)::int FROM pg_stat_xact_user_tables WHERE relname IN ('app_user', 'project_member')")
SINCE = datetime.fromisoformat("2026-01-01T00:00:00Z")


def by_title(descending: bool) -> ProjectOrder:
    return ProjectOrder(field=ProjectOrderField.TITLE, descending=descending)


def around(page: Callable[[Records, ManyBooks, PageRequest], Awaitable[Any]]) -> Mapping[str, Read]:
    """The first page, the last, and one between two cursors from either side."""

    async def between(records: Records, mine: ManyBooks, *, backwards: bool) -> Any:
        whole = await page(records, mine, PageRequest(limit=100))
        cursors = next(iter(whole.values())).cursors if isinstance(whole, Mapping) else whole.cursors
        return await page(records, mine, PageRequest(limit=LIMIT, after=cursors[0], before=cursors[-1], backwards=backwards))

    return {
        "first": lambda records, mine: page(records, mine, FIRST),
        "last": lambda records, mine: page(records, mine, LAST),
        "after": lambda records, mine: between(records, mine, backwards=False),
        "before": lambda records, mine: between(records, mine, backwards=True),
    }


LISTINGS: Mapping[str, Callable[[Records, ManyBooks, PageRequest], Awaitable[Any]]] = {
    "projects by time": lambda records, mine, request: records.projects.page(request, chosen=ProjectFilter(), order=ProjectOrder()),
    "projects by title": lambda records, mine, request: records.projects.page(
        request, chosen=ProjectFilter(archived=False), order=by_title(False)
    ),
    "chapters": lambda records, mine, request: records.chapters.pages(mine.projects, request, status=None),
    "versions": lambda records, mine, request: records.versions.pages(mine.chapters, request),
    "reference files": lambda records, mine, request: records.reference_files.pages(
        mine.projects, request, kind=(ReferenceKind.CHARACTER,)
    ),
    "jobs of projects": lambda records, mine, request: records.jobs.pages_of_projects(mine.projects, request, status=None, kind=None),
    "jobs of chapters": lambda records, mine, request: records.jobs.pages_of_chapters(mine.chapters, request),
    "jobs of the user": lambda records, mine, request: records.jobs.page_of_user(request, status=None),
    "events": lambda records, mine, request: records.jobs.event_pages(mine.jobs, request),
}
READS: Mapping[str, Read] = {
    **{f"{name}, {which}": read for name, page in LISTINGS.items() for which, read in around(page).items()},
    "users": lambda records, mine: records.users.get_many([mine.reader, *mine.fellows]),
    "projects": lambda records, mine: records.projects.get_many(mine.projects),
    "roles": lambda records, mine: records.projects.roles(mine.projects),
    "members": lambda records, mine: records.projects.members(mine.projects),
    "progress": lambda records, mine: records.projects.progress(mine.projects),
    "budgets": lambda records, mine: records.projects.budgets(mine.projects),
    "count of projects": lambda records, mine: records.projects.count(chosen=ProjectFilter()),
    "one chapter": lambda records, mine: records.chapters.get_many(mine.chapters[:1]),
    "chapters": lambda records, mine: records.chapters.get_many(mine.chapters),
    "counts of chapters": lambda records, mine: records.chapters.counts(mine.projects, status=None),
    "one version": lambda records, mine: records.versions.get_many(mine.versions[:1]),
    "versions": lambda records, mine: records.versions.get_many(mine.versions),
    "versions by number": lambda records, mine: records.versions.by_number([(chapter, 2) for chapter in mine.chapters]),
    "texts of versions": lambda records, mine: records.versions.texts(mine.versions),
    "counts of versions": lambda records, mine: records.versions.counts(mine.chapters),
    "versions of a job": lambda records, mine: records.versions.of_job(mine.jobs[0]),
    "reference files": lambda records, mine: records.reference_files.get_many(mine.files),
    "reference files of a project": lambda records, mine: records.reference_files.of_project(mine.projects[0]),
    "contents of reference files": lambda records, mine: records.reference_files.contents(mine.files),
    "counts of reference files": lambda records, mine: records.reference_files.counts(mine.projects, kind=None),
    "jobs": lambda records, mine: records.jobs.get_many(mine.jobs),
    "active jobs": lambda records, mine: records.jobs.active_count(),
    "a chapter's active job": lambda records, mine: records.jobs.active_on(mine.chapters[0]),
    "a version's active job": lambda records, mine: records.jobs.active_on(mine.chapters[0], version_id=mine.versions[0]),
    "counts of projects' jobs": lambda records, mine: records.jobs.counts_of_projects(mine.projects, status=None, kind=None),
    "counts of chapters' jobs": lambda records, mine: records.jobs.counts_of_chapters(mine.chapters),
    "count of the user's jobs": lambda records, mine: records.jobs.count_of_user(status=None),
    "steps": lambda records, mine: records.jobs.steps(mine.jobs),
    "events after": lambda records, mine: records.jobs.events_after(mine.jobs[0], sequence=1, limit=LIMIT),
    "counts of events": lambda records, mine: records.jobs.event_counts(mine.jobs),
    "texts of jobs": lambda records, mine: records.jobs.texts(mine.jobs),
    "last messages": lambda records, mine: records.jobs.last_messages(mine.chapters[0]),
    "a job's prompt": lambda records, mine: records.jobs.prompt_of(mine.jobs[0]),
    "receipts": lambda records, mine: records.jobs.receipts(mine.receipts),
    "assessments": lambda records, mine: records.assessments.get_many(mine.assessments),
    "assessments of versions": lambda records, mine: records.assessments.of_versions(mine.versions),
    "assessments of a job": lambda records, mine: records.assessments.of_job(mine.jobs[0]),
    "quality": lambda records, mine: records.assessments.quality(mine.projects),
    "accepted chapters": lambda records, mine: records.assessments.accepted(mine.projects[0], besides=mine.chapters[0]),
    "findings": lambda records, mine: records.assessments.get_findings(mine.findings),
    "findings of assessments": lambda records, mine: records.assessments.findings(mine.assessments),
    "dismissed": lambda records, mine: records.assessments.dismissed(mine.chapters[0]),
    "usage of projects": lambda records, mine: records.spending.report_of_projects(mine.projects, since=SINCE, until=None),
    "usage of the user": lambda records, mine: records.spending.report_of_user(since=None, until=None),
    "usage of jobs": lambda records, mine: records.spending.of_jobs(mine.jobs),
    "the user's month": lambda records, mine: records.spending.month(limit=None),
    "newest vectors": lambda records, mine: records.vectors.newest(mine.projects[0], model=MODEL, after=0, limit=LIMIT),
    "vectors by key": lambda records, mine: records.vectors.by_key(mine.projects[0], [bytes(32)], model=MODEL),
}


@dataclass(frozen=True)
class Shelf:
    database: Database
    library: PostgresLibrary
    mine: ManyBooks


@pytest.fixture(scope="module")
def filled(cluster: Cluster, template: str, database_names: Iterator[str]) -> tuple[str, ManyBooks]:
    """A database of its own, which nobody gets afterwards."""
    name = next(database_names)
    cluster.create_database(name, template=template)
    return cluster.url(name, login=APPLICATION_LOGIN), fill(cluster.url(name))


@pytest.fixture
async def shelf(filled: tuple[str, ManyBooks]) -> AsyncIterator[Shelf]:
    url, mine = filled
    database = Database(url, pool_size=1)
    yield Shelf(database, PostgresLibrary(database), mine)
    await database.close()


async def sent_by(shelf: Shelf, read: Read) -> list[tuple[str, Sequence[Any]]]:
    async with shelf.library.reading(shelf.mine.reader) as records:
        with statements_sent() as sent:
            await read(records, shelf.mine)
    return sent


@pytest.mark.parametrize("planned_for", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("name", READS)
async def test_a_read_goes_by_indexes_and_reads_little_beside_what_it_answers(shelf: Shelf, name: str, planned_for: str) -> None:
    """Also with the plan that Postgres keeps for any parameters, once a connection has sent the statement several times."""
    sent = await sent_by(shelf, READS[name])
    assert sent
    for statement, arguments in sent:
        async with shelf.database.as_user(shelf.mine.reader, read_only=True) as connection:
            await connection.execute(text(f"SET LOCAL plan_cache_mode = {planned_for}"))
            ((explanation,),) = await connection._driver.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *arguments)
        plan = explanation[0]["Plan"]
        scans = [node for node in nodes_of(plan) if "Relation Name" in node]
        assert scans
        assert [node for node in scans if node["Node Type"] == "Seq Scan"] == [], statement
        read = sum(node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) for node in scans)
        assert read <= BESIDE + SCANS_FOR_A_ROW * plan["Actual Rows"], (statement, scans)


async def test_who_is_behind_a_token_is_found_by_an_index(shelf: Shelf) -> None:
    """What a function of the database reads shows in no plan, but in the statistics of its transaction."""
    known = {"issuer": "issuer", "subject": "subject 7", "name": "User 7", "email": "user7@example.com"}
    async with shelf.database.as_user(shelf.mine.reader) as connection:
        user = await user_seen(connection, **known, new_id=uuid4(), at=SINCE)
        assert user.name == "User 7"
        assert await UserRecords(connection, shelf.mine.reader).id_by_email("USER7@example.com") == user.id
        assert await connection.scalar(SCANNED) == 0


def nodes_of(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes_of(part)
