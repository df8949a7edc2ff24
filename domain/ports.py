"""The outside world as the domain sees it: ports that `persistence` and the composition root fill.

A `Records` is one transaction on behalf of one user, who sees and changes nothing outside the projects they are a member of; leaving
its context commits, an exception rolls back. `get`-like methods answer None (or leave the id out) for what does not exist and for
what the user may not see alike. Methods that take many ids answer a mapping, in one statement.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from domain.access import Membership, Role, User
from domain.assessing.assessment import Assessment, ChapterQuality, Finding, FoundIssue
from domain.assessing.dismissals import Dismissed
from domain.chapters import Chapter, ChapterStatus, ChapterVersion, NewVersion
from domain.jobs.events import Event, RecordedEvent
from domain.jobs.job import Claim, Ending, Job, JobKind, JobStatus, JobStep
from domain.llm.model import Message
from domain.paging import Page, PageRequest
from domain.projects import Project, ProjectFilter, ProjectOrder, ProjectProgress
from domain.prompting.index.saved_text import NewText, StoredText
from domain.prompting.index.vectors import StoredVector
from domain.prompting.receipts import Prompt, PromptReceipt
from domain.reference_files import ReferenceFile, ReferenceKind
from domain.spending import Allowance, Budget, Usage, UsageReport

Changes = Mapping[str, Any]
"""Field names of the entity's dataclass to their new values; absent fields stay as they are."""


class Clock(Protocol):
    def __call__(self) -> datetime:
        """The current time, in UTC."""


class Ids(Protocol):
    def __call__(self) -> UUID:
        """A new UUIDv7."""


class Tokenizer(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def exact(self) -> bool: ...


class Tokens(Protocol):
    """Counting tokens as a model does."""

    def tokenizer(self, model: str) -> Tokenizer: ...
    def count(self, text: str, *, model: str) -> int: ...
    def count_messages(self, messages: Sequence[Message], *, model: str) -> int: ...
    def take(self, text: str, *, model: str, tokens: int) -> str: ...
    def shared(self, one: str, other: str, *, model: str) -> int: ...
    def take_last(self, text: str, *, model: str, tokens: int) -> str: ...


class Projects(Protocol):
    async def create(self, project: Project, *, owner: UUID) -> None: ...
    async def get_many(self, ids: Sequence[UUID]) -> Mapping[UUID, Project]: ...
    async def lock(self, project_id: UUID) -> Project | None:
        """The project, held against concurrent changes of its chapters' order and its budget until the transaction ends."""

    async def update(self, project_id: UUID, changes: Changes) -> None: ...
    async def delete(self, project_id: UUID) -> None: ...
    async def page(self, request: PageRequest, *, chosen: ProjectFilter, order: ProjectOrder) -> Page[Project]: ...
    async def count(self, *, chosen: ProjectFilter) -> int: ...
    async def roles(self, project_ids: Sequence[UUID]) -> Mapping[UUID, Role]:
        """The user's own role in each of these projects they are a member of."""

    async def members(self, project_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Membership]]:
        """Oldest first."""

    async def add_member(self, membership: Membership) -> None: ...
    async def change_role(self, project_id: UUID, user_id: UUID, role: Role) -> None: ...
    async def remove_member(self, project_id: UUID, user_id: UUID) -> None: ...
    async def progress(self, project_ids: Sequence[UUID]) -> Mapping[UUID, ProjectProgress]: ...
    async def budgets(self, project_ids: Sequence[UUID]) -> Mapping[UUID, Budget]: ...


class Users(Protocol):
    async def get_many(self, ids: Sequence[UUID]) -> Mapping[UUID, User]:
        """The user themselves and everyone they share a project with."""

    async def id_by_email(self, email: str) -> UUID | None:
        """Whoever has proved to own this address, compared without case."""


class Chapters(Protocol):
    async def create(self, chapter: Chapter) -> None:
        """Later chapters make room. The project must be locked."""

    async def get_many(self, ids: Sequence[UUID]) -> Mapping[UUID, Chapter]: ...
    async def of_project(self, project_id: UUID) -> Sequence[Chapter]:
        """All of them, in book order."""

    async def lock(self, chapter_id: UUID) -> Chapter | None:
        """The chapter, held against concurrent changes of its current version until the transaction ends, and its project with it."""

    async def update(self, chapter_id: UUID, changes: Changes) -> Chapter:
        """The chapter as it is then. Raises NotFound, also where the user may not change it."""

    async def move(self, chapter_id: UUID, position: int) -> None:
        """The chapters between make room. The project must be locked."""

    async def delete(self, chapter_id: UUID) -> None:
        """Later chapters close the gap. The project must be locked."""

    async def pages(
        self, project_ids: Sequence[UUID], request: PageRequest, *, status: Sequence[ChapterStatus] | None
    ) -> Mapping[UUID, Page[Chapter]]: ...
    async def counts(self, project_ids: Sequence[UUID], *, status: Sequence[ChapterStatus] | None) -> Mapping[UUID, int]: ...


