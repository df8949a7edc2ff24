"""Loaders: what sibling fields ask for in one turn of the event loop is read in one statement.

Batches that follow one another at once share a short transaction, and nothing is kept after it: a field that runs later in the same
operation, behind a mutation or an hour into a subscription, reads what is true then.
"""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import partial
from typing import Generic, TypeVar
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
from resolvers.shared_reading import SharedReading

Value = TypeVar("Value")
Key = TypeVar("Key", bound=Hashable)
Arguments = TypeVar("Arguments", bound=Hashable)
Made = TypeVar("Made")

Read = Callable[[Records, Sequence[Key]], Awaitable[Mapping[Key, Value]]]
ReadWith = Callable[[Records, Sequence[UUID], Arguments], Awaitable[Mapping[UUID, Value]]]

ById = Loader[UUID, Value]
Of = Loader[tuple[UUID, Arguments], Value]
"""Loads something of a parent, by the parent's id and the arguments of the field."""

ChapterFilter = tuple[ChapterStatus, ...] | None
ReferenceFilter = tuple[ReferenceKind, ...] | None
JobFilter = tuple[tuple[JobStatus, ...] | None, tuple[JobKind, ...] | None]
Period = tuple[datetime | None, datetime | None]


class Lazily(Generic[Made]):
    """An attribute of `Loaders` that is made when it is first asked for: an operation needs a few of them."""

    def __init__(self, make: Callable[["Loaders"], Made]) -> None:
        self._make = make
        self._name = ""

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, loaders: "Loaders", _owner: type) -> Made:
        made = self._make(loaders)
        vars(loaders)[self._name] = made
        return made


def by_key(read: Read[Key, Value]) -> Lazily[Loader[Key, Value]]:
    def make(loaders: "Loaders") -> Loader[Key, Value]:
        async def load(keys: Sequence[Key]) -> Mapping[Key, Value]:
            async with loaders.reading() as records:
                return await read(records, keys)

        return Loader(load)

    return Lazily(make)


def of(read: ReadWith[Arguments, Value]) -> Lazily[Of[Arguments, Value]]:
    def make(loaders: "Loaders") -> Of[Arguments, Value]:
        async def load(keys: Sequence[tuple[UUID, Arguments]]) -> Mapping[tuple[UUID, Arguments], Value]:
            parents: dict[Arguments, list[UUID]] = {}
            for parent, arguments in keys:
                parents.setdefault(arguments, []).append(parent)
            found: dict[tuple[UUID, Arguments], Value] = {}
            async with loaders.reading() as records:
                for arguments, ids in parents.items():
                    values = await read(records, ids, arguments)
                    found.update(((parent, arguments), value) for parent, value in values.items())
            return found

        return Loader(load)

    return Lazily(make)


