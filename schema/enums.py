"""The enumerations, each value with its meaning. Types of the schema import them from here, so that none is served unexplained."""

from enum import EnumMeta, StrEnum
from typing import TypeVar

import strawberry

from domain.access import Role
from domain.assessing.assessment import FindingCategory, FindingSeverity
from domain.chapters import ChapterStatus, VersionOrigin
from domain.jobs.job import JobPriority, JobStage, JobStatus
from domain.projects import Genre, PointOfView, ProjectOrderField, Tense
from domain.prompting.receipts import Decision, Reason
from domain.reference_files import InclusionPolicy, ReferenceKind
from domain.writing.comparison import DiffOperation

__all__ = [
    "ChapterStatus",
    "Decision",
    "DiffOperation",
    "FindingCategory",
    "FindingSeverity",
    "Genre",
    "InclusionPolicy",
    "JobKind",
    "JobPriority",
    "JobStage",
    "JobStatus",
    "OrderDirection",
    "PointOfView",
    "ProjectOrderField",
    "Reason",
    "ReferenceKind",
    "Role",
    "Tense",
    "UserErrorCode",
    "VersionOrigin",
]

Enumeration = TypeVar("Enumeration", bound=EnumMeta)


def _publish(values: Enumeration, description: str, *, name: str | None = None, **meanings: str) -> Enumeration:
    """Raises KeyError for a value without a meaning: a domain enumeration cannot grow here unexplained."""
    published = strawberry.enum(values, name=name, description=description)
    for value in published.__strawberry_definition__.values:  # type: ignore[attr-defined]
        value.description = meanings[value.name]
    return published


class JobKind(StrEnum):
    """All kinds that clients prepare for; the domain grows into them."""

    OUTLINE = "OUTLINE"
    CHAPTER = "CHAPTER"
    REVISION = "REVISION"
    ASSESSMENT = "ASSESSMENT"
    BOOK = "BOOK"
    EXPORT = "EXPORT"
    IMPORT = "IMPORT"


class OrderDirection(StrEnum):
    ASC = "ASC"
    DESC = "DESC"


class UserErrorCode(StrEnum):
    INVALID = "INVALID"
    NOT_FOUND = "NOT_FOUND"
    FORBIDDEN = "FORBIDDEN"
    CONFLICT = "CONFLICT"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    BUDGET_EXCEEDED = "BUDGET_EXCEEDED"
    CONSENT_REQUIRED = "CONSENT_REQUIRED"
    PROMPT_TOO_SMALL = "PROMPT_TOO_SMALL"
    LIMIT_REACHED = "LIMIT_REACHED"


