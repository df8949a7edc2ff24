"""Projects, their members and how far they are."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, Text, Uuid, and_, bindparam, delete, exists, func, or_, select, update

from domain.access import Membership, Role
from domain.chapters import ChapterStatus
from domain.errors import NotFound
from domain.paging import Page, PageRequest
from domain.ports import Changes
from domain.projects import Project, ProjectFilter, ProjectOrder, ProjectOrderField, ProjectProgress
from domain.spending import Budget
from persistence.connection import Connection
from persistence.funds import select_budgets
from persistence.membership import ACTING_USER, accessible, change, given, insert_if
from persistence.paging import Listing, read_page
from persistence.projection import any_of, any_of_if_given, by_id, columns_of, is_one_of, texts_of, to_changes, to_row, to_value, to_values
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
        func.count(chapter.c.id).filter(is_one_of(chapter.c.status, _WRITTEN)),
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

_THIS = bindparam("this", type_=Uuid)
_UNCLAIMED = and_(~exists().where(project_member.c.project_id == _THIS), ~exists().where(books.project.c.id == _THIS))
_OWNS = and_(project_member.c.project_id == _THIS, accessible(project_member.c.project_id, minimum=Role.OWNER))
_MEMBERSHIP = given(project_member, [column.name for column in columns_of(Membership, project_member)])
_CLAIM = insert_if(project_member, _MEMBERSHIP, _UNCLAIMED)
_ADD = insert_if(books.project, given(books.project, [column.name for column in columns_of(Project, books.project)]), exists().where(_OWNS))
_EDITABLE = and_(books.project.c.id == _THIS, accessible(books.project.c.id, minimum=Role.EDITOR))
_OWNED = and_(books.project.c.id == _THIS, accessible(books.project.c.id, minimum=Role.OWNER))
_HOLD = select(*columns_of(Project, books.project)).where(_EDITABLE).with_for_update(key_share=True)
_CHANGE = update(books.project).where(_EDITABLE)
_REMOVE = delete(books.project).where(_OWNED)
_ADD_MEMBER = insert_if(project_member, _MEMBERSHIP, exists().where(_OWNED))
_THAT_MEMBER = project_member.c.user_id == bindparam("member", type_=Uuid)
_CHANGE_ROLE = update(project_member).where(_OWNS, _THAT_MEMBER)
_REMOVE_MEMBER = delete(project_member).where(
    project_member.c.project_id == _THIS, _THAT_MEMBER, or_(project_member.c.user_id == ACTING_USER, _OWNS)
)


class ProjectRecords:
    def __init__(self, connection: Connection, user_id: UUID) -> None:
        self._connection = connection
        self._user_id = user_id

    async def create(self, project: Project, *, owner: UUID) -> None:
        """The owner's membership comes first: a project nobody belongs to may be seen by nobody, not even while it is added."""
        if owner != self._user_id:
            raise NotFound(owner)
        membership = Membership(project_id=project.id, user_id=owner, role=Role.OWNER, joined_at=project.created_at)
        await change(self._connection, _CLAIM, {**to_row(membership), "this": project.id}, entity=project.id)
        await change(self._connection, _ADD, {**to_row(project), **self._this(project.id)}, entity=project.id)

    async def get_many(self, ids: Sequence[UUID]) -> Mapping[UUID, Project]:
        rows = await self._connection.execute(_BY_ID, self._among(ids))
        return by_id(to_values(Project, rows))

    async def lock(self, project_id: UUID) -> Project | None:
        row = (await self._connection.execute(_HOLD, self._this(project_id))).first()
        return None if row is None else to_value(Project, row)

    async def update(self, project_id: UUID, changes: Changes) -> None:
        await change(self._connection, _CHANGE, {**to_changes(Project, changes), **self._this(project_id)}, entity=project_id)

    async def delete(self, project_id: UUID) -> None:
        await change(self._connection, _REMOVE, self._this(project_id), entity=project_id)

    async def page(self, request: PageRequest, *, chosen: ProjectFilter, order: ProjectOrder) -> Page[Project]:
        return await read_page(self._connection, _LISTINGS[order], request, **self._chosen(chosen))

    async def count(self, *, chosen: ProjectFilter) -> int:
        return int(await self._connection.scalar(_COUNT, self._chosen(chosen)))

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
        row = {**to_row(membership), **self._this(membership.project_id)}
        await change(self._connection, _ADD_MEMBER, row, entity=membership.project_id)

    async def change_role(self, project_id: UUID, user_id: UUID, role: Role) -> None:
        parameters = {"role": role.value, "member": user_id, **self._this(project_id)}
        await change(self._connection, _CHANGE_ROLE, parameters, entity=user_id)

    async def remove_member(self, project_id: UUID, user_id: UUID) -> None:
        await change(self._connection, _REMOVE_MEMBER, {"member": user_id, **self._this(project_id)}, entity=user_id)

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

    def _this(self, project_id: UUID) -> dict[str, object]:
        return {"this": project_id, "acting_user": self._user_id}

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