class Loaders:
    """One operation's loaders. None stands for what does not exist or the user may not see."""

    def __init__(self, library: Library, user_id: UUID) -> None:
        self._shared = SharedReading(partial(library.reading, user_id))

    def reading(self) -> AbstractAsyncContextManager[Records]:
        """For a statement or two, between which nothing else is waited for."""
        return self._shared.records()

    users: Lazily[ById[User]] = by_key(lambda records, ids: records.users.get_many(ids))
    projects: Lazily[ById[Project]] = by_key(lambda records, ids: records.projects.get_many(ids))
    chapters: Lazily[ById[Chapter]] = by_key(lambda records, ids: records.chapters.get_many(ids))
    versions: Lazily[ById[ChapterVersion]] = by_key(lambda records, ids: records.versions.get_many(ids))
    reference_files: Lazily[ById[ReferenceFile]] = by_key(lambda records, ids: records.reference_files.get_many(ids))
    jobs: Lazily[ById[Job]] = by_key(lambda records, ids: records.jobs.get_many(ids))

    roles: Lazily[ById[Role]] = by_key(lambda records, ids: records.projects.roles(ids))
    members: Lazily[ById[Sequence[Membership]]] = by_key(lambda records, ids: records.projects.members(ids))
    progress: Lazily[ById[ProjectProgress]] = by_key(lambda records, ids: records.projects.progress(ids))
    budgets: Lazily[ById[Budget]] = by_key(lambda records, ids: records.projects.budgets(ids))
    usage_reports: Lazily[Of[Period, UsageReport]] = of(
        lambda records, ids, period: records.spending.report_of_projects(ids, since=period[0], until=period[1])
    )

    chapters_of_project: Lazily[Of[tuple[PageRequest, ChapterFilter], Page[Chapter]]] = of(
        lambda records, ids, asked: records.chapters.pages(ids, asked[0], status=asked[1])
    )
    chapter_counts: Lazily[Of[ChapterFilter, int]] = of(lambda records, ids, status: records.chapters.counts(ids, status=status))
    versions_of_chapter: Lazily[Of[PageRequest, Page[ChapterVersion]]] = of(
        lambda records, ids, request: records.versions.pages(ids, request)
    )
    version_counts: Lazily[ById[int]] = by_key(lambda records, ids: records.versions.counts(ids))
    versions_by_number: Lazily[Loader[tuple[UUID, int], ChapterVersion]] = by_key(lambda records, keys: records.versions.by_number(keys))
    version_texts: Lazily[ById[str]] = by_key(lambda records, ids: records.versions.texts(ids))

    assessments: Lazily[ById[Assessment]] = by_key(lambda records, ids: records.assessments.get_many(ids))
    assessments_of_versions: Lazily[ById[Assessment]] = by_key(lambda records, ids: records.assessments.of_versions(ids))
    findings: Lazily[ById[Finding]] = by_key(lambda records, ids: records.assessments.get_findings(ids))
    findings_of_assessment: Lazily[ById[Sequence[Finding]]] = by_key(lambda records, ids: records.assessments.findings(ids))
    quality: Lazily[ById[Sequence[ChapterQuality]]] = by_key(lambda records, ids: records.assessments.quality(ids))

    reference_files_of_project: Lazily[Of[tuple[PageRequest, ReferenceFilter], Page[ReferenceFile]]] = of(
        lambda records, ids, asked: records.reference_files.pages(ids, asked[0], kind=asked[1])
    )
    reference_file_counts: Lazily[Of[ReferenceFilter, int]] = of(lambda records, ids, kind: records.reference_files.counts(ids, kind=kind))
    reference_contents: Lazily[ById[str]] = by_key(lambda records, ids: records.reference_files.contents(ids))

    jobs_of_project: Lazily[Of[tuple[PageRequest, JobFilter], Page[Job]]] = of(
        lambda records, ids, asked: records.jobs.pages_of_projects(ids, asked[0], status=asked[1][0], kind=asked[1][1])
    )
    project_job_counts: Lazily[Of[JobFilter, int]] = of(
        lambda records, ids, chosen: records.jobs.counts_of_projects(ids, status=chosen[0], kind=chosen[1])
    )
    jobs_of_chapter: Lazily[Of[PageRequest, Page[Job]]] = of(lambda records, ids, request: records.jobs.pages_of_chapters(ids, request))
    chapter_job_counts: Lazily[ById[int]] = by_key(lambda records, ids: records.jobs.counts_of_chapters(ids))
    job_steps: Lazily[ById[Sequence[JobStep]]] = by_key(lambda records, ids: records.jobs.steps(ids))
    job_texts: Lazily[ById[tuple[str, int]]] = by_key(lambda records, ids: records.jobs.texts(ids))
    job_usage: Lazily[ById[Usage]] = by_key(lambda records, ids: records.spending.of_jobs(ids))
    events_of_job: Lazily[Of[PageRequest, Page[RecordedEvent]]] = of(lambda records, ids, request: records.jobs.event_pages(ids, request))
    event_counts: Lazily[ById[int]] = by_key(lambda records, ids: records.jobs.event_counts(ids))
    receipts: Lazily[ById[PromptReceipt]] = by_key(lambda records, ids: records.jobs.receipts(ids))


async def count_of(counts: Loader[Key, int], key: Key) -> int:
    return await counts.load(key) or 0
