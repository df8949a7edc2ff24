"""The first wall between tenants: every statement asks for membership itself, as if there were no row security behind it."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Delete, Table, Update, Uuid, bindparam, literal, select
from sqlalchemy.dialects.postgresql import Insert, insert

from domain.access import Role
from domain.errors import NotFound
from persistence.connection import Connection
from persistence.projection import among
from persistence.tables import identity

ACTING_USER = bindparam("acting_user", type_=Uuid)
"""Whose statement it is, as its execution says."""


def accessible(project_id: ColumnElement[UUID], *, minimum: Role = Role.VIEWER) -> ColumnElement[bool]:
    """Whether the acting user has at least this role in the project; worked out once a statement, not once a row."""
    member = identity.project_member.alias("mine")
    mine = select(member.c.project_id).where(member.c.user_id == ACTING_USER)
    if minimum is not Role.VIEWER:
        mine = mine.where(among(member.c.role, [role for role in Role if role.includes(minimum)]))
    return project_id.in_(mine)


def insert_if(table: Table, row: Mapping[str, Any], condition: ColumnElement[bool]) -> Insert:
    """Adds the row only where the condition holds. Contents may be SQL expressions, also columns of the row that the condition chooses."""
    contents = [content if isinstance(content, ColumnElement) else literal(content, table.c[name].type) for name, content in row.items()]
    return insert(table).from_select(list(row), select(*contents).where(condition))


def given(table: Table, names: Iterable[str]) -> dict[str, ColumnElement[Any]]:
    """Contents of columns that the execution gives by their names."""
    return {name: bindparam(name, type_=table.c[name].type) for name in names}


async def change(
    connection: Connection, statement: Insert | Update | Delete, parameters: Mapping[str, Any] | None = None, *, entity: UUID
) -> None:
    """Run a statement that must find something to change. Raises NotFound: there is nothing, or not for this user."""
    if (await connection.execute(statement, parameters)).rowcount == 0:
        raise NotFound(entity)
