"""Assessments of versions, what they found, and what authors have dismissed. Assessments and findings are only ever added."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Double, ForeignKeyConstraint, Index, Table, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from persistence.tables.metadata import TIMESTAMP, TableModel, metadata

BY_JUDGES_FIRST = (text("(judge IS NULL)"), text("created_at DESC"), text("id DESC"))


class AssessmentRow(TableModel, table=True):
    """`judge` is null where only the metrics were taken; `job_id` outlives what it names."""

    __tablename__ = "assessment"
    __table_args__ = (
        ForeignKeyConstraint(["project_id", "chapter_id"], ["chapter.project_id", "chapter.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["chapter_id", "version_id"], ["chapter_version.chapter_id", "chapter_version.id"], ondelete="CASCADE"),
        UniqueConstraint("chapter_id", "id"),
        Index(None, "project_id", "chapter_id"),
        Index(None, "chapter_id", "version_id"),
        Index(None, "job_id"),
        Index("assessment_latest_of_version_idx", "version_id", *BY_JUDGES_FIRST),
    )

    id: UUID = Field(primary_key=True, sa_type=Uuid)
    project_id: UUID = Field(sa_type=Uuid)
    chapter_id: UUID = Field(sa_type=Uuid)
    version_id: UUID = Field(sa_type=Uuid)
    job_id: UUID | None = Field(sa_type=Uuid)
    score: float = Field(sa_type=Double)
    score_low: float = Field(sa_type=Double)
    score_high: float = Field(sa_type=Double)
    dimensions: list[dict[str, object]] = Field(sa_type=JSONB)
    metrics: list[dict[str, object]] = Field(sa_type=JSONB)
    notes: list[str] = Field(sa_type=JSONB)
    judge: str | None = Field(sa_type=Text)
    rubric: str | None = Field(sa_type=Text)
    rehearsal: bool
    usage: dict[str, object] = Field(sa_type=JSONB)
    created_at: datetime = Field(sa_type=TIMESTAMP)


class FindingRow(TableModel, table=True):
    """`position` is its place in the assessment, from 0."""

    __tablename__ = "finding"
    __table_args__ = (
        ForeignKeyConstraint(["chapter_id", "assessment_id"], ["assessment.chapter_id", "assessment.id"], ondelete="CASCADE"),
        UniqueConstraint("assessment_id", "position"),
        Index(None, "chapter_id", "assessment_id"),
    )

    id: UUID = Field(primary_key=True, sa_type=Uuid)
    project_id: UUID = Field(sa_type=Uuid)
    chapter_id: UUID = Field(sa_type=Uuid)
    assessment_id: UUID = Field(sa_type=Uuid)
    position: int
    issue: dict[str, object] = Field(sa_type=JSONB)


class DismissalRow(TableModel, table=True):
    """An author has no use for this finding, nor for another that quotes the same of this chapter."""

    __tablename__ = "dismissal"
    __table_args__ = (
        ForeignKeyConstraint(["finding_id"], ["finding.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["user_id"], ["app_user.id"], ondelete="SET NULL"),
        Index(None, "chapter_id"),
        Index(None, "user_id"),
    )

    finding_id: UUID = Field(primary_key=True, sa_type=Uuid)
    project_id: UUID = Field(sa_type=Uuid)
    chapter_id: UUID = Field(sa_type=Uuid)
    user_id: UUID | None = Field(sa_type=Uuid)
    reason: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=TIMESTAMP)


assessment: Table = metadata.tables["assessment"]
finding: Table = metadata.tables["finding"]
dismissal: Table = metadata.tables["dismissal"]
