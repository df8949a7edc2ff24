"""Versions of chapters: only ever added, and their texts loaded only when asked for."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Uuid, and_, bindparam, case, exists, func, select, update

from domain.access import Role
from domain.chapters import ChapterStatus, ChapterVersion, NewVersion, VersionOrigin
from domain.errors import NotFound
from domain.paging import Page, PageRequest
from domain.prompting.index.saved_text import StoredText
from persistence.connection import Connection
from persistence.membership import accessible, change, given, insert_if
from persistence.paging import Listing, count_items, read_pages
from persistence.projection import any_of, by_id, columns_of, is_one_of, to_row, to_value, to_values
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


_CHAPTER_ID = bindparam("chapter_id", type_=Uuid)
_CHAPTER_EDITABLE = and_(chapter.c.id == _CHAPTER_ID, accessible(chapter.c.project_id, minimum=Role.EDITOR))
_HOLD_CHAPTER = select(chapter.c.project_id).where(_CHAPTER_EDITABLE).with_for_update(key_share=True)
_LAST = select(func.max(chapter_version.c.number)).where(chapter_version.c.chapter_id == _CHAPTER_ID).scalar_subquery()
_GIVEN = (
    "id",
    "project_id",
    "chapter_id",
    "word_count",
    "token_count",
    "origin",
    "rehearsal",
    "author_id",
    "job_id",
    "parent_id",
    "receipt_id",
)
_ADD = insert_if(
    chapter_version,
    {**given(chapter_version, (*_GIVEN, "created_at", "text", "text_index")), "number": func.coalesce(_LAST, 0) + 1},
    exists().where(_CHAPTER_EDITABLE),
).returning(*columns_of(ChapterVersion, chapter_version))
_MAKE_CURRENT = update(chapter).where(_CHAPTER_EDITABLE)
# The first text of a chapter makes it drafted, a revision makes a drafted one revised; what its author has called it else stays.
_STATUS = {
    is_revision: case((is_one_of(chapter.c.status, before), after.value), else_=chapter.c.status)
    for is_revision, before, after in ((False, _WITHOUT_TEXT, ChapterStatus.DRAFTED), (True, _UNREVISED, ChapterStatus.REVISED))
}
_MAKE_CURRENT_WITH_TEXT = {is_revision: _MAKE_CURRENT.values(status=status) for is_revision, status in _STATUS.items()}
_TOUCH = update(project).where(project.c.id == bindparam("touched", type_=Uuid), accessible(project.c.id, minimum=Role.EDITOR))


class VersionRecords:
    def __init__(self, connection: Connection, user_id: UUID) -> None:
        self._connection = connection
        self._user_id = user_id

    async def add(self, version: NewVersion, *, make_current: bool) -> ChapterVersion:
        whose = {"chapter_id": version.chapter_id, "acting_user": self._user_id}
        project_id: UUID | None = await self._connection.scalar(_HOLD_CHAPTER, whose)
        if project_id is None:
            raise NotFound(version.chapter_id)
        texts = {"text": version.text.text, "text_index": version.text.index}
        # A statement of its own behind the lock: only so does it see what an earlier holder of the lock has added.
        added = await self._connection.execute(_ADD, {**to_row(version), **texts, **whose, "project_id": project_id})
        recorded = to_value(ChapterVersion, added.one())
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
        return by_id(to_values(ChapterVersion, rows))

    async def of_job(self, job_id: UUID) -> Sequence[ChapterVersion]:
        rows = await self._connection.execute(_OF_JOB, {"job_id": job_id, "acting_user": self._user_id})
        return to_values(ChapterVersion, rows)

    async def by_number(self, keys: Sequence[tuple[UUID, int]]) -> Mapping[tuple[UUID, int], ChapterVersion]:
        parameters = {"chapter_ids": [key[0] for key in keys], "numbers": [key[1] for key in keys]}
        rows = await self._connection.execute(_BY_NUMBER, {**parameters, "acting_user": self._user_id})
        versions = to_values(ChapterVersion, rows)
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
        statement = _MAKE_CURRENT_WITH_TEXT[version.origin is VersionOrigin.REVISION] if has_text else _MAKE_CURRENT
        changes = {"current_version_id": version.id, "updated_at": at}
        where = {"chapter_id": version.chapter_id, "acting_user": self._user_id}
        await change(self._connection, statement, {**changes, **where}, entity=version.chapter_id)
        touched = {"updated_at": at, "touched": version.project_id, "acting_user": self._user_id}
        await change(self._connection, _TOUCH, touched, entity=version.project_id)
