"""A job's log as the API shows it."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import strawberry
from strawberry import ID, Parent

from domain.jobs import events
from domain.jobs.events import RecordedEvent
from domain.jobs.job import Job as JobValue
from schema import ids
from schema.enums import JobStage, JobStatus
from schema.fields import attribute, field, loaded
from schema.paging import write_sequence
from schema.spending import Usage

if TYPE_CHECKING:
    from schema.jobs import Job


@strawberry.type(description="Why a job failed.")
class JobFailure:
    code: str = attribute("What went wrong, for programs, such as `MODEL_UNAVAILABLE`.")
    message: str = attribute("What went wrong and what can be done, for people.")
    retryable: bool = attribute("Whether trying again may help.")


@strawberry.type(description="Why a job waits: it has reached a limit on spending, and goes on by itself when that allows it again.")
class JobWait:
    limit_name: str = attribute("Which limit: `costLimit` (the job's), `budgetLimit` (the project's) or `monthlyLimit` (its starter's).")
    limit: Decimal = attribute("The limit as it was.")
    required: Decimal | None = attribute("What the limit would have to be for the job to go on. Null for `monthlyLimit`.")
    message: str = attribute("What it waits for and what can be done, for people.")


def of_event(gives: object, name: str, description: str) -> Any:
    """A field that is an attribute of the event itself, not of its record."""

    def read(parent: Parent[RecordedEvent]) -> Any:
        return getattr(parent.event, name)

    return field(gives, description)(read)


@strawberry.interface(
    description="An entry in a job's log. Entries are numbered 1, 2, 3 … without a gap, across retries too. "
    "Some days after a job has ended (7, unless the server is set otherwise) its log is compacted: one entry for each step remains, "
    "then the last change of status and the end. An entry then stands for several numbers, from `firstSequence` to `sequence`. "
    "The text stays the same, and a cursor from before still leads to it."
)
class JobEvent:
    records: ClassVar[type[events.Event]]

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        return isinstance(value, RecordedEvent) and isinstance(value.event, cls.records)

    sequence: int = attribute("Its number; the last of them if it stands for several.")
    first_sequence: int = attribute(
        "The first number it stands for: its own `sequence` in a live log, a lower one in a log that has been compacted. "
        "It is always one more than the `sequence` of the entry before it, and 1 for the first entry of a log; so the first entry behind "
        "a cursor from before the log was compacted may begin at or before that cursor."
    )
    at: datetime = attribute("When it happened.")

    @field(str, "Its place in the log: pass it as `after` to go on behind it.")
    @staticmethod
    def cursor(parent: Parent[RecordedEvent]) -> str:
        return write_sequence(parent.sequence)

    @field(ID, "The job it happened to.")
    @staticmethod
    def job_id(parent: Parent[RecordedEvent]) -> ID:
        return ids.encode(JobValue, parent.job_id)


@strawberry.type(description="The job's state changed.")
class JobStatusChanged(JobEvent):
    records = events.StatusChanged

    status: JobStatus = of_event(JobStatus, "status", "Its state from now on.")
    failure: JobFailure | None = of_event(JobFailure | None, "failure", "Why it failed; null unless it has.")
    waiting: JobWait | None = of_event(JobWait | None, "waiting", "Why it waits; null unless it does.")


@strawberry.type(description="The job has got further.")
class JobProgressed(JobEvent):
    records = events.Progressed

    stage: JobStage = of_event(JobStage, "stage", "What it is doing.")
    progress: float = of_event(float, "progress", "How far it is, 0 to 1; it never falls.")
    message: str = of_event(str, "message", "What it is doing, for people.")


@strawberry.type(description="Text to append to what has been shown so far.")
class TextAppended(JobEvent):
    records = events.TextAppended

    step: str = of_event(str, "step", "The step that wrote it.")
    offset: int = of_event(int, "offset", "Where it goes, in Unicode code points: the length of what has been shown so far.")
    text: str = of_event(str, "text", "The text.")


@strawberry.type(
    description="What has been shown so far is replaced from `offset` on: a call was begun anew, or the text revised. "
    "In a log that has been compacted: all that the step wrote."
)
class TextReplaced(JobEvent):
    records = events.TextReplaced

    step: str = of_event(str, "step", "The step that wrote it.")
    offset: int = of_event(int, "offset", "How much of what has been shown stays, in Unicode code points.")
    text: str = of_event(str, "text", "The text that follows there; may be empty.")


@strawberry.type(
    description="A step is recorded and will not be done again. In a log that has been compacted, only steps that wrote no text have one."
)
class StepFinished(JobEvent):
    records = events.StepFinished

    step: str = of_event(str, "step", "The step's name.")
    usage: Usage = of_event(Usage, "usage", "What it used.")


@strawberry.type(description="The job has ended: its last event, and the end of the stream, unless it is retried later.")
class JobFinished(JobEvent):
    records = events.Finished

    job = loaded(Annotated["Job", strawberry.lazy("schema.jobs")], "The job as it is now.", lambda loaders: loaders.jobs, by="job_id")
