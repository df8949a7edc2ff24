"""The first wall between tenants: every statement asks for membership itself, as if there were no row security behind it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Delete, Insert, Table, Update, Uuid, bindparam, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.access import Role
from domain.errors import NotFound
from persistence.projection import among
from persistence.tables import identity


def accessible(project_id: ColumnElement[UUID], user_id: UUID | None = None, minimum: Role = Role.VIEWER) -> ColumnElement[bool]:
    """Whether the user has at least this role in the project; worked out once a statement, not once a row.

    Without `user_id` it is left to the parameter `acting_user` of the execution, so that the statement can be built once for all.
    """
    member = identity.project_member.alias("mine")
    acting_user = bindparam("acting_user", type_=Uuid) if user_id is None else bindparam("acting_user", user_id, Uuid)
    mine = select(member.c.project_id).where(member.c.user_id == acting_user)
    if minimum is not Role.VIEWER:
        mine = mine.where(among(member.c.role, [role for role in Role if role.includes(minimum)]))
    return project_id.in_(mine)


def insert_if(table: Table, row: Mapping[str, Any], condition: ColumnElement[bool]) -> Insert:
    """Adds the row only where the condition holds. Contents may be SQL expressions."""
    contents = [content if isinstance(content, ColumnElement) else literal(content, table.c[name].type) for name, content in row.items()]
    return insert(table).from_select(list(row), select(*contents).where(condition))


async def change(connection: AsyncConnection, statement: Insert | Update | Delete, *, entity: UUID) -> None:
    """Run a statement that must find something to change. Raises NotFound: there is nothing, or not for this user."""
    if (await connection.execute(statement)).rowcount == 0:
        raise NotFound(entity)
