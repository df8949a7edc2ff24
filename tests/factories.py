"""Databases, people and books for tests: valid values, of which a test names only what it is about."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from domain.access import Membership, Role, User
from domain.assessing.assessment import Assessment, DimensionScore, FindingCategory, FindingSeverity, FoundIssue, ProseMetric
from domain.chapters import Chapter, ChapterStatus, ChapterVersion, NewVersion, VersionOrigin
from domain.ports import Library
from domain.projects import GenerationSettings, Genre, Project
from domain.prompting.index.saved_text import NewText
from domain.reference_files import InclusionPolicy, ReferenceFile, ReferenceKind
from domain.spending import Usage

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Cluster:
    """The tests' Postgres server."""

    socket_directory: Path

    def url(self, database: str, *, login: str = "postgres") -> str:
        return f"postgresql://{login}@/{database}?host={self.socket_directory}"

    def execute(self, statement: sql.Composable | str, *, database: str = "postgres") -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def create_database(self, name: str, *, template: str = "template1", owner: str = "postgres") -> None:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}")
        self.execute(statement.format(sql.Identifier(name), sql.Identifier(template), sql.Identifier(owner)))

    def empty_database(self, name: str) -> None:
        """Take every row out, and every connection down that a test has left."""
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            tables = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
            ).fetchall()
            deletions = [sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for (table,) in tables]
            # As a replica, so that no trigger and no foreign key asks for an order.
            connection.execute(sql.SQL("; ").join([sql.SQL("SET session_replication_role = replica"), *deletions]))

    def drop_database(self, name: str) -> None:
        self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


class DatabasePool:
    """Databases like the template, which has no rows. What is given back is emptied: ten times faster than cloning another."""

    def __init__(self, cluster: Cluster, *, template: str, names: Iterator[str]) -> None:
        self._cluster = cluster
        self._template = template
        self._names = names
        self._free: list[str] = []

    @contextmanager
    def borrow(self) -> Iterator[str]:
        """The name of an empty database, for whoever leaves its tables as they are."""
        name = self._free.pop() if self._free else self._clone()
        yield name
        self._cluster.empty_database(name)
        self._free.append(name)

    def _clone(self) -> str:
        name = next(self._names)
        self._cluster.create_database(name, template=self._template)
        return name


class ManualClock:
    """Stands still until a test moves it."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


class CountedIds:
    """UUIDv7 in rising order, the same in every run."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def __call__(self) -> UUID:
        return UUID(int=(0x019C_0000_0000 + next(self._numbers)) << 80 | 0x7 << 76 | 0b10 << 62)


async def add_user(library: Library, name: str = "Ada", *, email: str | None = None) -> User:
    return await library.user_seen(issuer="tests", subject=f"{name}-{uuid4()}", name=name, email=email, new_id=uuid4(), at=NOON)


async def add_project(library: Library, owner: User, **changes: Any) -> Project:
    project = a_project(**changes)
    async with library.writing(owner.id) as records:
        await records.projects.create(project, owner=owner.id)
    return project


async def add_member(library: Library, owner: User, project: Project, member: User, role: Role) -> None:
    async with library.writing(owner.id) as records:
        await records.projects.add_member(Membership(project.id, member.id, role, NOON))


async def add_chapters(library: Library, owner: User, project: Project, number: int, **changes: Any) -> list[Chapter]:
    chapters = [a_chapter(project, position=position, **changes) for position in range(1, number + 1)]
    async with library.writing(owner.id) as records:
        for chapter in chapters:
            await records.chapters.create(chapter)
    return chapters


def a_project(**changes: Any) -> Project:
    fields: dict[str, Any] = {
        "id": uuid4(),
        "title": "The Lighthouse",
        "premise": "A keeper finds letters in the tide.",
        "genre": Genre.MYSTERY,
        "language": "en",
        "audience": None,
        "point_of_view": None,
        "tense": None,
        "style_notes": "",
        "target_word_count": None,
        "settings": GenerationSettings(),
        "budget_limit": None,
        "archived_at": None,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Project(**{**fields, **changes})


def a_chapter(project: Project, **changes: Any) -> Chapter:
    fields: dict[str, Any] = {
        "id": uuid4(),
        "project_id": project.id,
        "position": 1,
        "title": "Low water",
        "brief": "The first letter is found.",
        "point_of_view_character": None,
        "target_word_count": None,
        "status": ChapterStatus.PLANNED,
        "summary": None,
        "current_version_id": None,
        "stale_since": None,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Chapter(**{**fields, **changes})


def a_version(chapter: Chapter, text: str = "The tide went out.", **changes: Any) -> NewVersion:
    words = len(text.split())
    fields: dict[str, Any] = {
        "id": uuid4(),
        "chapter_id": chapter.id,
        "text": NewText.of(text),
        "word_count": words,
        "token_count": words,
        "origin": VersionOrigin.AUTHOR,
        "created_at": NOON,
    }
    return NewVersion(**{**fields, **changes})


def a_reference_file(project: Project, content: str = "Mara keeps the light.", **changes: Any) -> ReferenceFile:
    fields: dict[str, Any] = {
        "id": uuid4(),
        "project_id": project.id,
        "name": "Mara",
        "kind": ReferenceKind.CHARACTER,
        "aliases": (),
        "inclusion": InclusionPolicy.WHEN_RELEVANT,
        "valid_from_chapter": None,
        "valid_until_chapter": None,
        "media_type": "text/markdown",
        "size_bytes": len(content.encode()),
        "token_count": len(content.split()),
        "sha256": hashlib.sha256(content.encode()).hexdigest(),
        "created_at": NOON,
        "updated_at": NOON,
    }
    return ReferenceFile(**{**fields, **changes})


def an_assessment(version: ChapterVersion, **changes: Any) -> Assessment:
    fields: dict[str, Any] = {
        "id": uuid4(),
        "project_id": version.project_id,
        "chapter_id": version.chapter_id,
        "version_id": version.id,
        "job_id": None,
        "score": 80.0,
        "score_low": 80.0,
        "score_high": 80.0,
        "dimensions": (DimensionScore(name="Measured", score=80.0, rationale="As measured."),),
        "metrics": (ProseMetric(name="dialogueShare", value=0.25, unit="of all words", description="How much is spoken."),),
        "notes": (),
        "judge": None,
        "rubric": None,
        "rehearsal": False,
        "usage": Usage(),
        "created_at": NOON,
    }
    return Assessment(**{**fields, **changes})


def an_issue(**changes: Any) -> FoundIssue:
    fields: dict[str, Any] = {
        "category": FindingCategory.PROSE,
        "severity": FindingSeverity.MINOR,
        "message": "It rained already.",
        "suggestion": "Cut it.",
        "quote": "It rained.",
        "start": 0,
        "end": 10,
    }
    return FoundIssue(**{**fields, **changes})