class Versions(Protocol):
    async def add(self, version: NewVersion, *, make_current: bool) -> ChapterVersion:
        """Numbered after the chapter's last; the chapter is locked until the transaction ends."""

    async def make_current(self, version_id: UUID, *, at: datetime) -> None:
        """Its text is the chapter's from now on. The chapter must be locked."""

    async def get_many(self, ids: Sequence[UUID]) -> Mapping[UUID, ChapterVersion]: ...
    async def of_job(self, job_id: UUID) -> Sequence[ChapterVersion]:
        """Those this job has added, in order."""

    async def by_number(self, keys: Sequence[tuple[UUID, int]]) -> Mapping[tuple[UUID, int], ChapterVersion]: ...
    async def texts(self, ids: Sequence[UUID]) -> Mapping[UUID, str]: ...
    async def stored_texts(self, ids: Sequence[UUID]) -> Mapping[UUID, StoredText]:
        """The texts with their indexes, as prompts need them."""

    async def pages(self, chapter_ids: Sequence[UUID], request: PageRequest) -> Mapping[UUID, Page[ChapterVersion]]:
        """Newest first."""

    async def counts(self, chapter_ids: Sequence[UUID]) -> Mapping[UUID, int]: ...


class ReferenceFiles(Protocol):
    async def create(self, file: ReferenceFile, *, content: NewText) -> None: ...
    async def get_many(self, ids: Sequence[UUID]) -> Mapping[UUID, ReferenceFile]: ...
    async def of_project(self, project_id: UUID) -> Sequence[ReferenceFile]:
        """All of them, ordered by kind, name and id."""

    async def contents(self, ids: Sequence[UUID]) -> Mapping[UUID, str]: ...
    async def stored_texts(self, ids: Sequence[UUID]) -> Mapping[tuple[UUID, str], StoredText]:
        """The contents with their indexes, as prompts need them, each by its file's id and the sha256 that it has by now."""

    async def update(self, file_id: UUID, changes: Changes, *, content: NewText | None = None) -> None: ...
    async def delete(self, file_id: UUID) -> None: ...
    async def pages(
        self, project_ids: Sequence[UUID], request: PageRequest, *, kind: Sequence[ReferenceKind] | None
    ) -> Mapping[UUID, Page[ReferenceFile]]:
        """By name."""

    async def counts(self, project_ids: Sequence[UUID], *, kind: Sequence[ReferenceKind] | None) -> Mapping[UUID, int]: ...


class Jobs(Protocol):
    async def create(self, job: Job, *, reserve: Decimal) -> None:
        """Store a queued job with its first event, hold `reserve` USD of the project's budget, and have it delivered to a worker at commit.

        No other active job may write the chapter, or assess the same version: check `active_on` first, under the project's lock.
        """

    async def remember_key(self, key: str, *, request_hash: str, job_id: UUID, at: datetime) -> None: ...
    async def recall_key(self, key: str, *, since: datetime) -> tuple[UUID, str] | None:
        """The job this user started under `key` after `since`, and the hash of that request. Serialises users of one key."""

    async def active_on(self, chapter_id: UUID, *, version_id: UUID | None = None) -> Job | None:
        """The job that is writing the chapter; with `version_id`, the one that is assessing this version of it."""

    async def active_count(self) -> int:
        """How many unfinished jobs this user has started, in all projects."""

    async def request_cancel(self, job_id: UUID, *, at: datetime) -> None:
        """End a queued job at once, ask a running one's worker to stop; a finished one stays as it is."""

    async def change_cost_limit(self, job_id: UUID, cost_limit: Decimal | None) -> None:
        """From the job's next call on."""

    async def retry(self, job_id: UUID, *, reserve: Decimal, at: datetime) -> None:
        """Queue a failed or cancelled job again behind its recorded steps."""

    async def get_many(self, ids: Sequence[UUID]) -> Mapping[UUID, Job]: ...
    async def steps(self, job_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[JobStep]]: ...
    async def pages_of_projects(
        self, project_ids: Sequence[UUID], request: PageRequest, *, status: Sequence[JobStatus] | None, kind: Sequence[JobKind] | None
    ) -> Mapping[UUID, Page[Job]]:
        """Newest first."""

    async def counts_of_projects(
        self, project_ids: Sequence[UUID], *, status: Sequence[JobStatus] | None, kind: Sequence[JobKind] | None
    ) -> Mapping[UUID, int]: ...
    async def pages_of_chapters(self, chapter_ids: Sequence[UUID], request: PageRequest) -> Mapping[UUID, Page[Job]]: ...
    async def counts_of_chapters(self, chapter_ids: Sequence[UUID]) -> Mapping[UUID, int]: ...
    async def page_of_user(self, request: PageRequest, *, status: Sequence[JobStatus] | None) -> Page[Job]:
        """Jobs in any project the user may see that they started themselves."""

    async def count_of_user(self, *, status: Sequence[JobStatus] | None) -> int: ...
    async def events_after(self, job_id: UUID, *, sequence: int, limit: int) -> Sequence[RecordedEvent]: ...
    async def event_pages(self, job_ids: Sequence[UUID], request: PageRequest) -> Mapping[UUID, Page[RecordedEvent]]: ...
    async def event_counts(self, job_ids: Sequence[UUID]) -> Mapping[UUID, int]: ...
    async def texts(self, job_ids: Sequence[UUID]) -> Mapping[UUID, tuple[str, int]]:
        """What each job has written so far, whole, and the sequence of the last event, both of the same moment."""

    async def last_messages(self, chapter_id: UUID) -> Sequence[Message]:
        """The prompt most recently built by a job for a draft of this chapter; empty if there is none."""

    async def add_prompt(
        self, prompt: Prompt, *, receipt_id: UUID, job_id: UUID, chapter_id: UUID, at: datetime, step: str = "draft"
    ) -> None: ...
    async def prompt_of(self, job_id: UUID, *, step: str = "draft") -> tuple[UUID, Prompt] | None:
        """The prompt this job has built for a step, with its receipt's id."""

    async def complete_step(self, claim: Claim, step: str, *, started_at: datetime, at: datetime, events: Sequence[Event]) -> None:
        """Record a step that called no model, with its events. Raises LeaseLost."""

    async def finish(self, claim: Claim, ending: Ending) -> None:
        """As JobDesk.finish, in this transaction: a job's result and its end commit together."""

    async def receipts(self, ids: Sequence[UUID]) -> Mapping[UUID, PromptReceipt]: ...


