"""Chapters and their versions. Text is Markdown; versions are immutable and only ever added."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.prompting.index.saved_text import NewText


class ChapterStatus(StrEnum):
    PLANNED = "PLANNED"
    DRAFTING = "DRAFTING"
    DRAFTED = "DRAFTED"
    REVISED = "REVISED"
    FINAL = "FINAL"


class VersionOrigin(StrEnum):
    AUTHOR = "AUTHOR"
    DRAFT = "DRAFT"
    REVISION = "REVISION"
    RESTORED = "RESTORED"
    IMPORTED = "IMPORTED"
    PARTIAL = "PARTIAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """`position` is 1-based and gapless within the project."""

    id: UUID
    project_id: UUID
    position: int
    title: str
    brief: str
    point_of_view_character: str | None
    target_word_count: int | None
    status: ChapterStatus
    summary: str | None
    current_version_id: UUID | None
    stale_since: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChapterVersion:
    """A version without its text, which is loaded only when it is asked for."""

    id: UUID
    project_id: UUID
    chapter_id: UUID
    number: int
    word_count: int
    token_count: int
    origin: VersionOrigin
    rehearsal: bool
    author_id: UUID | None
    job_id: UUID | None
    parent_id: UUID | None
    receipt_id: UUID | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """A version to be added; its number is given by the store."""

    id: UUID
    chapter_id: UUID
    text: NewText
    word_count: int
    token_count: int
    origin: VersionOrigin
    created_at: datetime
    rehearsal: bool = False
    author_id: UUID | None = None
    job_id: UUID | None = None
    parent_id: UUID | None = None
    receipt_id: UUID | None = None
