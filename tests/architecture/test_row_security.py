"""Two walls between tenants: row security as the catalog knows it, and each wall standing without the other."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain.access import Membership, Role, User
from domain.chapters import Chapter, ChapterStatus, ChapterVersion
from domain.errors import NotFound
from domain.paging import PageRequest
from domain.ports import Assessments, Chapters, Library, Projects, Records, ReferenceFiles, Spending, Users, Vectors, Versions
from domain.projects import Project, ProjectFilter, ProjectOrder
from domain.prompting.index.saved_text import NewText
from domain.spending import Usage, UsageReport
from persistence.connection import Connection
from persistence.database import Database, Transaction
from persistence.library import PostgresRecords
from tests.factories import (
    NOON,
    a_chapter,
    a_project,
    a_reference_file,
    a_version,
    add_chapters,
    add_member,
    add_project,
    add_user,
    an_assessment,
    an_issue,
)

UNGUARDED = """
    SELECT relname::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT (relrowsecurity AND relforcerowsecurity)
    ORDER BY relname
"""
WITHOUT_TENANTS = [
    "alembic_version",
    "model_rate",
    "procrastinate_events",
    "procrastinate_jobs",
    "procrastinate_periodic_defers",
    "procrastinate_workers",
]
"""What is left to say about them is that nobody who asks on a user's behalf gets there."""
BEHIND_TABLES = """
    SELECT relname::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm', 'f') AND NOT coalesce(reloptions::text LIKE '%security_invoker=true%', false)
"""
OPEN_COMMANDS = """
    SELECT p.tablename::text, p.policyname::text FROM pg_policies AS p
    WHERE p.schemaname = 'public' AND ('public' = ANY(p.roles) OR p.permissive <> 'PERMISSIVE' OR p.cmd = 'ALL')
"""
# Of a whole table or of one of its columns.
GRANTED = """
    SELECT c.relname::text, command FROM pg_class AS c CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS command
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
      AND (has_table_privilege('scriptorium_app', c.oid, command)
           OR command NOT IN ('DELETE', 'TRUNCATE') AND has_any_column_privilege('scriptorium_app', c.oid, command))
"""
GUARDED = """
    SELECT tablename::text, cmd, array_remove(ARRAY[qual, with_check], NULL) FROM pg_policies
    WHERE schemaname = 'public' AND 'scriptorium_app' = ANY(roles)
"""
ROLES = """
    SELECT rolname::text, rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles
    WHERE rolname IN ('scriptorium_app', 'scriptorium_worker', 'scriptorium') ORDER BY rolname
"""
OWNED = """
    SELECT classid::regclass::text, objid FROM pg_shdepend JOIN pg_roles AS owner ON owner.oid = refobjid
    WHERE deptype = 'o' AND owner.rolname IN ('scriptorium', 'scriptorium_app', 'scriptorium_worker')
"""
MAY_MAKE = """
    SELECT rolname::text FROM pg_roles
    WHERE rolname LIKE 'scriptorium%' AND (has_schema_privilege(oid, 'public', 'CREATE') OR has_database_privilege(oid, current_database(), 'CREATE'))
"""
MEMBER_OF = """
    SELECT holder.rolname::text, granted.rolname::text FROM pg_auth_members
    JOIN pg_roles AS holder ON holder.oid = member JOIN pg_roles AS granted ON granted.oid = roleid
    WHERE holder.rolname LIKE 'scriptorium%' ORDER BY 1, 2
"""
DEFINERS = "SELECT proname::text FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"


@pytest.fixture
def catalog(owner_url: str) -> Callable[[str], list[tuple[Any, ...]]]:
    def ask(query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(owner_url) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]

    return ask


Catalog = Callable[[str], list[tuple[Any, ...]]]


def test_every_table_is_under_forced_row_security_but_those_without_tenants(catalog: Catalog) -> None:
    assert [name for (name,) in catalog(UNGUARDED)] == WITHOUT_TENANTS
    assert catalog(BEHIND_TABLES) == []


def test_every_command_the_application_may_run_is_guarded_by_a_policy_of_its_own(catalog: Catalog) -> None:
    assert catalog(OPEN_COMMANDS) == []
    guards: dict[tuple[str, str], list[str]] = {}
    for table, command, expressions in catalog(GUARDED):
        guards.setdefault((table, command), []).extend(expressions)
    granted = catalog(GRANTED)
    assert len(granted) >= 30
    for table, command in granted:
        assert guards.get((table, command)), f"{command} on {table}"
        for expression in guards[table, command]:
            assert any(word in expression for word in ("accessible_projects", "acting_user")), expression


