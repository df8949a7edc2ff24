"""Which jobs there are: by id, and in lists of projects, chapters and their starter."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, func, select

from domain.jobs.job import ACTIVE_STATUSES, Job, JobKind, JobStatus
from domain.paging import Page, PageRequest
from persistence.job_scope import JobScope
from persistence.membership import ACTING_USER, accessible
from persistence.paging import Listing, count_items, read_page, read_pages
from persistence.projection import any_of, any_of_if_given, by_id, columns_of, is_one_of, texts_of, to_value, to_values
from persistence.tables.jobs import job

_SEEN = accessible(job.c.project_id)
_OWN = job.c.started_by == ACTING_USER
_ACTIVE = is_one_of(job.c.status, [status.value for status in JobStatus if status in ACTIVE_STATUSES])
_OF_STATUS = any_of_if_given(job.c.status, "status")
_OF_KIND = any_of_if_given(job.c.kind, "kind")
_NEWEST_FIRST = (job.c.created_at, job.c.id)

_JOBS = select(*columns_of(Job, job)).where(_SEEN)
_BY_ID = _JOBS.where(any_of(job.c.id, "ids"))
_WRITING = _JOBS.where(job.c.chapter_id == bindparam("chapter_id", type_=Uuid), _ACTIVE, job.c.kind != JobKind.ASSESSMENT.value)
_ASSESSING = _JOBS.where(
    job.c.request.op("->>")("version_id") == bindparam("version_id", type_=Text), _ACTIVE, job.c.kind == JobKind.ASSESSMENT.value
)
_ACTIVE_COUNT = select(func.count()).select_from(job).where(_OWN, _ACTIVE, _SEEN)
_OF_PROJECT = Listing(
    value_type=Job, table=job, order=_NEWEST_FIRST, where=(_SEEN, _OF_STATUS, _OF_KIND), parent=job.c.project_id, descending=True
)
_OF_CHAPTER = Listing(value_type=Job, table=job, order=_NEWEST_FIRST, where=(_SEEN,), parent=job.c.chapter_id, descending=True)
_OF_USER = Listing(
    value_type=Job, table=job, order=_NEWEST_FIRST, where=(_OWN, _SEEN, _OF_STATUS), parent=job.c.started_by, descending=True
)


class JobLists(JobScope):
    async def get_many(self, ids: Sequence[UUID]) -> Mapping[UUID, Job]:
        rows = await self._connection.execute(_BY_ID, {"ids": ids, "acting_user": self._user_id})
        return by_id(to_values(Job, rows))

    async def active_on(self, chapter_id: UUID, *, version_id: UUID | None = None) -> Job | None:
        if version_id is None:
            found = await self._connection.execute(_WRITING, {"chapter_id": chapter_id, "acting_user": self._user_id})
        else:
            found = await self._connection.execute(_ASSESSING, {"version_id": str(version_id), "acting_user": self._user_id})
        row = found.first()
        return None if row is None else to_value(Job, row)

    async def active_count(self) -> int:
        return int(await self._connection.scalar(_ACTIVE_COUNT, {"acting_user": self._user_id}))

    async def pages_of_projects(
        self, project_ids: Sequence[UUID], request: PageRequest, *, status: Sequence[JobStatus] | None, kind: Sequence[JobKind] | None
    ) -> Mapping[UUID, Page[Job]]:
        chosen = {"acting_user": self._user_id, "status": texts_of(status), "kind": texts_of(kind)}
        return await read_pages(self._connection, _OF_PROJECT, project_ids, request, **chosen)

    async def counts_of_projects(
        self, project_ids: Sequence[UUID], *, status: Sequence[JobStatus] | None, kind: Sequence[JobKind] | None
    ) -> Mapping[UUID, int]:
        chosen = {"acting_user": self._user_id, "status": texts_of(status), "kind": texts_of(kind)}
        return await count_items(self._connection, _OF_PROJECT, project_ids, **chosen)

    async def pages_of_chapters(self, chapter_ids: Sequence[UUID], request: PageRequest) -> Mapping[UUID, Page[Job]]:
        return await read_pages(self._connection, _OF_CHAPTER, chapter_ids, request, acting_user=self._user_id)

    async def counts_of_chapters(self, chapter_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        return await count_items(self._connection, _OF_CHAPTER, chapter_ids, acting_user=self._user_id)

    async def page_of_user(self, request: PageRequest, *, status: Sequence[JobStatus] | None) -> Page[Job]:
        return await read_page(self._connection, _OF_USER, request, acting_user=self._user_id, status=texts_of(status))

    async def count_of_user(self, *, status: Sequence[JobStatus] | None) -> int:
        counts = await count_items(self._connection, _OF_USER, [self._user_id], acting_user=self._user_id, status=texts_of(status))
        return counts[self._user_id]
