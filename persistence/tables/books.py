"""Projects, chapters with their versions, and reference files.

Texts and their indexes have columns of their own beside the fields of the value, so that they are read only where they are wanted.
An index is missing where the text was saved by a server that made none. Composite foreign keys keep a row's project the same as its
parent's: row security looks at the row's own project only.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKeyConstraint, Index, LargeBinary, Table, Text, UniqueConstraint, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from domain.chapters import ChapterStatus, VersionOrigin
from domain.projects import Genre, PointOfView, Tense
from domain.reference_files import InclusionPolicy, ReferenceKind
from persistence.tables.metadata import MONEY, TIMESTAMP, TableModel, metadata, one_of

FROM_A_JOB = text("job_id IS NOT NULL")


class ProjectRow(TableModel, table=True):
    __tablename__ = "project"
    __table_args__ = (one_of("genre", Genre), one_of("point_of_view", PointOfView), one_of("tense", Tense))

    id: UUID = Field(primary_key=True, sa_type=Uuid)
    title: str = Field(sa_type=Text)
    premise: str = Field(sa_type=Text)
    genre: str = Field(sa_type=Text)
    language: str = Field(sa_type=Text)
    audience: str | None = Field(sa_type=Text)
    point_of_view: str | None = Field(sa_type=Text)
    tense: str | None = Field(sa_type=Text)
    style_notes: str = Field(sa_type=Text)
    target_word_count: int | None
    settings: dict[str, object] = Field(sa_type=JSONB)
    budget_limit: Decimal | None = Field(sa_type=MONEY)
    archived_at: datetime | None = Field(sa_type=TIMESTAMP)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    updated_at: datetime = Field(sa_type=TIMESTAMP)
    genre_override: dict[str, object] | None = Field(sa_type=JSONB(none_as_null=True))


class ChapterRow(TableModel, table=True):
    """Positions are checked at commit, so that one statement can shift many."""

    __tablename__ = "chapter"
    __table_args__ = (
        ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["id", "current_version_id"],
            ["chapter_version.chapter_id", "chapter_version.id"],
            name="chapter_current_version_id_fkey",
            deferrable=True,
            initially="DEFERRED",
            use_alter=True,
        ),
        UniqueConstraint("project_id", "position", deferrable=True, initially="DEFERRED"),
        UniqueConstraint("project_id", "id"),
        Index(None, "current_version_id"),
        one_of("status", ChapterStatus),
    )

    id: UUID = Field(primary_key=True, sa_type=Uuid)
    project_id: UUID = Field(sa_type=Uuid)
    position: int
    title: str = Field(sa_type=Text)
    brief: str = Field(sa_type=Text)
    point_of_view_character: str | None = Field(sa_type=Text)
    target_word_count: int | None
    status: str = Field(sa_type=Text)
    summary: str | None = Field(sa_type=Text)
    current_version_id: UUID | None = Field(sa_type=Uuid)
    stale_since: datetime | None = Field(sa_type=TIMESTAMP)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    updated_at: datetime = Field(sa_type=TIMESTAMP)


class ChapterVersionRow(TableModel, table=True):
    """Never changed once written. `job_id` and `receipt_id` say where it came from and outlive what they name."""

    __tablename__ = "chapter_version"
    __table_args__ = (
        ForeignKeyConstraint(["project_id", "chapter_id"], ["chapter.project_id", "chapter.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["author_id"], ["app_user.id"], ondelete="SET NULL"),
        ForeignKeyConstraint(
            ["chapter_id", "parent_id"],
            ["chapter_version.chapter_id", "chapter_version.id"],
            name="chapter_version_parent_id_fkey",
            deferrable=True,
            initially="DEFERRED",
        ),
        UniqueConstraint("chapter_id", "number"),
        UniqueConstraint("chapter_id", "id"),
        Index(None, "project_id", "chapter_id"),
        Index(None, "author_id"),
        Index(None, "chapter_id", "parent_id"),
        Index(None, "job_id", postgresql_where=FROM_A_JOB),
        one_of("origin", VersionOrigin),
    )

    id: UUID = Field(primary_key=True, sa_type=Uuid)
    project_id: UUID = Field(sa_type=Uuid)
    chapter_id: UUID = Field(sa_type=Uuid)
    number: int
    word_count: int
    token_count: int
    origin: str = Field(sa_type=Text)
    rehearsal: bool
    author_id: UUID | None = Field(sa_type=Uuid)
    job_id: UUID | None = Field(sa_type=Uuid)
    parent_id: UUID | None = Field(sa_type=Uuid)
    receipt_id: UUID | None = Field(sa_type=Uuid)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    text: str = Field(sa_type=Text)
    text_index: bytes | None = Field(sa_type=LargeBinary)


class ReferenceFileRow(TableModel, table=True):
    __tablename__ = "reference_file"
    __table_args__ = (
        ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="CASCADE"),
        one_of("kind", ReferenceKind),
        one_of("inclusion", InclusionPolicy),
    )

    id: UUID = Field(primary_key=True, sa_type=Uuid)
    project_id: UUID = Field(sa_type=Uuid)
    name: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    aliases: list[str] = Field(sa_type=ARRAY(Text))
    inclusion: str = Field(sa_type=Text)
    valid_from_chapter: int | None
    valid_until_chapter: int | None
    media_type: str = Field(sa_type=Text)
    size_bytes: int
    token_count: int
    sha256: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    updated_at: datetime = Field(sa_type=TIMESTAMP)
    content: str = Field(sa_type=Text)
    text_index: bytes | None = Field(sa_type=LargeBinary)


project: Table = metadata.tables["project"]
chapter: Table = metadata.tables["chapter"]
chapter_version: Table = metadata.tables["chapter_version"]
reference_file: Table = metadata.tables["reference_file"]

# Alphabetical without regard to case.
project_title_order = func.lower(project.c.title, type_=Text)
reference_file_name_order = func.lower(reference_file.c.name, type_=Text)

Index("reference_file_project_id_name_idx", reference_file.c.project_id, reference_file_name_order, reference_file.c.id)
