"""Data loaders: what sibling fields ask for in one tick of the event loop is read in one statement.

Each batch opens its own short transaction, and nothing is kept after it: a field that runs later in the same operation, behind a
mutation or an hour into a subscription, reads what is true then.
"""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from domain.access import Membership, Role, User
from domain.assessing.assessment import Assessment, ChapterQuality, Finding
from domain.chapters import Chapter, ChapterStatus, ChapterVersion
from domain.jobs.events import RecordedEvent
from domain.jobs.job import Job, JobKind, JobStatus, JobStep
from domain.paging import Page, PageRequest
from domain.ports import Library, Records
from domain.projects import Project, ProjectProgress
from domain.prompting.receipts import PromptReceipt
from domain.reference_files import ReferenceFile, ReferenceKind
from domain.spending import Budget, Usage, UsageReport
from resolvers.batching import Loader

Value = TypeVar("Value")
Key = TypeVar("Key", bound=Hashable)
Arguments = TypeVar("Arguments", bound=Hashable)

Read = Callable[[Records, Sequence[Key]], Awaitable[Mapping[Key, Value]]]
ReadWith = Callable[[Records, Sequence[UUID], Arguments], Awaitable[Mapping[UUID, Value]]]

ById = Loader[UUID, Value]
Of = Loader[tuple[UUID, Arguments], Value]
"""Loads something of a parent, by the parent's id and the arguments of the field."""

ChapterFilter = tuple[ChapterStatus, ...] | None
ReferenceFilter = tuple[ReferenceKind, ...] | None
JobFilter = tuple[tuple[JobStatus, ...] | None, tuple[JobKind, ...] | None]
Period = tuple[datetime | None, datetime | None]


class Loaders:
    """One operation's loaders. None stands for what does not exist or the user may not see."""

    def __init__(self, library: Library, user_id: UUID) -> None:
        self._library = library
        self._user_id = user_id

        self.users: ById[User] = self._by_key(lambda records, ids: records.users.get_many(ids))
        self.projects: ById[Project] = self._by_key(lambda records, ids: records.projects.get_many(ids))
        self.chapters: ById[Chapter] = self._by_key(lambda records, ids: records.chapters.get_many(ids))
        self.versions: ById[ChapterVersion] = self._by_key(lambda records, ids: records.versions.get_many(ids))
        self.reference_files: ById[ReferenceFile] = self._by_key(lambda records, ids: records.reference_files.get_many(ids))
        self.jobs: ById[Job] = self._by_key(lambda records, ids: records.jobs.get_many(ids))

        self.roles: ById[Role] = self._by_key(lambda records, ids: records.projects.roles(ids))
        self.members: ById[Sequence[Membership]] = self._by_key(lambda records, ids: records.projects.members(ids))
        self.progress: ById[ProjectProgress] = self._by_key(lambda records, ids: records.projects.progress(ids))
        self.budgets: ById[Budget] = self._by_key(lambda records, ids: records.projects.budgets(ids))
        self.usage_reports: Of[Period, UsageReport] = self._of(
            lambda records, ids, period: records.spending.report_of_projects(ids, since=period[0], until=period[1])
        )

        self.chapters_of_project: Of[tuple[PageRequest, ChapterFilter], Page[Chapter]] = self._of(
            lambda records, ids, asked: records.chapters.pages(ids, asked[0], status=asked[1])
        )
        self.chapter_counts: Of[ChapterFilter, int] = self._of(lambda records, ids, status: records.chapters.counts(ids, status=status))
        self.versions_of_chapter: Of[PageRequest, Page[ChapterVersion]] = self._of(
            lambda records, ids, request: records.versions.pages(ids, request)
        )
        self.version_counts: ById[int] = self._by_key(lambda records, ids: records.versions.counts(ids))
        self.versions_by_number: Loader[tuple[UUID, int], ChapterVersion] = self._by_key(
            lambda records, keys: records.versions.by_number(keys)
        )
        self.version_texts: ById[str] = self._by_key(lambda records, ids: records.versions.texts(ids))

        self.assessments: ById[Assessment] = self._by_key(lambda records, ids: records.assessments.get_many(ids))
        self.assessments_of_versions: ById[Assessment] = self._by_key(lambda records, ids: records.assessments.of_versions(ids))
        self.findings: ById[Finding] = self._by_key(lambda records, ids: records.assessments.get_findings(ids))
        self.findings_of_assessment: ById[Sequence[Finding]] = self._by_key(lambda records, ids: records.assessments.findings(ids))
        self.quality: ById[Sequence[ChapterQuality]] = self._by_key(lambda records, ids: records.assessments.quality(ids))

        self.reference_files_of_project: Of[tuple[PageRequest, ReferenceFilter], Page[ReferenceFile]] = self._of(
            lambda records, ids, asked: records.reference_files.pages(ids, asked[0], kind=asked[1])
        )
        self.reference_file_counts: Of[ReferenceFilter, int] = self._of(
            lambda records, ids, kind: records.reference_files.counts(ids, kind=kind)
        )
        self.reference_contents: ById[str] = self._by_key(lambda records, ids: records.reference_files.contents(ids))

        self.jobs_of_project: Of[tuple[PageRequest, JobFilter], Page[Job]] = self._of(
            lambda records, ids, asked: records.jobs.pages_of_projects(ids, asked[0], status=asked[1][0], kind=asked[1][1])
        )
        self.project_job_counts: Of[JobFilter, int] = self._of(
            lambda records, ids, chosen: records.jobs.counts_of_projects(ids, status=chosen[0], kind=chosen[1])
        )
        self.jobs_of_chapter: Of[PageRequest, Page[Job]] = self._of(
            lambda records, ids, request: records.jobs.pages_of_chapters(ids, request)
        )
        self.chapter_job_counts: ById[int] = self._by_key(lambda records, ids: records.jobs.counts_of_chapters(ids))
        self.job_steps: ById[Sequence[JobStep]] = self._by_key(lambda records, ids: records.jobs.steps(ids))
        self.job_texts: ById[tuple[str, int]] = self._by_key(lambda records, ids: records.jobs.texts(ids))
        self.job_usage: ById[Usage] = self._by_key(lambda records, ids: records.spending.of_jobs(ids))
        self.events_of_job: Of[PageRequest, Page[RecordedEvent]] = self._of(
            lambda records, ids, request: records.jobs.event_pages(ids, request)
        )
        self.event_counts: ById[int] = self._by_key(lambda records, ids: records.jobs.event_counts(ids))
        self.receipts: ById[PromptReceipt] = self._by_key(lambda records, ids: records.jobs.receipts(ids))

    def _by_key(self, read: Read[Key, Value]) -> Loader[Key, Value]:
        async def load(keys: Sequence[Key]) -> Mapping[Key, Value]:
            async with self._library.reading(self._user_id) as records:
                return await read(records, keys)

        return Loader(load)

    def _of(self, read: ReadWith[Arguments, Value]) -> Of[Arguments, Value]:
        async def load(keys: Sequence[tuple[UUID, Arguments]]) -> Mapping[tuple[UUID, Arguments], Value]:
            parents: dict[Arguments, list[UUID]] = {}
            for parent, arguments in keys:
                parents.setdefault(arguments, []).append(parent)
            found: dict[tuple[UUID, Arguments], Value] = {}
            async with self._library.reading(self._user_id) as records:
                for arguments, ids in parents.items():
                    values = await read(records, ids, arguments)
                    found.update(((parent, arguments), value) for parent, value in values.items())
            return found

        return Loader(load)


async def count_of(counts: Loader[Key, int], key: Key) -> int:
    return await counts.load(key) or 0
