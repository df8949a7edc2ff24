"""Reference files, their contents loaded only when asked for."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, and_, bindparam, delete, exists, select, update

from domain.access import Role
from domain.paging import Page, PageRequest
from domain.ports import Changes
from domain.prompting.index.saved_text import NewText, StoredText
from domain.reference_files import ReferenceFile, ReferenceKind
from persistence.connection import Connection
from persistence.membership import accessible, change, given, insert_if
from persistence.paging import Listing, count_items, read_pages
from persistence.projection import any_of, any_of_if_given, by_id, columns_of, texts_of, to_changes, to_row, to_values
from persistence.tables.books import project, reference_file, reference_file_name_order

_SEEN = accessible(reference_file.c.project_id)
_BY_ID = select(*columns_of(ReferenceFile, reference_file)).where(any_of(reference_file.c.id, "ids"), _SEEN)
_CONTENTS = select(reference_file.c.id, reference_file.c.content).where(any_of(reference_file.c.id, "ids"), _SEEN)
_STORED_TEXTS = select(reference_file.c.id, reference_file.c.sha256, reference_file.c.content, reference_file.c.text_index).where(
    any_of(reference_file.c.id, "ids"), _SEEN
)
_OF_PROJECT = (
    select(*columns_of(ReferenceFile, reference_file))
    .where(reference_file.c.project_id == bindparam("project_id", type_=Uuid), _SEEN)
    .order_by(reference_file.c.kind.collate("C"), reference_file.c.name.collate("C"), reference_file.c.id)
)
_LISTING = Listing(
    value_type=ReferenceFile,
    table=reference_file,
    order=(reference_file_name_order, reference_file.c.id),
    where=(_SEEN, any_of_if_given(reference_file.c.kind, "kind")),
    parent=reference_file.c.project_id,
)
_EDITABLE = and_(reference_file.c.id == bindparam("this", type_=Uuid), accessible(reference_file.c.project_id, minimum=Role.EDITOR))
_ADD = insert_if(
    reference_file,
    given(reference_file, [*(column.name for column in columns_of(ReferenceFile, reference_file)), "content", "text_index"]),
    exists().where(project.c.id == bindparam("project_id", type_=Uuid), accessible(project.c.id, minimum=Role.EDITOR)),
)
_CHANGE = update(reference_file).where(_EDITABLE)
_REMOVE = delete(reference_file).where(_EDITABLE)


class ReferenceFileRecords:
    def __init__(self, connection: Connection, user_id: UUID) -> None:
        self._connection = connection
        self._user_id = user_id

    async def create(self, file: ReferenceFile, *, content: NewText) -> None:
        row = {**to_row(file), **_columns_of(content), "acting_user": self._user_id}
        await change(self._connection, _ADD, row, entity=file.project_id)

    async def get_many(self, ids: Sequence[UUID]) -> Mapping[UUID, ReferenceFile]:
        rows = await self._connection.execute(_BY_ID, {"ids": ids, "acting_user": self._user_id})
        return by_id(to_values(ReferenceFile, rows))

    async def of_project(self, project_id: UUID) -> Sequence[ReferenceFile]:
        rows = await self._connection.execute(_OF_PROJECT, {"project_id": project_id, "acting_user": self._user_id})
        return to_values(ReferenceFile, rows)

    async def contents(self, ids: Sequence[UUID]) -> Mapping[UUID, str]:
        rows = await self._connection.execute(_CONTENTS, {"ids": ids, "acting_user": self._user_id})
        return {row[0]: row[1] for row in rows}

    async def stored_texts(self, ids: Sequence[UUID]) -> Mapping[tuple[UUID, str], StoredText]:
        rows = await self._connection.execute(_STORED_TEXTS, {"ids": ids, "acting_user": self._user_id})
        return {(row[0], row[1]): StoredText(row[2], row[3]) for row in rows}

    async def update(self, file_id: UUID, changes: Changes, *, content: NewText | None = None) -> None:
        columns = to_changes(ReferenceFile, changes)
        if content is not None:
            columns |= _columns_of(content)
        await change(self._connection, _CHANGE, {**columns, **self._this(file_id)}, entity=file_id)

    async def delete(self, file_id: UUID) -> None:
        await change(self._connection, _REMOVE, self._this(file_id), entity=file_id)

    async def pages(
        self, project_ids: Sequence[UUID], request: PageRequest, *, kind: Sequence[ReferenceKind] | None
    ) -> Mapping[UUID, Page[ReferenceFile]]:
        return await read_pages(self._connection, _LISTING, project_ids, request, acting_user=self._user_id, kind=texts_of(kind))

    async def counts(self, project_ids: Sequence[UUID], *, kind: Sequence[ReferenceKind] | None) -> Mapping[UUID, int]:
        return await count_items(self._connection, _LISTING, project_ids, acting_user=self._user_id, kind=texts_of(kind))

    def _this(self, file_id: UUID) -> dict[str, object]:
        return {"this": file_id, "acting_user": self._user_id}


def _columns_of(content: NewText) -> dict[str, Any]:
    return {"content": content.text, "text_index": content.index}
