"""What happens to a job, in order: the log that subscribers follow.

Sequences are 1, 2, 3 ... per job without a gap; following from any of them gives exactly the rest. Offsets are Unicode code points
into the text shown so far. `Finished` is always the last event.

The log of a job that is long over is compacted: of each step its last event stays, of all else the last change of status and the end.
An event that stays stands for those before it that are gone, and gives what the step wrote as one TextReplaced, so that a follower who
has seen any of them goes on to the right text.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.jobs.job import JobFailure, JobStage, JobStatus, Waiting
from domain.spending import Usage


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """`failure` comes with FAILED, `waiting` with WAITING."""

    status: JobStatus
    failure: JobFailure | None = None
    waiting: Waiting | None = None


@dataclass(frozen=True, slots=True)
class Progressed:
    """`progress` is 0..1 and never falls."""

    stage: JobStage
    progress: float
    message: str


@dataclass(frozen=True, slots=True)
class TextAppended:
    step: str
    offset: int
    text: str


@dataclass(frozen=True, slots=True)
class TextReplaced:
    """Everything from `offset` on is replaced by `text`."""

    step: str
    offset: int
    text: str


@dataclass(frozen=True, slots=True)
class StepFinished:
    step: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class Finished:
    pass


Event = StatusChanged | Progressed | TextAppended | TextReplaced | StepFinished | Finished


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """`covers` positions of the log, the last of which is `sequence`: one, unless the log has been compacted."""

    job_id: UUID
    sequence: int
    at: datetime
    event: Event
    covers: int = 1

    @property
    def first_sequence(self) -> int:
        return self.sequence - self.covers + 1


def text_after(events: Iterable[Event]) -> str:
    """The text a follower of these events is showing."""
    parts: list[str] = []
    for event in events:
        match event:
            case TextAppended(text=text):
                parts.append(text)
            case TextReplaced(offset=offset, text=text):
                parts = ["".join(parts)[:offset], text]
            case _:
                pass
    return "".join(parts)
