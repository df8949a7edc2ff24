"""Which jobs there are: by id, and in lists of projects, chapters and their starter."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from domain.jobs.job import ACTIVE_STATUSES, Job, JobKind, JobStatus
from domain.paging import Page, PageRequest
from persistence.job_scope import JobScope
from persistence.paging import Listing, count_items, read_page, read_pages
from persistence.projection import among, by_id, columns_of, to_value
from persistence.tables.jobs import job

_NEWEST_FIRST = (job.c.created_at, job.c.id)
_OF_PROJECT = Listing(value_type=Job, table=job, order=_NEWEST_FIRST, parent=job.c.project_id, descending=True)
_OF_CHAPTER = Listing(value_type=Job, table=job, order=_NEWEST_FIRST, parent=job.c.chapter_id, descending=True)
_OF_USER = Listing(value_type=Job, table=job, order=_NEWEST_FIRST, parent=job.c.started_by, descending=True)
_ACTIVE = job.c.status.in_([status.value for status in JobStatus if status in ACTIVE_STATUSES])


class JobLists(JobScope):
    async def get_many(self, ids: Sequence[UUID]) -> Mapping[UUID, Job]:
        chosen = select(*columns_of(Job, job)).where(among(job.c.id, ids), self._visible(job))
        return by_id(to_value(Job, row) for row in await self._connection.execute(chosen))

    async def active_on(self, chapter_id: UUID) -> Job | None:
        found = select(*columns_of(Job, job)).where(job.c.chapter_id == chapter_id, _ACTIVE, self._visible(job))
        row = (await self._connection.execute(found)).first()
        return None if row is None else to_value(Job, row)

    async def active_count(self) -> int:
        counted = select(func.count()).select_from(job).where(job.c.started_by == self._user_id, _ACTIVE, self._visible(job))
        return (await self._connection.execute(counted)).scalar_one()

    async def pages_of_projects(
        self, project_ids: Sequence[UUID], request: PageRequest, *, status: Sequence[JobStatus] | None, kind: Sequence[JobKind] | None
    ) -> Mapping[UUID, Page[Job]]:
        listing = _OF_PROJECT.filtered(self._visible(job), *_chosen(status, kind))
        return await read_pages(self._connection, listing, project_ids, request)

    async def counts_of_projects(
        self, project_ids: Sequence[UUID], *, status: Sequence[JobStatus] | None, kind: Sequence[JobKind] | None
    ) -> Mapping[UUID, int]:
        return await count_items(self._connection, _OF_PROJECT.filtered(self._visible(job), *_chosen(status, kind)), project_ids)

    async def pages_of_chapters(self, chapter_ids: Sequence[UUID], request: PageRequest) -> Mapping[UUID, Page[Job]]:
        return await read_pages(self._connection, _OF_CHAPTER.filtered(self._visible(job)), chapter_ids, request)

    async def counts_of_chapters(self, chapter_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        return await count_items(self._connection, _OF_CHAPTER.filtered(self._visible(job)), chapter_ids)

    async def page_of_user(self, request: PageRequest, *, status: Sequence[JobStatus] | None) -> Page[Job]:
        own = _OF_USER.filtered(job.c.started_by == self._user_id, self._visible(job), *_chosen(status, None))
        return await read_page(self._connection, own, request)

    async def count_of_user(self, *, status: Sequence[JobStatus] | None) -> int:
        own = _OF_USER.filtered(self._visible(job), *_chosen(status, None))
        return (await count_items(self._connection, own, [self._user_id]))[self._user_id]


def _chosen(status: Sequence[JobStatus] | None, kind: Sequence[JobKind] | None) -> list[ColumnElement[bool]]:
    """None chooses everything, an empty list nothing."""
    conditions: list[ColumnElement[bool]] = []
    if status is not None:
        conditions.append(job.c.status.in_([one.value for one in status]))
    if kind is not None:
        conditions.append(job.c.kind.in_([one.value for one in kind]))
    return conditions
