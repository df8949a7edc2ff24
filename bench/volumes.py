"""Projects, chapters and reference files to measure on, as the product knows them: only what a benchmark varies is asked for."""

import hashlib
from datetime import UTC, datetime
from uuid import UUID, uuid5

from domain.chapters import Chapter, ChapterStatus
from domain.projects import GenerationSettings, Genre, Project
from domain.reference_files import InclusionPolicy, ReferenceFile, ReferenceKind

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def a_project(project_id: UUID, title: str, *, genre: Genre = Genre.OTHER, premise: str = "", style_notes: str = "") -> Project:
    return Project(
        id=project_id,
        title=title,
        premise=premise,
        genre=genre,
        language="en",
        audience=None,
        point_of_view=None,
        tense=None,
        style_notes=style_notes,
        target_word_count=None,
        settings=GenerationSettings(),
        budget_limit=None,
        archived_at=None,
        created_at=_EPOCH,
        updated_at=_EPOCH,
    )


def a_chapter(project_id: UUID, position: int, *, title: str = "") -> Chapter:
    return Chapter(
        id=uuid5(project_id, f"chapter {position}"),
        project_id=project_id,
        position=position,
        title=title,
        brief="",
        point_of_view_character=None,
        target_word_count=None,
        status=ChapterStatus.DRAFTED,
        summary=None,
        current_version_id=None,
        stale_since=None,
        created_at=_EPOCH,
        updated_at=_EPOCH,
    )


def a_file(
    file_id: UUID, project_id: UUID, kind: ReferenceKind, name: str, text: str, *, aliases: tuple[str, ...], tokens: int
) -> ReferenceFile:
    encoded = text.encode()
    return ReferenceFile(
        id=file_id,
        project_id=project_id,
        name=name,
        kind=kind,
        aliases=aliases,
        inclusion=InclusionPolicy.WHEN_RELEVANT,
        valid_from_chapter=None,
        valid_until_chapter=None,
        media_type="text/markdown",
        size_bytes=len(encoded),
        token_count=tokens,
        sha256=hashlib.sha256(encoded).hexdigest(),
        created_at=_EPOCH,
        updated_at=_EPOCH,
    )