def test_no_role_of_the_application_stands_above_row_security(catalog: Catalog) -> None:
    assert catalog(ROLES) == [
        ("scriptorium", True, False, False, False, False, False),
        ("scriptorium_app", False, False, False, False, False, False),
        ("scriptorium_worker", False, False, False, False, False, False),
    ]
    assert catalog(OWNED) == []
    assert catalog(MAY_MAKE) == []
    assert catalog(MEMBER_OF) == [("scriptorium", "scriptorium_app"), ("scriptorium", "scriptorium_worker")]


def test_functions_with_their_owners_rights_have_a_fixed_search_path_and_are_not_for_everybody(catalog: Catalog) -> None:
    assert catalog(DEFINERS)
    assert catalog(f"{DEFINERS} AND NOT coalesce(proconfig::text, '') LIKE '%search_path=%'") == []
    assert catalog(f"{DEFINERS} AND has_function_privilege('public', oid, 'EXECUTE')") == []


class Book:
    """Ada's book, which Eve has no part in and Vera may only read."""

    def __init__(self, project: Project, chapter: Chapter, version: ChapterVersion, file_id: UUID, people: Mapping[str, User]) -> None:
        self.project, self.chapter, self.version, self.file_id, self.people = project, chapter, version, file_id, people
        self.version_id = version.id
        self.job_id = version.job_id or UUID(int=0)
        self.assessment_id = uuid4()
        self.finding_ids = [uuid4(), uuid4()]


ENTER = """
    INSERT INTO ledger_entry (at, user_id, project_id, job_id, step, epoch, model, calls,
                              prompt_tokens, cached_prompt_tokens, completion_tokens, cost, estimated, uncertain)
    VALUES (now(), %s, %s, %s, 'draft', 1, 'm', 1, 0, 0, 0, 1, false, false)
"""


ADD_VECTOR = "INSERT INTO passage_vector (project_id, model, sha256, dims, vector) VALUES (%s, 'm', %s, 0, '')"
VECTOR_KEY = bytes(32)


@pytest.fixture
async def book(library: Library, owner_url: str) -> Book:
    people = {name: await add_user(library, name) for name in ("Ada", "Eve", "Vera")}
    ada = people["Ada"]
    project = await add_project(library, ada)
    await add_project(library, people["Eve"], title="Her own")
    await add_member(library, ada, project, people["Vera"], Role.VIEWER)
    (chapter,) = await add_chapters(library, ada, project, 1, status=ChapterStatus.FINAL)
    file = a_reference_file(project)
    async with library.writing(ada.id) as records:
        version = await records.versions.add(a_version(chapter, job_id=uuid4()), make_current=True)
        await records.reference_files.create(file, content=NewText.of(""))
        book = Book(project, chapter, version, file.id, people)
        assessment = an_assessment(version, id=book.assessment_id, job_id=book.job_id)
        await records.assessments.add(assessment, [(finding_id, an_issue()) for finding_id in book.finding_ids])
        await records.assessments.dismiss(book.finding_ids[0], reason="On purpose.", at=NOON)
    with psycopg.connect(owner_url) as connection:
        connection.execute(ENTER, (ada.id, project.id, chapter.id))
        connection.execute(ADD_VECTOR, (project.id, VECTOR_KEY))
    return book


async def found(records: Records, book: Book) -> list[Project]:
    page = await records.projects.page(PageRequest(), chosen=ProjectFilter(), order=ProjectOrder())
    return [project for project in page.items if project.id == book.project.id]


