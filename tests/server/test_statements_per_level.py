"""A field takes one statement, of however many parents it is asked: tried for every field of everything that there can be many of."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal

import psycopg
import pytest

from commands.demo.client import Client
from domain.access import User
from domain.assessing.assessment import FindingEvidence
from domain.chapters import ChapterVersion
from domain.jobs.events import Progressed, TextAppended, TextReplaced
from domain.jobs.job import Ending, JobFailure, JobStage, JobStatus, Waiting
from domain.prompting.receipts import Prompt, Source, SourceKind
from persistence.database import Database
from schema.edge.limits import Limits
from schema.ids import decode, encode
from server import LIMITS
from settings import LOCAL_ISSUER
from tests.api import Api, serving, uuid_of
from tests.conftest import APPLICATION_LOGIN
from tests.factories import NOON, Cluster, DatabasePool, an_issue
from tests.fakes.database_proxy import DatabaseProxy
from tests.persistence.job_world import RESULT, intent, prompt
from tests.server.copies import copy_everything, copy_of
from tests.server.levels import Level, asked, levels
from tests.server.running import running
from tests.server.served_schema import ENTITIES

MANY = 100
FEWER = 10
LISTENER = "scriptorium listener"
LEVELS = list(levels())
STATEMENTS = {"ChapterVersion.diff": 2}
"""Beyond those that find the parents: one, but for the other version and both texts."""

_MORE_VERSIONS = """
    INSERT INTO chapter_version (id, project_id, chapter_id, number, word_count, token_count, origin, rehearsal, author_id, created_at, text)
    SELECT gen_random_uuid(), project_id, chapter_id, 100 + n, 2, 2, origin, false, author_id, created_at, 'Draft ' || n
    FROM chapter_version, generate_series(1, %s) AS n WHERE id = %s
    RETURNING id
