"""Users, as far as they may be seen."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, func, or_, select

from domain.access import User
from persistence.connection import Connection
from persistence.membership import accessible
from persistence.projection import any_of, by_id, columns_of, to_value, to_values
from persistence.tables.identity import app_user, project_member
from persistence.tables.metadata import TIMESTAMP

_FELLOWS = select(project_member.c.user_id).where(accessible(project_member.c.project_id))
_VISIBLE = select(*columns_of(User, app_user)).where(
    any_of(app_user.c.id, "ids"), or_(app_user.c.id == bindparam("acting_user", type_=Uuid), app_user.c.id.in_(_FELLOWS))
)
_BY_EMAIL = select(func.user_id_by_email(bindparam("email", type_=Text)))
# Functions of the database: nobody's own rights allow writing users, or finding one by their address.
_TOKEN: Mapping[str, Any] = {"new_id": Uuid, "issuer": Text, "subject": Text, "name": Text, "email": Text, "at": TIMESTAMP}
_SEEN_USER = func.user_seen(*(bindparam(name, type_=type_) for name, type_ in _TOKEN.items())).table_valued(*columns_of(User, app_user))
_SEEN = select(*_SEEN_USER.c)


class UserRecords:
    def __init__(self, connection: Connection, user_id: UUID) -> None:
        self._connection = connection
        self._user_id = user_id

    async def get_many(self, ids: Sequence[UUID]) -> Mapping[UUID, User]:
        rows = await self._connection.execute(_VISIBLE, {"ids": ids, "acting_user": self._user_id})
        return by_id(to_values(User, rows))

    async def id_by_email(self, email: str) -> UUID | None:
        found: UUID | None = await self._connection.scalar(_BY_EMAIL, {"email": email})
        return found


async def user_seen(connection: Connection, *, issuer: str, subject: str, name: str, email: str | None, new_id: UUID, at: datetime) -> User:
    token = {"new_id": new_id, "issuer": issuer, "subject": subject, "name": name, "email": email, "at": at}
    return to_value(User, (await connection.execute(_SEEN, token)).one())