AS_CHOSEN = ProjectFilter(title_contains="Lighthouse")
READS: Mapping[str, Callable[[Records, Book], Awaitable[Any]]] = {
    "projects.get_many": lambda records, book: records.projects.get_many([book.project.id]),
    "projects.page": found,
    "projects.count": lambda records, book: records.projects.count(chosen=AS_CHOSEN),
    "projects.lock": lambda records, book: records.projects.lock(book.project.id),
    "projects.roles": lambda records, book: records.projects.roles([book.project.id]),
    "projects.members": lambda records, book: records.projects.members([book.project.id]),
    "projects.progress": lambda records, book: records.projects.progress([book.project.id]),
    "projects.budgets": lambda records, book: records.projects.budgets([book.project.id]),
    "users.get_many": lambda records, book: records.users.get_many([book.people["Ada"].id]),
    "chapters.get_many": lambda records, book: records.chapters.get_many([book.chapter.id]),
    "chapters.lock": lambda records, book: records.chapters.lock(book.chapter.id),
    "chapters.of_project": lambda records, book: records.chapters.of_project(book.project.id),
    "chapters.pages": lambda records, book: items(records.chapters.pages([book.project.id], PageRequest(), status=None)),
    "chapters.counts": lambda records, book: total(records.chapters.counts([book.project.id], status=None)),
    "versions.get_many": lambda records, book: records.versions.get_many([book.version_id]),
    "versions.by_number": lambda records, book: records.versions.by_number([(book.chapter.id, 1)]),
    "versions.texts": lambda records, book: records.versions.texts([book.version_id]),
    "versions.stored_texts": lambda records, book: records.versions.stored_texts([book.version_id]),
    "versions.pages": lambda records, book: items(records.versions.pages([book.chapter.id], PageRequest())),
    "versions.counts": lambda records, book: total(records.versions.counts([book.chapter.id])),
    "reference_files.get_many": lambda records, book: records.reference_files.get_many([book.file_id]),
    "reference_files.of_project": lambda records, book: records.reference_files.of_project(book.project.id),
    "reference_files.contents": lambda records, book: records.reference_files.contents([book.file_id]),
    "reference_files.stored_texts": lambda records, book: records.reference_files.stored_texts([book.file_id]),
    "reference_files.pages": lambda records, book: items(records.reference_files.pages([book.project.id], PageRequest(), kind=None)),
    "reference_files.counts": lambda records, book: total(records.reference_files.counts([book.project.id], kind=None)),
    "vectors.newest": lambda records, book: records.vectors.newest(book.project.id, model="m", after=0, limit=9),
    "vectors.by_key": lambda records, book: records.vectors.by_key(book.project.id, [VECTOR_KEY], model="m"),
    "versions.of_job": lambda records, book: records.versions.of_job(book.job_id),
    "assessments.get_many": lambda records, book: records.assessments.get_many([book.assessment_id]),
    "assessments.of_versions": lambda records, book: records.assessments.of_versions([book.version_id]),
    "assessments.of_job": lambda records, book: records.assessments.of_job(book.job_id),
    "assessments.quality": lambda records, book: records.assessments.quality([book.project.id]),
    "assessments.accepted": lambda records, book: records.assessments.accepted(book.project.id, besides=book.file_id),
    "assessments.findings": lambda records, book: records.assessments.findings([book.assessment_id]),
    "assessments.get_findings": lambda records, book: records.assessments.get_findings(book.finding_ids),
    "assessments.dismissed": lambda records, book: records.assessments.dismissed(book.chapter.id),
    "spending.report_of_projects": lambda records, book: calls(
        records.spending.report_of_projects([book.project.id], since=None, until=None)
    ),
    "spending.of_jobs": lambda records, book: calls(records.spending.of_jobs([book.chapter.id])),
    "spending.report_of_user": lambda records, book: calls_of_user(records),
    "spending.month": lambda records, book: spent_this_month(records),
}
WRITES: Mapping[str, Callable[[Records, Book], Awaitable[Any]]] = {
    "projects.update": lambda records, book: records.projects.update(book.project.id, {"title": "x"}),
    "projects.delete": lambda records, book: records.projects.delete(book.project.id),
    "projects.add_member": lambda records, book: records.projects.add_member(
        Membership(book.project.id, book.people["Eve"].id, Role.OWNER, NOON)
    ),
    "projects.change_role": lambda records, book: records.projects.change_role(book.project.id, book.people["Vera"].id, Role.OWNER),
    "projects.remove_member": lambda records, book: records.projects.remove_member(book.project.id, book.people["Ada"].id),
    "chapters.create": lambda records, book: records.chapters.create(a_chapter(book.project)),
    "chapters.update": lambda records, book: records.chapters.update(book.chapter.id, {"title": "x"}),
    "chapters.move": lambda records, book: records.chapters.move(book.chapter.id, 1),
    "chapters.delete": lambda records, book: records.chapters.delete(book.chapter.id),
    "versions.add": lambda records, book: records.versions.add(a_version(book.chapter), make_current=True),
    "versions.make_current": lambda records, book: records.versions.make_current(book.version_id, at=NOON),
    "assessments.add": lambda records, book: records.assessments.add(an_assessment(book.version), [(uuid4(), an_issue())]),
    "assessments.dismiss": lambda records, book: records.assessments.dismiss(book.finding_ids[1], reason="Meant.", at=NOON),
    "reference_files.create": lambda records, book: records.reference_files.create(a_reference_file(book.project), content=NewText.of("")),
    "reference_files.update": lambda records, book: records.reference_files.update(book.file_id, {}, content=NewText.of("x")),
    "reference_files.delete": lambda records, book: records.reference_files.delete(book.file_id),
    "spending.allowances": lambda records, book: records.spending.allowances(book.project.id, monthly_limit=None),
}