_publish(
    Role,
    "A member's role in a project. Each may do everything the roles after it may.",
    name="ProjectRole",
    OWNER="May also manage members, set the budget and delete the project. A project always has at least one.",
    EDITOR="May change the project, its chapters and reference files, and start, cancel and retry jobs.",
    COMMENTER="May read everything and comment.",
    VIEWER="May read everything.",
)
_publish(
    Genre,
    "The genre of a book. It decides which kinds of reference files matter most to a prompt: see `genres`.",
    FANTASY="Fantasy.",
    SCIENCE_FICTION="Science fiction.",
    MYSTERY="Mystery and crime.",
    THRILLER="Thriller and suspense.",
    ROMANCE="Romance.",
    HORROR="Horror.",
    HISTORICAL="Historical fiction.",
    LITERARY="Literary fiction.",
    YOUNG_ADULT="Fiction for readers of 12 to 18.",
    CHILDREN="Books for children under 12.",
    MEMOIR="Memoir and autobiography.",
    NON_FICTION="Any other non-fiction.",
    OTHER="None of the others.",
)
_publish(
    PointOfView,
    "Who tells the story.",
    FIRST="A character, as I.",
    SECOND="A narrator who addresses the reader as you.",
    THIRD_LIMITED="A narrator who knows only what one character at a time knows.",
    THIRD_OMNISCIENT="A narrator who knows everything.",
)
_publish(Tense, "The tense the story is told in.", PAST="Past tense.", PRESENT="Present tense.")
_publish(
    ChapterStatus,
    "How far a chapter is. Authors may set it at will; saving the first text makes a planned chapter drafted.",
    PLANNED="There is a title and perhaps a brief, but no text.",
    DRAFTING="A text is being written.",
    DRAFTED="There is a text.",
    REVISED="The text has been revised.",
    FINAL="The author is done with it.",
)
_publish(
    VersionOrigin,
    "Where a version of a chapter came from.",
    AUTHOR="A person wrote or edited it.",
    DRAFT="A model drafted it from the chapter's brief.",
    REVISION="A model revised an earlier version.",
    RESTORED="An earlier version, made current again.",
    IMPORTED="It came with an imported file.",
    PARTIAL="What a model had written when its job was cancelled or failed.",
)
_publish(
    DiffOperation,
    "What became of a stretch of text.",
    EQUAL="It is in both versions.",
    INSERT="It is new.",
    DELETE="It is gone.",
)
_publish(
    ReferenceKind,
    "What a reference file is about.",
    CHARACTER="A person of the book.",
    WORLD="A place, a thing, a rule of the book's world.",
    STYLE="How the book is written: samples, dos and don'ts.",
    OUTLINE="What happens in the book, beyond the chapters' briefs.",
    RESEARCH="Facts from outside the book.",
    OTHER="Anything else.",
)
_publish(
    InclusionPolicy,
    "When a reference file goes into the prompt of a chapter.",
    ALWAYS="In every prompt, before anything that is only relevant.",
    WHEN_RELEVANT="When the chapter mentions it or is about it, and there is room.",
    NEVER="Never, unless a request includes it by id.",
)
_publish(
    Decision,
    "What became of a candidate for a prompt.",
    name="PromptDecision",
    FULL="It is in the prompt whole.",
    REDUCED="A part of it is in the prompt.",
    LEFT_OUT="It is not in the prompt.",
)
_publish(
    Reason,
    "Why a candidate is in the prompt, or is not.",
    name="PromptReason",
    MANDATORY="In: no prompt goes without it.",
    ALWAYS="In: its inclusion policy is ALWAYS.",
    PINNED="In: the request includes it by id.",
    MENTIONED="In: its name or an alias occurs in what the chapter is about.",
    RELATED="In: something mentioned refers to it.",
    RELEVANT="In: its words are those of the brief.",
    RECENT="In: it is close before this chapter.",
    NO_ROOM="Out: the token budget was used up by better candidates.",
    DUPLICATE="Out: what it says is in the prompt already.",
    NOT_RELEVANT="Out: nothing connects it to this chapter.",
    HIDDEN_BY_STORY_TIME="Out: it is not to be known at this point of the story.",
    NEVER="Out: its inclusion policy is NEVER.",
    EXCLUDED="Out: the request excludes it by id.",
    EMPTY="Out: there is nothing in it.",
)
_publish(
    FindingSeverity,
    "How much a finding matters.",
    BLOCKING="The text cannot stay like this: it contradicts the book, or misses what must happen in it.",
    MAJOR="Readers will notice.",
    MINOR="It could be better.",
    NOTE="For the author to know; nothing has to be done.",
)
_publish(
    FindingCategory,
    "What a finding is about.",
    CONTINUITY="The text contradicts what is known of the book, or itself.",
    PLOT="What happens, and whether it follows from what came before.",
    CHARACTER="Who somebody is, and whether they act and speak like it.",
    PACING="How fast the story goes, and what it dwells on.",
    PROSE="How sentences are made: repetition, set phrases, rhythm.",
    DIALOGUE="How people speak, and how their speech is told.",
    STYLE="The author's standing instructions, point of view and tense.",
    BRIEF="What the chapter's brief asks for.",
)
_publish(
    JobKind,
    "What a job makes.",
    OUTLINE="The chapters of a book, with their briefs.",
    CHAPTER="The text of a chapter.",
    REVISION="A better version of a chapter: what was found in one is seen to, all else stays as it is.",
    ASSESSMENT="An assessment of a version: what is measured of its text, and what a judge says of it.",
    BOOK="The text of several chapters, in order.",
    EXPORT="A file of the book.",
    IMPORT="Reference files from an uploaded file.",
)
_publish(
    JobStatus,
    "The state of a job, or of one of its steps.",
    QUEUED="It waits for a worker.",
    RUNNING="A worker is at it.",
    WAITING="It has reached a limit on spending, and goes on by itself when that is raised; `waiting` says which.",
    CANCELLING="Its worker has been asked to stop.",
    SUCCEEDED="Done; final.",
    FAILED="It could not be done; final unless it is retried.",
    CANCELLED="Stopped on request; final unless it is retried.",
)
_publish(
    JobPriority,
    "Which jobs go first. Among equals, users take turns.",
    INTERACTIVE="Somebody waits for it.",
    BULK="It has time: it runs when nobody waits, and steps aside between two steps for whoever does.",
)
_publish(
    JobStage,
    "What a job is doing.",
    QUEUED="It has not begun.",
    CONTEXT="Choosing what goes into the prompt.",
    PLANNING="Planning what to write.",
    DRAFTING="Writing the text.",
    CHECKING="Checking the text against what is known of the book.",
    ASSESSING="Judging the text.",
    REVISING="Improving the text.",
    SETTLING="Storing the result and settling its cost.",
    RENDERING="Making a file.",
    DONE="There is nothing left to do.",
)
_publish(
    ProjectOrderField,
    "What a list of projects is ordered by.",
    UPDATED_AT="When it was last changed.",
    CREATED_AT="When it was created.",
    TITLE="Its title.",
)
_publish(OrderDirection, "Which end of an order comes first.", ASC="The smallest, or earliest.", DESC="The largest, or latest.")
_publish(
    UserErrorCode,
    "What kind of refusal this is, for programs.",
    INVALID="A value cannot be accepted; change it.",
    NOT_FOUND="There is no such thing, or the viewer may not see it.",
    FORBIDDEN="The viewer's role is too low.",
    CONFLICT="Something else was first: a newer version or an active job.",
    IDEMPOTENCY_MISMATCH="The idempotency key belongs to a different request.",
    BUDGET_EXCEEDED="It could cost more than a limit allows.",
    CONSENT_REQUIRED="The project's owner has to consent first: see the project's settings.",
    PROMPT_TOO_SMALL="What must be in the prompt does not fit its token budget.",
    LIMIT_REACHED="It is more than the system accepts.",
)
