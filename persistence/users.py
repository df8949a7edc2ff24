"""Users, as far as they may be seen."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.access import User
from persistence.membership import accessible
from persistence.projection import any_of, by_id, columns_of, to_value
from persistence.tables.identity import app_user, project_member

_FELLOWS = select(project_member.c.user_id).where(accessible(project_member.c.project_id))
_VISIBLE = select(*columns_of(User, app_user)).where(
    any_of(app_user.c.id, "ids"), or_(app_user.c.id == bindparam("acting_user", type_=Uuid), app_user.c.id.in_(_FELLOWS))
)


class UserRecords:
    def __init__(self, connection: AsyncConnection, user_id: UUID) -> None:
        self._connection = connection
        self._user_id = user_id

    async def get_many(self, ids: Sequence[UUID]) -> Mapping[UUID, User]:
        rows = await self._connection.execute(_VISIBLE, {"ids": ids, "acting_user": self._user_id})
        return by_id(to_value(User, row) for row in rows)

    async def id_by_email(self, email: str) -> UUID | None:
        found: UUID | None = await self._connection.scalar(select(func.user_id_by_email(email)))
        return found


async def user_seen(
    connection: AsyncConnection, *, issuer: str, subject: str, name: str, email: str | None, new_id: UUID, at: datetime
) -> User:
    """In the database it is a function: nobody's own rights allow writing users."""
    seen = func.user_seen(new_id, issuer, subject, name, email, at).table_valued(*columns_of(User, app_user))
    return to_value(User, (await connection.execute(select(*seen.c))).one())