async def calls(reports: Awaitable[Mapping[UUID, Usage | UsageReport]]) -> int:
    return sum(report.calls if isinstance(report, Usage) else report.total.calls for report in (await reports).values())


async def calls_of_user(records: Records) -> int:
    return (await records.spending.report_of_user(since=None, until=None)).total.calls


async def spent_this_month(records: Records) -> Decimal:
    return (await records.spending.month(limit=None)).spent


async def items(pages: Awaitable[Mapping[UUID, Any]]) -> list[Any]:
    return [item for page in (await pages).values() for item in page.items]


async def total(counts: Awaitable[Mapping[UUID, int]]) -> int:
    return sum((await counts).values())


WITHOUT_A_TENANT = {"projects.create", "users.id_by_email"}


def test_every_method_of_the_repositories_is_tried() -> None:
    ports = {
        "projects": Projects,
        "users": Users,
        "chapters": Chapters,
        "versions": Versions,
        "assessments": Assessments,
        "reference_files": ReferenceFiles,
        "spending": Spending,
        "vectors": Vectors,
    }
    methods = {f"{name}.{method}" for name, port in ports.items() for method in vars(port) if not method.startswith("_")}
    assert methods == READS.keys() | WRITES.keys() | WITHOUT_A_TENANT


@pytest.fixture
async def above_row_security(owner_url: str) -> AsyncIterator[Connection]:
    """The superuser, whom no policy binds: what is refused here is refused by the repositories alone."""
    database = Database(owner_url)
    async with Transaction(database._pool, "BEGIN") as connection:
        yield connection
        await connection.execute(text("ROLLBACK"))
    await database.close()


@pytest.mark.parametrize("read", READS)
async def test_reads_are_confined_without_row_security(book: Book, above_row_security: Connection, read: str) -> None:
    assert await READS[read](PostgresRecords(above_row_security, book.people["Ada"].id), book)
    assert not await READS[read](PostgresRecords(above_row_security, book.people["Eve"].id), book)


@pytest.mark.parametrize("who", ["Eve", "Vera"])
@pytest.mark.parametrize("write", WRITES)
async def test_writes_are_refused_without_row_security(book: Book, above_row_security: Connection, write: str, who: str) -> None:
    with pytest.raises(NotFound):
        await WRITES[write](PostgresRecords(above_row_security, book.people[who].id), book)
    await WRITES[write](PostgresRecords(above_row_security, book.people["Ada"].id), book)


TABLES_OF_BOOK = ("project", "project_member", "chapter", "chapter_version", "reference_file", "assessment", "finding", "dismissal")
COPIES = {
    "project": "INSERT INTO project (id, title, premise, genre, language, style_notes, settings, created_at, updated_at) "
    "VALUES (gen_random_uuid(), '', '', 'OTHER', 'en', '', '{}', now(), now())",
    "project_member": "INSERT INTO project_member VALUES (:project, :user, 'OWNER', now())",
    "chapter": "INSERT INTO chapter (id, project_id, position, title, brief, status, created_at, updated_at) "
    "VALUES (gen_random_uuid(), :project, 9, '', '', 'PLANNED', now(), now())",
    "chapter_version": "INSERT INTO chapter_version (id, project_id, chapter_id, number, word_count, token_count, origin, rehearsal, created_at, text) "
    "VALUES (gen_random_uuid(), :project, :chapter, 9, 0, 0, 'AUTHOR', false, now(), '')",
    "assessment": "INSERT INTO assessment (id, project_id, chapter_id, version_id, score, score_low, score_high, dimensions, metrics, notes, rehearsal, "
    "usage, created_at) VALUES (gen_random_uuid(), :project, :chapter, :chapter, 0, 0, 0, '[]', '[]', '[]', false, '{}', now())",
    "finding": "INSERT INTO finding (id, project_id, chapter_id, assessment_id, position, issue) "
    "VALUES (gen_random_uuid(), :project, :chapter, :chapter, 9, '{}')",
    "dismissal": "INSERT INTO dismissal (finding_id, project_id, chapter_id, reason, at) VALUES (:chapter, :project, :chapter, '', now())",
    "reference_file": "INSERT INTO reference_file (id, project_id, name, kind, aliases, inclusion, media_type, size_bytes, token_count, sha256, "
    "created_at, updated_at, content) VALUES (gen_random_uuid(), :project, '', 'OTHER', '{}', 'NEVER', '', 0, 0, '', now(), now(), '')",
}


