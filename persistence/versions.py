"""Versions of chapters: only ever added, and their texts loaded only when asked for."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Integer, Uuid, bindparam, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.access import Role
from domain.chapters import ChapterStatus, ChapterVersion, NewVersion, VersionOrigin
from domain.errors import NotFound
from domain.paging import Page, PageRequest
from domain.prompting.index.saved_text import StoredText
from persistence.membership import accessible, change, insert_if
from persistence.paging import Listing, count_items, read_pages
from persistence.projection import any_of, by_id, columns_of, to_row, to_value
from persistence.tables.books import chapter, chapter_version, project

_SEEN = accessible(chapter_version.c.project_id)
_BY_ID = select(*columns_of(ChapterVersion, chapter_version)).where(any_of(chapter_version.c.id, "ids"), _SEEN)
_OF_JOB = (
    select(*columns_of(ChapterVersion, chapter_version))
    .where(chapter_version.c.job_id == bindparam("job_id", type_=Uuid), _SEEN)
    .order_by(chapter_version.c.number)
)
_TEXTS = select(chapter_version.c.id, chapter_version.c.text).where(any_of(chapter_version.c.id, "ids"), _SEEN)
_STORED_TEXTS = select(chapter_version.c.id, chapter_version.c.text, chapter_version.c.text_index).where(
    any_of(chapter_version.c.id, "ids"), _SEEN
)
_WANTED = (
    func.unnest(bindparam("chapter_ids", type_=ARRAY(Uuid)), bindparam("numbers", type_=ARRAY(Integer)))
    .table_valued("chapter_id", "number", name="wanted")
    .render_derived()
)
_BY_NUMBER = select(*columns_of(ChapterVersion, chapter_version)).where(
    chapter_version.c.chapter_id == _WANTED.c.chapter_id, chapter_version.c.number == _WANTED.c.number, _SEEN
)
_LISTING = Listing(
    value_type=ChapterVersion,
    table=chapter_version,
    order=(chapter_version.c.number, chapter_version.c.id),
    where=(_SEEN,),
    parent=chapter_version.c.chapter_id,
    descending=True,
)
_WITHOUT_TEXT = (ChapterStatus.PLANNED.value, ChapterStatus.DRAFTING.value)
_UNREVISED = (*_WITHOUT_TEXT, ChapterStatus.DRAFTED.value)


class VersionRecords:
    def __init__(self, connection: AsyncConnection, user_id: UUID) -> None:
        self._connection = connection
        self._user_id = user_id

    async def add(self, version: NewVersion, *, make_current: bool) -> ChapterVersion:
        chosen = select(chapter.c.project_id).where(chapter.c.id == version.chapter_id, self._may_edit_chapter())
        project_id: UUID | None = await self._connection.scalar(chosen.with_for_update(key_share=True))
        if project_id is None:
            raise NotFound(version.chapter_id)
        # A statement of its own behind the lock: only so does it see what an earlier holder of the lock has added.
        last = select(func.max(chapter_version.c.number)).where(chapter_version.c.chapter_id == version.chapter_id).scalar_subquery()
        texts = {"text": version.text.text, "text_index": version.text.index}
        row = {**to_row(version), **texts, "project_id": project_id, "number": func.coalesce(last, 0) + 1}
        added = insert_if(chapter_version, row, chosen.exists()).returning(*columns_of(ChapterVersion, chapter_version))
        recorded = to_value(ChapterVersion, (await self._connection.execute(added)).one())
        if make_current:
            await self._make_current(recorded, has_text=bool(version.text.text.strip()), at=version.created_at)
        return recorded

    async def make_current(self, version_id: UUID, *, at: datetime) -> None:
        """Raises NotFound."""
        version = (await self.get_many([version_id])).get(version_id)
        if version is None:
            raise NotFound(version_id)
        await self._make_current(version, has_text=True, at=at)

    async def get_many(self, ids: Sequence[UUID]) -> Mapping[UUID, ChapterVersion]:
        rows = await self._connection.execute(_BY_ID, {"ids": ids, "acting_user": self._user_id})
        return by_id(to_value(ChapterVersion, row) for row in rows)

    async def of_job(self, job_id: UUID) -> Sequence[ChapterVersion]:
        rows = await self._connection.execute(_OF_JOB, {"job_id": job_id, "acting_user": self._user_id})
        return [to_value(ChapterVersion, row) for row in rows]

    async def by_number(self, keys: Sequence[tuple[UUID, int]]) -> Mapping[tuple[UUID, int], ChapterVersion]:
        parameters = {"chapter_ids": [key[0] for key in keys], "numbers": [key[1] for key in keys]}
        rows = await self._connection.execute(_BY_NUMBER, {**parameters, "acting_user": self._user_id})
        versions = [to_value(ChapterVersion, row) for row in rows]
        return {(version.chapter_id, version.number): version for version in versions}

    async def texts(self, ids: Sequence[UUID]) -> Mapping[UUID, str]:
        rows = await self._connection.execute(_TEXTS, {"ids": ids, "acting_user": self._user_id})
        return {row[0]: row[1] for row in rows}

    async def stored_texts(self, ids: Sequence[UUID]) -> Mapping[UUID, StoredText]:
        rows = await self._connection.execute(_STORED_TEXTS, {"ids": ids, "acting_user": self._user_id})
        return {row[0]: StoredText(row[1], row[2]) for row in rows}

    async def pages(self, chapter_ids: Sequence[UUID], request: PageRequest) -> Mapping[UUID, Page[ChapterVersion]]:
        return await read_pages(self._connection, _LISTING, chapter_ids, request, acting_user=self._user_id)

    async def counts(self, chapter_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        return await count_items(self._connection, _LISTING, chapter_ids, acting_user=self._user_id)

    async def _make_current(self, version: ChapterVersion, *, has_text: bool, at: datetime) -> None:
        """The first text of a chapter makes it drafted, a revision makes a drafted one revised; what its author has called it else stays."""
        is_revision = version.origin is VersionOrigin.REVISION
        before, after = (_UNREVISED, ChapterStatus.REVISED) if is_revision else (_WITHOUT_TEXT, ChapterStatus.DRAFTED)
        status = case((chapter.c.status.in_(before), after.value), else_=chapter.c.status)
        changes = {"current_version_id": version.id, "updated_at": at, **({"status": status} if has_text else {})}
        await change(
            self._connection,
            update(chapter).where(chapter.c.id == version.chapter_id, self._may_edit_chapter()).values(changes),
            entity=version.chapter_id,
        )
        may_edit = accessible(project.c.id, self._user_id, Role.EDITOR)
        touched = update(project).where(project.c.id == version.project_id, may_edit).values(updated_at=at)
        await change(self._connection, touched, entity=version.project_id)

    def _may_edit_chapter(self) -> ColumnElement[bool]:
        return accessible(chapter.c.project_id, self._user_id, Role.EDITOR)
