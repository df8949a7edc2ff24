"""The books that the API is measured on: twenty of the reader's, and as many of somebody else's."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import asyncpg

from bench.prompts.prose import Prose
from domain.access import User
from domain.assessing.assessment import Assessment, DimensionScore, FindingCategory, FindingSeverity, FoundIssue
from domain.assessing.keeping import keep_assessment
from domain.chapters import NewVersion, VersionOrigin
from domain.identifiers import uuid7
from domain.prompting.index.saved_text import NewText
from domain.spending import Usage
from persistence.database import Database
from persistence.library import PostgresLibrary
from persistence.urls import DatabaseAddress
from server import utc_now
from settings import LOCAL_ISSUER

PROJECTS = CHAPTERS = 20
READER, NEIGHBOUR = "ada", "ben"
TEXT_BYTES = 15_000
DIMENSIONS, FINDINGS = 6, 12

_PROJECTS = """
    WITH added AS (
        INSERT INTO project (id, title, premise, genre, language, style_notes, settings, created_at, updated_at)
        SELECT gen_random_uuid(), 'The Lighthouse, part ' || n, 'A keeper finds letters in the tide.', 'MYSTERY', 'en', '', '{}',
               now() - make_interval(days => n), now() - make_interval(hours => n)
        FROM generate_series(1, $2) AS n
        RETURNING id
    )
    INSERT INTO project_member (project_id, user_id, role, joined_at) SELECT id, $1, 'OWNER', now() FROM added
"""
_CHAPTERS = """
    INSERT INTO chapter (id, project_id, position, title, brief, status, created_at, updated_at)
    SELECT gen_random_uuid(), project.id, n, 'Chapter ' || n || ': Low water', 'The next letter is found.', 'DRAFTED', now(),
           now() - make_interval(mins => n)
    FROM project, generate_series(1, $1) AS n
"""
_VERSIONS = """
    INSERT INTO chapter_version (id, project_id, chapter_id, number, word_count, token_count, origin, rehearsal, created_at, text)
    SELECT gen_random_uuid(), project_id, id, n, 4 * n, 5 * n, 'AUTHOR', false, now(), repeat('The tide went out. ', n)
    FROM chapter, generate_series(1, 3) AS n
"""
_CURRENT = """
    UPDATE chapter SET current_version_id = chapter_version.id
    FROM chapter_version WHERE chapter_version.chapter_id = chapter.id AND chapter_version.number = 3
"""
_CHAPTER = """
    SELECT chapter.id FROM chapter JOIN project_member USING (project_id)
    WHERE user_id = $1 AND position = $2 ORDER BY project_id LIMIT 1
"""
_PROJECT = "SELECT project_id FROM chapter WHERE id = $1"


@dataclass(frozen=True, slots=True)
class Shelf:
    """`project_id` is opened, `read_id` names the chapter that is read, `updated_id` the one that is given titles."""

    project_id: UUID
    read_id: UUID
    updated_id: UUID


async def filled_shelf(owner_url: str, application_url: str) -> Shelf:
    database = Database(application_url)
    owner = await asyncpg.connect(**DatabaseAddress.parse(owner_url).asyncpg_arguments())
    try:
        library = PostgresLibrary(database)
        reader, neighbour = [await _user(library, subject) for subject in (READER, NEIGHBOUR)]
        for user in (reader, neighbour):
            await owner.execute(_PROJECTS, user.id, PROJECTS)
        await owner.execute(_CHAPTERS, CHAPTERS)
        for statement in (_VERSIONS, _CURRENT):
            await owner.execute(statement)
        read_id, updated_id = [await owner.fetchval(_CHAPTER, reader.id, position) for position in (7, 8)]
        await _write(library, reader, read_id)
        await owner.execute("VACUUM ANALYZE")
        return Shelf(await owner.fetchval(_PROJECT, read_id), read_id, updated_id)
    finally:
        await owner.close()
        await database.close()


async def _user(library: PostgresLibrary, subject: str) -> User:
    """As their first token would have added them."""
    return await library.user_seen(
        issuer=LOCAL_ISSUER, subject=subject, name=subject.title(), email=f"{subject}@example.com", new_id=uuid7(), at=utc_now()
    )


async def _write(library: PostgresLibrary, reader: User, chapter_id: UUID) -> None:
    prose = Prose(seed=11)
    text = prose.text(TEXT_BYTES // 5, topic=prose.topic(), names=prose.names(6))[:TEXT_BYTES]
    version = NewVersion(
        id=uuid7(),
        chapter_id=chapter_id,
        text=NewText.of(text),
        word_count=len(text.split()),
        token_count=len(text) // 4,
        origin=VersionOrigin.DRAFT,
        created_at=utc_now(),
    )
    async with library.writing(reader.id) as records:
        added = await records.versions.add(version, make_current=True)
        assessment = Assessment(
            id=uuid7(),
            project_id=added.project_id,
            chapter_id=chapter_id,
            version_id=added.id,
            job_id=None,
            score=71.5,
            score_low=68.25,
            score_high=74.75,
            dimensions=tuple(
                DimensionScore(name=f"Concern {n}", score=60.0 + n, rationale=prose.sentence(prose.topic(), ())) for n in range(DIMENSIONS)
            ),
            metrics=(),
            notes=(),
            judge="gpt-4.1-mini",
            rubric="1",
            rehearsal=False,
            usage=Usage(),
            created_at=utc_now() + timedelta(seconds=1),
        )
        await keep_assessment(records, assessment, [_issue(prose, text, number) for number in range(FINDINGS)], ids=uuid7)


def _issue(prose: Prose, text: str, number: int) -> FoundIssue:
    start = 1_000 * (number + 1)
    return FoundIssue(
        category=list(FindingCategory)[number % len(FindingCategory)],
        severity=list(FindingSeverity)[number % len(FindingSeverity)],
        message=prose.sentence(prose.topic(), ()),
        suggestion=prose.sentence(prose.topic(), ()),
        quote=text[start : start + 80],
        start=start,
        end=start + 80,
        replacement=prose.sentence(prose.topic(), ()) if number % 2 else None,
    )
