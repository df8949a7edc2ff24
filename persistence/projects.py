"""Projects, their members and how far they are."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, Text, Uuid, and_, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.access import Membership, Role
from domain.chapters import ChapterStatus
from domain.errors import NotFound
from domain.paging import Page, PageRequest
from domain.ports import Changes
from domain.projects import Project, ProjectFilter, ProjectOrder, ProjectOrderField, ProjectProgress
from domain.spending import Budget
from persistence.funds import select_budgets
from persistence.membership import accessible, change, insert_if
from persistence.paging import Listing, read_page
from persistence.projection import any_of, any_of_if_given, by_id, columns_of, texts_of, to_changes, to_row, to_value
from persistence.tables import books
from persistence.tables.books import chapter, chapter_version
from persistence.tables.identity import project_member

_SEEN = accessible(books.project.c.id)
_AMONG_IDS = any_of(books.project.c.id, "ids")
_BY_ID = select(*columns_of(Project, books.project)).where(_AMONG_IDS, _SEEN)

_TITLE_PATTERN = bindparam("title_pattern", type_=Text)
_ARCHIVED = bindparam("archived", type_=Boolean)
_CHOSEN = (
    _SEEN,
    any_of_if_given(books.project.c.genre, "genre"),
    or_(_TITLE_PATTERN.is_(None), books.project.c.title.ilike(_TITLE_PATTERN, escape="/")),
    or_(_ARCHIVED.is_(None), books.project.c.archived_at.is_not(None) == _ARCHIVED),
)
_COUNT = select(func.count()).select_from(books.project).where(*_CHOSEN)
_ORDERS: Mapping[ProjectOrderField, ColumnElement[Any]] = {
    ProjectOrderField.UPDATED_AT: books.project.c.updated_at,
    ProjectOrderField.CREATED_AT: books.project.c.created_at,
    ProjectOrderField.TITLE: books.project_title_order,
}
_LISTINGS = {
    ProjectOrder(field=field, descending=descending): Listing(
        value_type=Project, table=books.project, order=(column, books.project.c.id), where=_CHOSEN, descending=descending
    )
    for field, column in _ORDERS.items()
    for descending in (False, True)
}

_MINE = select(project_member.c.project_id, project_member.c.role).where(
    any_of(project_member.c.project_id, "ids"), project_member.c.user_id == bindparam("acting_user", type_=Uuid)
)
_MEMBERS = (
    select(*columns_of(Membership, project_member))
    .where(any_of(project_member.c.project_id, "ids"), accessible(project_member.c.project_id))
    .order_by(project_member.c.joined_at, project_member.c.user_id)
)

_WRITTEN = [status.value for status in (ChapterStatus.DRAFTED, ChapterStatus.REVISED, ChapterStatus.FINAL)]
_PROGRESS = (
    select(
        books.project.c.id,
        func.count(chapter.c.id),
        func.count(chapter.c.id).filter(chapter.c.status.in_(_WRITTEN)),
        func.count(chapter.c.id).filter(chapter.c.status == ChapterStatus.FINAL.value),
        func.coalesce(func.sum(chapter_version.c.word_count), 0),
    )
    .select_from(
        books.project.outerjoin(chapter, chapter.c.project_id == books.project.c.id).outerjoin(
            chapter_version, chapter_version.c.id == chapter.c.current_version_id
        )
    )
    .where(_AMONG_IDS, _SEEN)
    .group_by(books.project.c.id)
)
_BUDGETS = select_budgets().where(_AMONG_IDS, _SEEN)


class ProjectRecords:
    def __init__(self, connection: AsyncConnection, user_id: UUID) -> None:
        self._connection = connection
        self._user_id = user_id

    async def create(self, project: Project, *, owner: UUID) -> None:
        """The owner's membership comes first: a project nobody belongs to may be seen by nobody, not even while it is added."""
        if owner != self._user_id:
            raise NotFound(owner)
        membership = Membership(project_id=project.id, user_id=owner, role=Role.OWNER, joined_at=project.created_at)
        unclaimed = and_(
            ~exists().where(project_member.c.project_id == project.id),
            ~exists().where(books.project.c.id == project.id),
        )
        await change(self._connection, insert_if(project_member, to_row(membership), unclaimed), entity=project.id)
        owned = exists().where(project_member.c.project_id == project.id, self._may_in_members(Role.OWNER))
        await change(self._connection, insert_if(books.project, to_row(project), owned), entity=project.id)

    async def get_many(self, ids: Sequence[UUID]) -> Mapping[UUID, Project]:
        rows = await self._connection.execute(_BY_ID, self._among(ids))
        return by_id(to_value(Project, row) for row in rows)

    async def lock(self, project_id: UUID) -> Project | None:
        chosen = select(*columns_of(Project, books.project)).where(books.project.c.id == project_id, self._may(Role.EDITOR))
        row = (await self._connection.execute(chosen.with_for_update(key_share=True))).one_or_none()
        return None if row is None else to_value(Project, row)

    async def update(self, project_id: UUID, changes: Changes) -> None:
        statement = update(books.project).where(books.project.c.id == project_id, self._may(Role.EDITOR))
        await change(self._connection, statement.values(to_changes(Project, changes)), entity=project_id)

    async def delete(self, project_id: UUID) -> None:
        statement = delete(books.project).where(books.project.c.id == project_id, self._may(Role.OWNER))
        await change(self._connection, statement, entity=project_id)

    async def page(self, request: PageRequest, *, chosen: ProjectFilter, order: ProjectOrder) -> Page[Project]:
        return await read_page(self._connection, _LISTINGS[order], request, **self._chosen(chosen))

    async def count(self, *, chosen: ProjectFilter) -> int:
        return (await self._connection.execute(_COUNT, self._chosen(chosen))).scalar_one()

    async def roles(self, project_ids: Sequence[UUID]) -> Mapping[UUID, Role]:
        rows = await self._connection.execute(_MINE, self._among(project_ids))
        return {project_id: Role(role) for project_id, role in rows}

    async def members(self, project_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Membership]]:
        members: dict[UUID, list[Membership]] = {}
        for row in await self._connection.execute(_MEMBERS, self._among(project_ids)):
            membership = to_value(Membership, row)
            members.setdefault(membership.project_id, []).append(membership)
        return members

    async def add_member(self, membership: Membership) -> None:
        owned = books.project.select().where(books.project.c.id == membership.project_id, self._may(Role.OWNER)).exists()
        await change(self._connection, insert_if(project_member, to_row(membership), owned), entity=membership.project_id)

    async def change_role(self, project_id: UUID, user_id: UUID, role: Role) -> None:
        statement = update(project_member).where(self._is(project_id, user_id), self._may_in_members(Role.OWNER))
        await change(self._connection, statement.values(role=role.value), entity=user_id)

    async def remove_member(self, project_id: UUID, user_id: UUID) -> None:
        allowed = or_(project_member.c.user_id == self._user_id, self._may_in_members(Role.OWNER))
        await change(self._connection, delete(project_member).where(self._is(project_id, user_id), allowed), entity=user_id)

    async def progress(self, project_ids: Sequence[UUID]) -> Mapping[UUID, ProjectProgress]:
        return {
            project_id: ProjectProgress(chapters=chapters, drafted=drafted, final=final, word_count=words)
            for project_id, chapters, drafted, final, words in await self._connection.execute(_PROGRESS, self._among(project_ids))
        }

    async def budgets(self, project_ids: Sequence[UUID]) -> Mapping[UUID, Budget]:
        return {
            project_id: Budget(limit=limit, spent=spent, reserved=reserved)
            for project_id, limit, spent, reserved in await self._connection.execute(_BUDGETS, self._among(project_ids))
        }

    def _among(self, ids: Sequence[UUID]) -> dict[str, object]:
        return {"ids": ids, "acting_user": self._user_id}

    def _may(self, role: Role) -> ColumnElement[bool]:
        return accessible(books.project.c.id, self._user_id, role)

    def _may_in_members(self, role: Role) -> ColumnElement[bool]:
        return accessible(project_member.c.project_id, self._user_id, role)

    def _is(self, project_id: UUID, user_id: UUID) -> ColumnElement[bool]:
        return and_(project_member.c.project_id == project_id, project_member.c.user_id == user_id)

    def _chosen(self, chosen: ProjectFilter) -> dict[str, object]:
        return {
            "acting_user": self._user_id,
            "genre": texts_of(chosen.genre),
            "title_pattern": _pattern(chosen.title_contains) if chosen.title_contains else None,
            "archived": chosen.archived,
        }


def _pattern(contained: str) -> str:
    """For LIKE, with what it would take for wildcards standing for themselves."""
    return "%" + re.sub(r"([/%_])", r"/\1", contained) + "%"