class Spending(Protocol):
    async def report_of_projects(
        self, project_ids: Sequence[UUID], *, since: datetime | None, until: datetime | None
    ) -> Mapping[UUID, UsageReport]: ...
    async def report_of_user(self, *, since: datetime | None, until: datetime | None) -> UsageReport: ...
    async def of_jobs(self, job_ids: Sequence[UUID]) -> Mapping[UUID, Usage]: ...
    async def allowances(self, project_id: UUID, *, monthly_limit: Decimal | None) -> Sequence[Allowance]:
        """What the project's budget and the user's month leave; nobody else holds money of either until the transaction ends."""

    async def month(self, *, limit: Decimal | None) -> Budget:
        """What the user has spent this month (UTC), and what is held for their jobs."""


class Vectors(Protocol):
    """What has been embedded of a project's texts, as `domain.prompting.semantics` packs it."""

    async def newest(self, project_id: UUID, *, model: str, after: int, limit: int) -> Sequence[StoredVector]:
        """Of those that have come behind number `after`, the last so many, the newest last."""

    async def by_key(self, project_id: UUID, keys: Sequence[bytes], *, model: str) -> Mapping[bytes, bytes]: ...


class Assessments(Protocol):
    """Where several could be meant, the latest is that which a judge made last; where no judge made any, the one measured last."""

    async def add(self, new: Assessment, issues: Sequence[tuple[UUID, FoundIssue]]) -> None:
        """With its findings under these ids, in this order."""

    async def get_many(self, ids: Sequence[UUID]) -> Mapping[UUID, Assessment]: ...
    async def of_versions(self, version_ids: Sequence[UUID]) -> Mapping[UUID, Assessment]:
        """The latest of each."""

    async def of_job(self, job_id: UUID) -> Sequence[Assessment]:
        """Those this job has made, in order."""

    async def quality(self, project_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[ChapterQuality]]:
        """Of each chapter that has a text, in book order: a judge's first, and of those the current version's, then the latest."""

    async def accepted(self, project_id: UUID, *, besides: UUID) -> Sequence[Mapping[str, float]]:
        """The values of the metrics of final chapters, by name; the chapter `besides` is left out."""

    async def findings(self, assessment_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Finding]]: ...
    async def get_findings(self, ids: Sequence[UUID]) -> Mapping[UUID, Finding]: ...
    async def dismissed(self, chapter_id: UUID) -> Sequence[Dismissed]: ...
    async def dismiss(self, finding_id: UUID, *, reason: str, at: datetime) -> None:
        """Where it was dismissed before, for this reason now."""


class Records(Protocol):
    @property
    def user_id(self) -> UUID: ...
    @property
    def users(self) -> Users: ...
    @property
    def projects(self) -> Projects: ...
    @property
    def chapters(self) -> Chapters: ...
    @property
    def versions(self) -> Versions: ...
    @property
    def reference_files(self) -> ReferenceFiles: ...
    @property
    def jobs(self) -> Jobs: ...
    @property
    def spending(self) -> Spending: ...
    @property
    def assessments(self) -> Assessments: ...
    @property
    def vectors(self) -> Vectors: ...


class Library(Protocol):
    """Opens transactions."""

    def reading(self, user_id: UUID) -> AbstractAsyncContextManager[Records]:
        """A short read-only transaction."""

    def writing(self, user_id: UUID) -> AbstractAsyncContextManager[Records]:
        """A transaction that is committed when its context ends well."""

    async def user_seen(self, *, issuer: str, subject: str, name: str, email: str | None, new_id: UUID, at: datetime) -> User:
        """The user behind a valid token, added on first sight, profile kept fresh. `email` is passed only when the issuer verified it."""
