"""Vectors of what has been embedded, and how far that has come."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Identity, Index, LargeBinary, Table, Text, Uuid
from sqlmodel import Field

from persistence.tables.metadata import TIMESTAMP, TableModel, metadata


class PassageVectorRow(TableModel, table=True):
    """Only ever added. `sha256` is that of the text, `number` rises within a project; `vector` is little-endian, in single precision."""

    __tablename__ = "passage_vector"
    __table_args__ = (
        ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="CASCADE"),
        CheckConstraint("octet_length(sha256) = 32", name="sha256"),
        CheckConstraint("octet_length(vector) = 4 * dims", name="vector"),
        Index(None, "project_id", "model", "number"),
    )

    project_id: UUID = Field(primary_key=True, sa_type=Uuid)
    model: str = Field(primary_key=True, sa_type=Text)
    sha256: bytes = Field(primary_key=True, sa_type=LargeBinary)
    number: int = Field(sa_type=BigInteger, sa_column_args=[Identity(always=True)])
    dims: int
    vector: bytes = Field(sa_type=LargeBinary)


class EmbeddedChapterRow(TableModel, table=True):
    """All of a chapter is embedded as it was when it had this version and this time of its last change, in passages of this format."""

    __tablename__ = "embedded_chapter"
    __table_args__ = (
        ForeignKeyConstraint(["project_id", "chapter_id"], ["chapter.project_id", "chapter.id"], ondelete="CASCADE"),
        Index(None, "project_id", "chapter_id"),
    )

    chapter_id: UUID = Field(primary_key=True, sa_type=Uuid)
    model: str = Field(primary_key=True, sa_type=Text)
    project_id: UUID = Field(sa_type=Uuid)
    version_id: UUID | None = Field(sa_type=Uuid)
    changed_at: datetime = Field(sa_type=TIMESTAMP)
    format: int


class EmbeddingTurnRow(TableModel, table=True):
    """Until then nobody takes the project up: it is being embedded, or there is a reason to wait."""

    __tablename__ = "embedding_turn"
    __table_args__ = (ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="CASCADE"),)

    project_id: UUID = Field(primary_key=True, sa_type=Uuid)
    held_until: datetime = Field(sa_type=TIMESTAMP)


passage_vector: Table = metadata.tables["passage_vector"]
embedded_chapter: Table = metadata.tables["embedded_chapter"]
embedding_turn: Table = metadata.tables["embedding_turn"]
