"""Who somebody is, and which projects they belong to."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, Table, Text, UniqueConstraint, Uuid, func
from sqlmodel import Field

from domain.access import Role
from persistence.tables.metadata import TIMESTAMP, TableModel, metadata, one_of


class AppUserRow(TableModel, table=True):
    """`email` is set only while the issuer says that it is verified."""

    __tablename__ = "app_user"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: UUID = Field(primary_key=True, sa_type=Uuid)
    issuer: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    email: str | None = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    seen_at: datetime = Field(sa_type=TIMESTAMP)


class ProjectMemberRow(TableModel, table=True):
    """The owner's row is written before the project's own, which needs it to pass row security: hence the deferred key."""

    __tablename__ = "project_member"
    __table_args__ = (
        ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="CASCADE", deferrable=True, initially="DEFERRED"),
        ForeignKeyConstraint(["user_id"], ["app_user.id"], ondelete="CASCADE"),
        Index(None, "user_id", "project_id"),
        one_of("role", Role),
    )

    project_id: UUID = Field(primary_key=True, sa_type=Uuid)
    user_id: UUID = Field(primary_key=True, sa_type=Uuid)
    role: str = Field(sa_type=Text)
    joined_at: datetime = Field(sa_type=TIMESTAMP)


app_user: Table = metadata.tables["app_user"]
project_member: Table = metadata.tables["project_member"]

Index("app_user_lower_email_idx", func.lower(app_user.c.email))