"""


@dataclass(frozen=True)
class World:
    """A hundred of everything. `examples`: by type, ids of the different kinds of its entities, each with its copies in order."""

    client: Client
    proxy: DatabaseProxy
    examples: Mapping[str, Sequence[Sequence[str]]]
    versions_of_one_chapter: Sequence[str]

    async def answers(self, level: Level, ids: Sequence[str]) -> tuple[list[object], list[str]]:
        """What there is for each parent, and the statements that it took.

        Left out are those that begin and end transactions, for nobody waits for the last of them, so it may come with the next answer;
        and what the driver asks about types, once for a connection.
        """
        with self.proxy.noting(besides=LISTENER) as statements:
            data = await self.client.ask(level.document(self._arguments(level)), ids=ids)
        return list(asked(data)), [statement for statement in statements if " FROM " in statement and "pg_catalog" not in statement]

    async def example(self, level: Level) -> Sequence[str]:
        """Parents that have something in this field, if any have."""
        if str(level) == "ChapterVersion.diff":  # takes versions of the same chapter only
            return self.versions_of_one_chapter
        for ids in self.examples[level.entity]:
            answers, _ = await self.answers(level, ids[:1])
            if has_content(answers):
                return ids
        return self.examples[level.entity][0]

    def _arguments(self, level: Level) -> dict[str, str]:
        known = {"number": "1", "from": f'"{self.versions_of_one_chapter[0]}"'}
        return {name: known[name] for name in level.required}


def has_content(answers: Sequence[object]) -> bool:
    return any(answer not in (None, []) for answer in answers)


@pytest.fixture(scope="module")
async def world(cluster: Cluster, databases: DatabasePool) -> AsyncIterator[World]:
    with databases.borrow() as name, pytest.MonkeyPatch.context() as patch:
        # A hundred lists that come whole are more than a client may ask for at once.
        patch.setattr("server.LIMITS", Limits(**{limit: 1_000 * most for limit, most in asdict(LIMITS).items()}))
        url = cluster.url(name, login=APPLICATION_LOGIN)
        async with DatabaseProxy(cluster.socket_directory) as proxy, running(proxy.url(url), workers_in_process=0) as served:
            examples, versions = await _written(Database(url), cluster.url(name))
            async with served.client() as client:
                await client.ask("{ viewer { user { id } } }")
                yield World(client, proxy, examples, versions)


async def _written(database: Database, owner_url: str) -> tuple[Mapping[str, Sequence[Sequence[str]]], Sequence[str]]:
    async with serving(database) as api:
        owner = await api.services.library.user_seen(
            issuer=LOCAL_ISSUER, subject="ada", name="Ada", email="ada@example.com", new_id=api.services.ids(), at=NOON
        )
        originals = await _things_of(replace(api, user=owner))
    await database.close()
    copy_everything(owner_url, times=MANY - 1, sparing={owner.id})
    with psycopg.connect(owner_url) as connection:
        added = connection.execute(_MORE_VERSIONS, (MANY, uuid_of(originals["ChapterVersion"][0]))).fetchall()
        connection.execute("ANALYZE")
    examples = {kind: [[_copy(text, number) for number in range(MANY)] for text in texts] for kind, texts in originals.items()}
    return examples, [encode(ChapterVersion, id_) for (id_,) in added]


def _copy(text: str, number: int) -> str:
    decoded = decode(text)
    assert decoded is not None
    return encode(decoded[0], copy_of(decoded[1], number))


async def _things_of(ada: Api) -> dict[str, list[str]]:
    """One of everything, and of what comes in kinds one of each."""
    project = await ada.project(budgetLimit="100", targetWordCount=80_000)
    ben = await ada.member(project, "EDITOR")
    file = await ben.reference_file(project)
    written = await ben.chapter(project, text="The tide went out.")
    await ben.mutate("saveChapterText", "id", chapterId=written, text="The tide came in.")
    version = await ben.current_version(written)
    drafted = await ben.chapter(project, title="High water")
    draft = await ben.draft(drafted, _prompt_with(file))
    finished = await _finished_job(ben, drafted, draft)
    failed = await _failed_job(ben, written)
    waiting = await _waiting_job(ben, written)
    sources = [Source(SourceKind.CHAPTER_VERSION, uuid_of(version)), Source(SourceKind.REFERENCE_FILE, uuid_of(file))]
    issues = [an_issue(conflicts_with=FindingEvidence(source, "The tide")) for source in sources]
    assessment = await ben.assessment(draft, *issues, job_id=uuid_of(finished))
    return {
        "Project": [project],
        "User": [encode(User, ben.user.id)],
        "ReferenceFile": [file],
        "Chapter": [written, drafted],
        "ChapterVersion": [version, draft],
        "Job": [finished, failed, waiting],
        "Assessment": [assessment],
        "Finding": await ben.findings(assessment),
    }


def _prompt_with(file: str) -> Prompt:
    made = prompt()
    items = tuple(replace(item, source=Source(SourceKind.REFERENCE_FILE, uuid_of(file))) for item in made.receipt.items)
    return replace(made, receipt=replace(made.receipt, items=items))


async def _finished_job(ben: Api, chapter: str, draft: str) -> str:
    """With every kind of event."""
    job = await ben.job(chapter)
    told = (Progressed(JobStage.DRAFTING, 0.5, "Writing."), TextAppended("draft/1", 0, "Rain"), TextReplaced("draft/1", 0, "Rain."))
    claim = await ben.work(job, *told)
    call = intent()
    await ben.desk.intend(claim, call)
    await ben.desk.record(claim, call, RESULT, at=NOON)
    await ben.desk.finish(claim, Ending(status=JobStatus.SUCCEEDED, at=NOON, result_version_id=uuid_of(draft)))
    return job


async def _failed_job(ben: Api, chapter: str) -> str:
    job = await ben.job(chapter)
    failure = JobFailure(code="MODEL_UNAVAILABLE", message="Try again.", retryable=True)
    await ben.desk.finish(await ben.work(job), Ending(status=JobStatus.FAILED, at=NOON, failure=failure))
    return job


async def _waiting_job(ben: Api, chapter: str) -> str:
    job = await ben.job(chapter)
    await ben.desk.wait(await ben.work(job), Waiting(limit_name="budgetLimit", limit=Decimal(1), required=Decimal(2), needs=Decimal(1)))
    return job


def test_every_entity_has_examples(world):
    assert set(world.examples) == ENTITIES
    assert all(len(set(ids)) == MANY for examples in world.examples.values() for ids in examples)


@pytest.mark.parametrize("level", LEVELS, ids=str)
async def test_a_field_takes_one_statement_however_many_its_parents(world, level):
    ids = await world.example(level)
    answers, for_many = await world.answers(level, ids)
    assert len(answers) >= MANY, "the world has too few parents of this field"
    assert has_content(answers), "the world has nothing in this field"
    for_some, for_one = [(await world.answers(level, ids[:number]))[1] for number in (FEWER, 1)]
    assert len(for_many) == len(for_some) == len(for_one), for_many
    _, without = await world.answers(level.without_fields(), ids[:FEWER])
    assert len(for_some) - len(without) <= STATEMENTS.get(str(level), 1), for_some
