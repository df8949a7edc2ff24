"""Chapters and their order."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, bindparam, case, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.access import Role
from domain.chapters import Chapter, ChapterStatus
from domain.errors import NotFound
from domain.paging import Page, PageRequest
from domain.ports import Changes
from persistence.membership import accessible, change, insert_if
from persistence.paging import Listing, count_items, read_pages
from persistence.projection import any_of, any_of_if_given, by_id, columns_of, texts_of, to_changes, to_row, to_value
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


class ChapterRecords:
    def __init__(self, connection: AsyncConnection, user_id: UUID) -> None:
        self._connection = connection
        self._user_id = user_id

    async def create(self, chapter: Chapter) -> None:
        await self._connection.execute(
            update(books.chapter)
            .where(books.chapter.c.project_id == chapter.project_id, books.chapter.c.position >= chapter.position, self._may(Role.EDITOR))
            .values(position=books.chapter.c.position + 1)
        )
        editable = select(project.c.id).where(project.c.id == chapter.project_id, accessible(project.c.id, self._user_id, Role.EDITOR))
        await change(self._connection, insert_if(books.chapter, to_row(chapter), editable.exists()), entity=chapter.project_id)

    async def get_many(self, ids: Sequence[UUID]) -> Mapping[UUID, Chapter]:
        rows = await self._connection.execute(_BY_ID, {"ids": ids, "acting_user": self._user_id})
        return by_id(to_value(Chapter, row) for row in rows)

    async def of_project(self, project_id: UUID) -> Sequence[Chapter]:
        rows = await self._connection.execute(_OF_PROJECT, {"project_id": project_id, "acting_user": self._user_id})
        return [to_value(Chapter, row) for row in rows]

    async def lock(self, chapter_id: UUID) -> Chapter | None:
        """The project is held as well, and first: whoever deletes it has it in hand when they come to its chapters."""
        its_project = select(books.chapter.c.project_id).where(books.chapter.c.id == chapter_id, self._may(Role.EDITOR)).scalar_subquery()
        await self._connection.execute(select(project.c.id).where(project.c.id == its_project).with_for_update(key_share=True))
        chosen = select(*columns_of(Chapter, books.chapter)).where(books.chapter.c.id == chapter_id, self._may(Role.EDITOR))
        row = (await self._connection.execute(chosen.with_for_update(key_share=True))).one_or_none()
        return None if row is None else to_value(Chapter, row)

    async def update(self, chapter_id: UUID, changes: Changes) -> None:
        statement = update(books.chapter).where(books.chapter.c.id == chapter_id, self._may(Role.EDITOR))
        await change(self._connection, statement.values(to_changes(Chapter, changes)), entity=chapter_id)

    async def move(self, chapter_id: UUID, position: int) -> None:
        old = (
            select(books.chapter.c.project_id, books.chapter.c.position)
            .where(books.chapter.c.id == chapter_id, self._may(Role.EDITOR))
            .subquery("old")
        )
        statement = (
            update(books.chapter)
            .where(
                books.chapter.c.project_id == old.c.project_id,
                books.chapter.c.position.between(func.least(old.c.position, position), func.greatest(old.c.position, position)),
                self._may(Role.EDITOR),
            )
            .values(
                position=case(
                    (books.chapter.c.id == chapter_id, position),
                    (old.c.position < position, books.chapter.c.position - 1),
                    else_=books.chapter.c.position + 1,
                )
            )
        )
        await change(self._connection, statement, entity=chapter_id)

    async def delete(self, chapter_id: UUID) -> None:
        statement = delete(books.chapter).where(books.chapter.c.id == chapter_id, self._may(Role.EDITOR))
        gone = (await self._connection.execute(statement.returning(books.chapter.c.project_id, books.chapter.c.position))).one_or_none()
        if gone is None:
            raise NotFound(chapter_id)
        await self._connection.execute(
            update(books.chapter)
            .where(books.chapter.c.project_id == gone.project_id, books.chapter.c.position > gone.position, self._may(Role.EDITOR))
            .values(position=books.chapter.c.position - 1)
        )

    async def pages(
        self, project_ids: Sequence[UUID], request: PageRequest, *, status: Sequence[ChapterStatus] | None
    ) -> Mapping[UUID, Page[Chapter]]:
        return await read_pages(self._connection, _LISTING, project_ids, request, acting_user=self._user_id, status=texts_of(status))

    async def counts(self, project_ids: Sequence[UUID], *, status: Sequence[ChapterStatus] | None) -> Mapping[UUID, int]:
        return await count_items(self._connection, _LISTING, project_ids, acting_user=self._user_id, status=texts_of(status))

    def _may(self, role: Role) -> ColumnElement[bool]:
        return accessible(books.chapter.c.project_id, self._user_id, role)
