"""Refusals: everything a caller did that is answered with an explanation and changes nothing.

    Refusal
    ├── InvalidInput            a value that cannot be accepted; says which and why
    ├── NotFound                no such thing, or not for this viewer: the two are told the same way
    ├── Forbidden               the viewer may see it but needs a higher role
    ├── VersionConflict         the text was saved by somebody else since the edit began
    ├── JobConflict             the chapter is being written, or the version assessed, already
    ├── IdempotencyConflict     the key was used for another request
    ├── BudgetExceeded          the estimate does not fit what may still be spent
    ├── UnpricedModel           nobody knows what the model costs, and the project has not consented to that
    ├── PromptTooSmall          the mandatory part of the prompt alone exceeds its token budget
    └── LimitExceeded           more than the system accepts of something

A `path` names the offending input from the root of the mutation's arguments, such as ("input", "title").
Messages are written for the person in front of the application and never repeat what they typed.
"""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from domain.access import Role


class Refusal(Exception):  # noqa: N818  - a refusal is an answer, not a malfunction
    """The request cannot be granted as it stands."""

    message: str
    path: tuple[str, ...]

    def __str__(self) -> str:
        return self.message


@dataclass(eq=False)
class InvalidInput(Refusal):
    message: str
    path: tuple[str, ...]


@dataclass(eq=False)
class NotFound(Refusal):
    """`id` is what the caller sent when it could not be read as an id at all, else the entity's id."""

    id: UUID | str
    path: tuple[str, ...] = ("input", "id")
    message: str = "There is nothing with this id that you may see."


@dataclass(eq=False)
class Forbidden(Refusal):
    required_role: Role
    path: tuple[str, ...] = ("input",)
    message: str = "Your role in this project does not allow this."


@dataclass(eq=False)
class VersionConflict(Refusal):
    current_version_id: UUID
    path: tuple[str, ...] = ("input", "baseVersionId")
    message: str = (
        "The chapter has been changed since you began editing. Your text was not saved: compare it with the current version and save again."
    )


@dataclass(eq=False)
class JobConflict(Refusal):
    job_id: UUID
    path: tuple[str, ...] = ("input", "chapterId")
    message: str = "This chapter is being written already."


@dataclass(eq=False)
class IdempotencyConflict(Refusal):
    job_id: UUID
    path: tuple[str, ...] = ("input", "idempotencyKey")
    message: str = "This idempotency key was used for a different request in the last 24 hours."


@dataclass(eq=False)
class BudgetExceeded(Refusal):
    """`limit` and `required` are USD; `limit_name` is the input or setting that holds the limit."""

    limit: Decimal
    required: Decimal
    limit_name: str
    path: tuple[str, ...] = ("input",)
    message: str = "This could cost more than the limit allows."


@dataclass(eq=False)
class UnpricedModel(Refusal):
    model: str
    path: tuple[str, ...] = ("input",)
    message: str = (
        "The price of this model is not known, so no limit can hold what it spends. "
        "The project's owner can consent to that: allowUnpricedModels in the project's settings."
    )


@dataclass(frozen=True, slots=True)
class RequiredPart:
    """Something that must be in a prompt, and how many tokens it takes."""

    label: str
    tokens: int


@dataclass(eq=False)
class PromptTooSmall(Refusal):
    """`parts`: what must be in the prompt, the largest first; headings and fences come on top."""

    token_budget: int
    tokens_required: int
    parts: tuple[RequiredPart, ...] = ()
    path: tuple[str, ...] = ("input", "tokenBudget")
    message: str = "What must be in the prompt does not fit its token budget. Raise the budget, or shorten the brief, the style notes or what is always included."


@dataclass(eq=False)
class LimitExceeded(Refusal):
    limit_name: str
    limit: int
    path: tuple[str, ...] = ("input",)
    message: str = "This is more than can be accepted."
