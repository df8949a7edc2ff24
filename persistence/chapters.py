"""Chapters and their order."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Integer, Uuid, and_, bindparam, case, delete, exists, func, select, update

from domain.access import Role
from domain.chapters import Chapter, ChapterStatus
from domain.errors import NotFound
from domain.paging import Page, PageRequest
from domain.ports import Changes
from persistence.connection import Connection
from persistence.membership import accessible, change, given, insert_if
from persistence.paging import Listing, count_items, read_pages
from persistence.projection import any_of, any_of_if_given, by_id, columns_of, texts_of, to_changes, to_row, to_value, to_values
from persistence.tables import books
from persistence.tables.books import project

_SEEN = select(*columns_of(Chapter, books.chapter)).where(accessible(books.chapter.c.project_id))
_BY_ID = _SEEN.where(any_of(books.chapter.c.id, "ids"))
_OF_PROJECT = _SEEN.where(books.chapter.c.project_id == bindparam("project_id", type_=Uuid)).order_by(books.chapter.c.position)
_LISTING = Listing(
    value_type=Chapter,
    table=books.chapter,
    order=(books.chapter.c.position, books.chapter.c.id),
    where=(accessible(books.chapter.c.project_id), any_of_if_given(books.chapter.c.status, "status")),
    parent=books.chapter.c.project_id,
)


_THIS = bindparam("this", type_=Uuid)
_POSITION = bindparam("new_position", type_=Integer)
_EDITABLE = accessible(books.chapter.c.project_id, minimum=Role.EDITOR)
_ONE = and_(books.chapter.c.id == _THIS, _EDITABLE)
_PROJECT_EDITABLE = exists().where(project.c.id == bindparam("project_id", type_=Uuid), accessible(project.c.id, minimum=Role.EDITOR))
_ADD = insert_if(books.chapter, given(books.chapter, [column.name for column in columns_of(Chapter, books.chapter)]), _PROJECT_EDITABLE)
_HOLD_PROJECT = (
    select(project.c.id)
    .where(project.c.id == select(books.chapter.c.project_id).where(_ONE).scalar_subquery())
    .with_for_update(key_share=True)
)
_HOLD = select(*columns_of(Chapter, books.chapter)).where(_ONE).with_for_update(key_share=True)
_CHANGE = update(books.chapter).where(_ONE).returning(*columns_of(Chapter, books.chapter))
_REMOVE = delete(books.chapter).where(_ONE).returning(books.chapter.c.project_id, books.chapter.c.position)
_LATER = (books.chapter.c.project_id == bindparam("of_project", type_=Uuid), books.chapter.c.position >= _POSITION, _EDITABLE)
_MAKE_ROOM = update(books.chapter).where(*_LATER).values(position=books.chapter.c.position + 1)
_CLOSE_GAP = update(books.chapter).where(*_LATER).values(position=books.chapter.c.position - 1)
_OLD = select(books.chapter.c.project_id, books.chapter.c.position).where(_ONE).subquery("old")
_MOVE = (
    update(books.chapter)
    .where(
        books.chapter.c.project_id == _OLD.c.project_id,
        books.chapter.c.position.between(func.least(_OLD.c.position, _POSITION), func.greatest(_OLD.c.position, _POSITION)),
        _EDITABLE,
    )
    .values(
        position=case(
            (books.chapter.c.id == _THIS, _POSITION),
            (_OLD.c.position < _POSITION, books.chapter.c.position - 1),
            else_=books.chapter.c.position + 1,
        )
    )
)


class ChapterRecords:
    def __init__(self, connection: Connection, user_id: UUID) -> None:
        self._connection = connection
        self._user_id = user_id

    async def create(self, chapter: Chapter) -> None:
        await self._connection.execute(_MAKE_ROOM, self._from(chapter.project_id, chapter.position))
        await change(self._connection, _ADD, {**to_row(chapter), "acting_user": self._user_id}, entity=chapter.project_id)

    async def get_many(self, ids: Sequence[UUID]) -> Mapping[UUID, Chapter]:
        rows = await self._connection.execute(_BY_ID, {"ids": ids, "acting_user": self._user_id})
        return by_id(to_values(Chapter, rows))

    async def of_project(self, project_id: UUID) -> Sequence[Chapter]:
        rows = await self._connection.execute(_OF_PROJECT, {"project_id": project_id, "acting_user": self._user_id})
        return to_values(Chapter, rows)

    async def lock(self, chapter_id: UUID) -> Chapter | None:
        """The project is held as well, and first: whoever deletes it has it in hand when they come to its chapters."""
        await self._connection.execute(_HOLD_PROJECT, self._this(chapter_id))
        row = (await self._connection.execute(_HOLD, self._this(chapter_id))).first()
        return None if row is None else to_value(Chapter, row)

    async def update(self, chapter_id: UUID, changes: Changes) -> Chapter:
        row = (await self._connection.execute(_CHANGE, {**to_changes(Chapter, changes), **self._this(chapter_id)})).first()
        if row is None:
            raise NotFound(chapter_id)
        return to_value(Chapter, row)

    async def move(self, chapter_id: UUID, position: int) -> None:
        await change(self._connection, _MOVE, {**self._this(chapter_id), "new_position": position}, entity=chapter_id)

    async def delete(self, chapter_id: UUID) -> None:
        gone = (await self._connection.execute(_REMOVE, self._this(chapter_id))).first()
        if gone is None:
            raise NotFound(chapter_id)
        await self._connection.execute(_CLOSE_GAP, self._from(gone.project_id, gone.position + 1))

    async def pages(
        self, project_ids: Sequence[UUID], request: PageRequest, *, status: Sequence[ChapterStatus] | None
    ) -> Mapping[UUID, Page[Chapter]]:
        return await read_pages(self._connection, _LISTING, project_ids, request, acting_user=self._user_id, status=texts_of(status))

    async def counts(self, project_ids: Sequence[UUID], *, status: Sequence[ChapterStatus] | None) -> Mapping[UUID, int]:
        return await count_items(self._connection, _LISTING, project_ids, acting_user=self._user_id, status=texts_of(status))

    def _this(self, chapter_id: UUID) -> dict[str, object]:
        return {"this": chapter_id, "acting_user": self._user_id}

    def _from(self, project_id: UUID, position: int) -> dict[str, object]:
        """The chapters of a project from a position on."""
        return {"of_project": project_id, "new_position": position, "acting_user": self._user_id}
