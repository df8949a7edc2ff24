"""Jobs as the API shows them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import strawberry
from strawberry import ID, UNSET, Parent

from domain.access import User as UserValue
from domain.assessing.assessment import Assessment as AssessmentValue
from domain.chapters import ChapterVersion as VersionValue
from domain.jobs import job as domain
from domain.jobs.events import RecordedEvent
from domain.spending import Usage as UsageValue
from resolvers import jobs, people
from resolvers.listing import Listing
from schema.assessments import Assessment
from schema.chapters import Chapter, ChapterVersion
from schema.enums import JobKind, JobPriority, JobStage, JobStatus
from schema.fields import Info, Parents, attribute, batched, defaulted, field, loaded, optional, required
from schema.job_events import JobEvent, JobFailure, JobWait
from schema.node import Node
from schema.paging import After, Connection, First, page_request, write_sequence
from schema.people import User
from schema.projects import Project
from schema.reference_files import WHOLE_TEXT
from schema.spending import CostEstimate, Usage

JobResult = Annotated[
    ChapterVersion | Assessment,
    strawberry.union("JobResult", description="What a job made. More kinds of jobs make more kinds of things."),
]

_PRIORITY = "BULK for jobs that nobody waits for."
_COST_LIMIT = "What the job may cost at most: 0 to 999,999 USD. A higher estimate is refused."
_IDEMPOTENCY_KEY = (
    "1 to 200 printable characters. Within 24 hours the same key with the same input answers the same job instead of starting another."
)


@strawberry.type(description="A step of a job. A step that is recorded is never done, or paid, again.")
class JobStep:
    name: str = attribute("What it is called within its job, such as `context` or `draft/1`.")
    status: JobStatus = attribute("Where it is.")
    model: str | None = attribute("The model it called; null if it called none.")
    usage: Usage = attribute("What it used.")
    started_at: datetime | None = attribute("When it began.")
    finished_at: datetime | None = attribute("When it ended; null while it has not.")
    uncertain: bool = attribute("Whether a call was under way when its worker died: it may have been billed without bringing a result.")


@strawberry.type(description="A piece of work that takes a while, such as writing a chapter. Follow it with `jobEvents`.")
class Job(Node):
    shows = domain.Job

    kind: JobKind = attribute("What it makes.")
    status: JobStatus = attribute("Its state.")
    stage: JobStage = attribute("What it is doing.")
    progress: float = attribute("How far it is, 0 to 1; it never falls.")
    attempt: int = attribute("How often a worker has taken it up: 0 before the first.")
    rehearsal: bool = attribute("Whether the built-in stand-in writes, or judges, at no cost, instead of a language model.")
    priority: JobPriority = attribute("Whether somebody waits for it.")
    failure: JobFailure | None = attribute("Why it failed; null unless it has.")
    waiting: JobWait | None = attribute("Why it waits; null unless it does.")
    remark: str | None = attribute(
        "What is to be known of its result, for people: why a revision was kept beside the current version, or a draft not assessed. Null if nothing is."
    )
    cost_limit: Decimal | None = attribute(
        "What it may cost at most; null for no limit but those of its project and its starter. `changeJobCostLimit` changes it."
    )
    estimate: CostEstimate = attribute(
        "What it was expected to cost when it was started: a CHAPTER job's draft alone, since what follows is left out where limits do not cover it."
    )
    created_at: datetime = attribute("When it was started.")
    started_at: datetime | None = attribute("When a worker first took it up.")
    finished_at: datetime | None = attribute("When it ended; null while it has not.")

    project = loaded(Project, "The project it works for.", lambda loaders: loaders.projects, by="project_id")

    chapter = loaded(
        Chapter | None,
        "The chapter it is about; null if it is about none, or the chapter has been deleted.",
        lambda loaders: loaders.chapters,
        by="chapter_id",
    )

    @field(User, "Who started it.")
    @staticmethod
    async def started_by(parent: Parent[domain.Job], info: Info) -> UserValue:
        return await people.person(info.context, parent.started_by)

    @field(str, "What it has written so far, whole; empty for a job that writes nothing.", weight=WHOLE_TEXT)
    @staticmethod
    async def text(parent: Parent[domain.Job], info: Info) -> str:
        text, _ = await jobs.text_of(info.context, parent)
        return text

    @field(
        str | None,
        "The last event that `text` contains. Read both in one request, then subscribe behind it: nothing is missed, nothing comes twice.",
        # It is read together with the text, whether or not that is asked for.
        weight=WHOLE_TEXT,
    )
    @staticmethod
    async def last_event_cursor(parent: Parent[domain.Job], info: Info) -> str | None:
        _, sequence = await jobs.text_of(info.context, parent)
        return write_sequence(sequence) if sequence else None

    steps = loaded(list[JobStep], "Its steps so far, in order.", lambda loaders: loaders.job_steps, otherwise=(), most=50)

    @batched(Connection[JobEvent], "Its log so far, in order. The cursors are those of `jobEvents`.")
    @staticmethod
    async def events(parents: Parents[domain.Job], info: Info, after: After = UNSET, first: First = UNSET) -> list[Listing[RecordedEvent]]:
        return await jobs.events_of(info.context, parents, page_request(first=first, after=after))

    @field(
        JobResult | None,
        "What it made: an assessment for a job of kind ASSESSMENT, a version for those that write, whether or not that became the current one. "
        "Null while it has made nothing, or if that has been deleted.",
    )
    @staticmethod
    async def result(parent: Parent[domain.Job], info: Info) -> VersionValue | AssessmentValue | None:
        return await jobs.result_of(info.context, parent)

    usage = loaded(Usage, "What its calls have used so far.", lambda loaders: loaders.job_usage, otherwise=UsageValue())


@strawberry.input(description="Which chapter to have written, and how. For editors. The highest estimate is held of the project's budget.")
class StartChapterGenerationInput:
    chapter_id: ID = required("The chapter. It can be written, or revised, by one job at a time.")
    instructions: str | None = defaulted("", "What else to tell the model, this time only: at most 10,000 characters.")
    include: list[ID] | None = defaulted([], "Reference files and chapters that must be in the prompt: at most 100, of the same project.")
    exclude: list[ID] | None = defaulted([], "Reference files and chapters that must not be in it: at most 100, of the same project.")
    model: str | None = optional("A model of `models`, or any other the server's endpoint knows; the project's without it.")
    token_budget: int | None = optional("How many tokens the prompt may have: 500 to 1,000,000; the project's without it.")
    priority: JobPriority | None = defaulted(JobPriority.INTERACTIVE, _PRIORITY)
    cost_limit: Decimal | None = optional(_COST_LIMIT)
    idempotency_key: str | None = optional(_IDEMPOTENCY_KEY)


@strawberry.input(description="What to revise in a version, and how. For editors. The highest estimate is held of the project's budget.")
class StartChapterRevisionInput:
    version_id: ID = required(
        "The version, of a chapter that no other job is writing. The result is measured, and compared with it by the assessor's model; it takes "
        "its place as the chapter's current version if nothing has got worse. Otherwise, and if this is not the current version, it is kept beside."
    )
    finding_ids: list[ID] | None = defaulted(
        [], "Findings to see to: at most 100, of assessments of this very version, none of them dismissed. Needed without `instructions`."
    )
    instructions: str | None = defaulted("", "What else to change: at most 10,000 characters. Needed without findings.")
    priority: JobPriority | None = defaulted(JobPriority.INTERACTIVE, _PRIORITY)
    cost_limit: Decimal | None = optional(_COST_LIMIT)
    idempotency_key: str | None = optional(_IDEMPOTENCY_KEY)


@strawberry.input(description="Which version to assess. For editors. The highest estimate is held of the project's budget.")
class StartAssessmentInput:
    version_id: ID = required("The version. It can be assessed by one job at a time, also while its chapter is being written.")
    metrics_only: bool | None = defaulted(False, "Only measure the text again, which is free, instead of having a judge read it, too.")
    priority: JobPriority | None = defaulted(JobPriority.INTERACTIVE, _PRIORITY)
    cost_limit: Decimal | None = optional(_COST_LIMIT)
    idempotency_key: str | None = optional(_IDEMPOTENCY_KEY)


@strawberry.input(description="What a job may cost from now on. For editors.")
class ChangeJobCostLimitInput:
    job_id: ID = required("The job; it must not have ended.")
    cost_limit: Decimal | None = optional("0 to 999,999 USD for all of the job, what it has cost already included; null for no limit.")


@strawberry.input(description="Which job. For editors.")
class JobInput:
    job_id: ID = required("The job.")
