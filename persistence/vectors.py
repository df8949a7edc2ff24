"""Vectors of a project's texts, read by its members. Workers add them (persistence/embedding_desk.py)."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import BigInteger, Integer, Text, Uuid, bindparam, select

from domain.prompting.index.vectors import StoredVector
from persistence.connection import Connection
from persistence.membership import accessible
from persistence.projection import any_of
from persistence.tables.vectors import passage_vector

_OF_PROJECT = (
    passage_vector.c.project_id == bindparam("project_id", type_=Uuid),
    passage_vector.c.model == bindparam("model", type_=Text),
    accessible(passage_vector.c.project_id),
)
_NEWEST = (
    select(passage_vector.c.number, passage_vector.c.sha256, passage_vector.c.vector)
    .where(*_OF_PROJECT, passage_vector.c.number > bindparam("after", type_=BigInteger))
    .order_by(passage_vector.c.number.desc())
    .limit(bindparam("limit", type_=Integer))
)
_BY_KEY = select(passage_vector.c.sha256, passage_vector.c.vector).where(*_OF_PROJECT, any_of(passage_vector.c.sha256, "keys"))


class VectorRecords:
    def __init__(self, connection: Connection, user_id: UUID) -> None:
        self._connection = connection
        self._user_id = user_id

    async def newest(self, project_id: UUID, *, model: str, after: int, limit: int) -> Sequence[StoredVector]:
        parameters = {"project_id": project_id, "model": model, "after": after, "limit": limit, "acting_user": self._user_id}
        rows = (await self._connection.execute(_NEWEST, parameters)).all()
        return [StoredVector(number, key, packed) for number, key, packed in reversed(rows)]

    async def by_key(self, project_id: UUID, keys: Sequence[bytes], *, model: str) -> Mapping[bytes, bytes]:
        parameters = {"project_id": project_id, "model": model, "keys": list(keys), "acting_user": self._user_id}
        rows = await self._connection.execute(_BY_KEY, parameters)
        return {row[0]: row[1] for row in rows}