@pytest.mark.parametrize("table", TABLES_OF_BOOK)
async def test_row_security_alone_hides_what_is_not_ones_own(book: Book, database: Database, table: str) -> None:
    key = "id" if table == "project" else "project_id"
    count = text(f"SELECT count(*) FROM {table} WHERE {key} = :project")
    for name, visible in {"Ada": True, "Vera": True, "Eve": False}.items():
        async with database.as_user(book.people[name].id) as connection:
            assert bool((await connection.execute(count, {"project": book.project.id})).scalar_one()) is visible


@pytest.mark.parametrize("who", ["Eve", "Vera"])
@pytest.mark.parametrize("table", TABLES_OF_BOOK)
async def test_row_security_alone_refuses_to_add(book: Book, database: Database, table: str, who: str) -> None:
    user = book.people[who]
    parameters = {"project": book.project.id, "chapter": book.chapter.id, "user": user.id}
    statement = text(COPIES[table])
    with pytest.raises(DBAPIError, match="row-level security"):
        async with database.as_user(user.id) as connection:
            await connection.execute(statement, {name: value for name, value in parameters.items() if f":{name}" in COPIES[table]})


@pytest.mark.parametrize("who", ["Eve", "Vera"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE project SET title = 'x' WHERE id = :project",
        "UPDATE project_member SET role = 'OWNER' WHERE project_id = :project",
        "UPDATE chapter SET title = 'x' WHERE project_id = :project",
        "UPDATE reference_file SET name = 'x' WHERE project_id = :project",
        "DELETE FROM project WHERE id = :project",
        "DELETE FROM project_member WHERE project_id = :project AND role = 'OWNER'",
        "DELETE FROM chapter WHERE project_id = :project",
        "DELETE FROM reference_file WHERE project_id = :project",
    ],
)
async def test_row_security_alone_leaves_what_is_not_ones_own_unchanged(book: Book, database: Database, statement: str, who: str) -> None:
    async with database.as_user(book.people[who].id) as connection:
        assert (await connection.execute(text(statement), {"project": book.project.id})).rowcount == 0


async def test_a_row_cannot_be_moved_into_somebody_elses_project(book: Book, library: Library, database: Database) -> None:
    eve = book.people["Eve"]
    own = await add_project(library, eve)
    (chapter,) = await add_chapters(library, eve, own, 1)
    with pytest.raises(DBAPIError, match="row-level security"):
        async with database.as_user(eve.id) as connection:
            await connection.execute(text("UPDATE chapter SET project_id = :theirs"), {"theirs": book.project.id})
    with pytest.raises(DBAPIError, match="chapter_version_project_id_chapter_id_fkey"):
        async with database.as_user(eve.id) as connection:
            await connection.execute(text(COPIES["chapter_version"]), {"project": own.id, "chapter": book.chapter.id})
    assert chapter.id != book.chapter.id


async def test_versions_can_be_neither_changed_nor_deleted(book: Book, database: Database) -> None:
    for statement in ("UPDATE chapter_version SET text = ''", "DELETE FROM chapter_version"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with database.as_user(book.people["Ada"].id) as connection:
                await connection.execute(text(statement))


async def test_nobody_in_particular_sees_nothing(book: Book, database: Database) -> None:
    for table in (*TABLES_OF_BOOK, "app_user"):
        async with Transaction(database._pool, "BEGIN") as connection:
            await connection.execute(text("SET LOCAL ROLE scriptorium_app"))
            assert (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 0


async def test_a_project_is_claimed_by_its_maker_only(library: Library, database: Database) -> None:
    ada, eve = await add_user(library), await add_user(library, "Eve")
    project = a_project()
    claim = text("INSERT INTO project_member VALUES (:project, :user, :role, now())")
    for user, role in ((ada, "OWNER"), (eve, "EDITOR")):
        with pytest.raises(DBAPIError, match="row-level security"):
            async with database.as_user(eve.id) as connection:
                await connection.execute(claim, {"project": project.id, "user": user.id, "role": role})
