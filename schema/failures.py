"""Refusals as the API shows them: data in a mutation's payload, an error of the request everywhere else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import wraps
from inspect import iscoroutinefunction
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Generic, TypeVar

import strawberry
from strawberry import ID, Parent
from strawberry.utils.str_converters import to_camel_case

from domain import errors
from domain.errors import Refusal
from schema.chapters import ChapterVersion
from schema.edge.cost.directives import weighing
from schema.edge.errors import ErrorCode, RequestError
from schema.enums import Role, UserErrorCode
from schema.fields import Info, argument, attribute, field, loaded
from schema.jobs import Job

Result = TypeVar("Result")
Sent = TypeVar("Sent")

Input = Annotated[Sent, argument("What to do, and to what.", name="input")]

_CODES: Final[Mapping[type[Refusal], UserErrorCode]] = MappingProxyType(
    {
        errors.InvalidInput: UserErrorCode.INVALID,
        errors.NotFound: UserErrorCode.NOT_FOUND,
        errors.Forbidden: UserErrorCode.FORBIDDEN,
        errors.VersionConflict: UserErrorCode.CONFLICT,
        errors.JobConflict: UserErrorCode.CONFLICT,
        errors.IdempotencyConflict: UserErrorCode.IDEMPOTENCY_MISMATCH,
        errors.BudgetExceeded: UserErrorCode.BUDGET_EXCEEDED,
        errors.UnpricedModel: UserErrorCode.CONSENT_REQUIRED,
        errors.PromptTooSmall: UserErrorCode.PROMPT_TOO_SMALL,
        errors.LimitExceeded: UserErrorCode.LIMIT_REACHED,
    }
)


@dataclass(frozen=True, slots=True)
class Told:
    """A refusal as a value with the refusal's attributes: graphql-core raises the exceptions that it finds among values."""

    refusal: Refusal

    def __getattr__(self, name: str) -> Any:
        return getattr(self.refusal, name)


@dataclass(frozen=True, slots=True)
class Answer(Generic[Result]):
    """The value behind every payload: what a mutation changed, or why it changed nothing."""

    result: Result | None = None
    errors: Sequence[Told] = ()


MUTATION_WEIGHT = 10
SAVING_WEIGHT = 50
JOB_WEIGHT = 100


def mutation(payload: Any, description: str, *, weight: int = MUTATION_WEIGHT) -> Callable[[Callable[..., Any]], Any]:
    """A mutation field of type `payload`. The one place where a refusal becomes data.

    `weight` is what each execution costs in points: SAVING_WEIGHT where a text is counted, indexed and measured on the way, JOB_WEIGHT
    where a worker's time and model calls follow.
    """

    def declare(resolver: Any) -> Any:
        function = resolver.__func__ if isinstance(resolver, staticmethod) else resolver
        assert iscoroutinefunction(function)

        @wraps(function)
        async def answer(info: Info, sent: Any) -> Answer[Any]:
            try:
                return Answer(await function(info, sent))
            except errors.NotFound as refusal:
                return Answer(errors=(Told(_as_sent(refusal, sent)),))
            except Refusal as refusal:
                return Answer(errors=(Told(refusal),))

        return strawberry.mutation(resolver=answer, graphql_type=payload | None, description=description, directives=[weighing(weight)])

    return declare


PARTS_NAMED = 3


def explain(error: BaseException) -> RequestError | None:
    """A refusal outside a mutation, as the error of a request; None for anything else."""
    match error:
        case errors.PromptTooSmall(token_budget=budget, tokens_required=required, parts=parts):
            most = "; ".join(f"{part.label}: {part.tokens:,}" for part in parts[:PARTS_NAMED])
            return RequestError(
                ErrorCode.BAD_USER_INPUT, f"{error} It takes {required:,} tokens; the budget is {budget:,}. Most of it is {most}."
            )
        case Refusal(path=path):
            return RequestError(ErrorCode.BAD_USER_INPUT, f"{'.'.join(path)}: {error}")
        case _:
            return None


def _as_sent(refusal: errors.NotFound, sent: Any) -> errors.NotFound:
    """Clients know entities by the ids they sent: the one at the refusal's path.

    What vanished while the mutation ran is found missing by the storage, which knows no inputs: then it is what the mutation is
    about, which every input names first.
    """
    if isinstance(refusal.id, str):
        return refusal
    inputs = {to_camel_case(name): value for name, value in vars(sent).items()}
    path = refusal.path if refusal.path[1] in inputs else ("input", next(iter(inputs)))
    found = inputs[path[1]]
    return replace(refusal, id=str(found[int(path[2])] if isinstance(found, list) else found), path=path)


@strawberry.interface(
    description="Why a mutation was refused; it has changed nothing. New kinds may come: read `code` and `message` of any."
)
class UserError:
    tells: ClassVar[type[Refusal]]

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        return isinstance(value, Told) and isinstance(value.refusal, cls.tells)

    message: str = attribute("What is wrong and what can be done, for people.")
    path: list[str] = attribute('Which input it is about, from the mutation\'s arguments on, such as `["input", "title"]`.')

    @field(UserErrorCode, "What kind of refusal it is, for programs.")
    @staticmethod
    def code(parent: Parent[Told]) -> UserErrorCode:
        return _CODES[type(parent.refusal)]


@strawberry.type(description="A value cannot be accepted.")
class InvalidInputError(UserError):
    tells = errors.InvalidInput


@strawberry.type(description="There is nothing with this id, or the viewer may not see it: the two are told alike.")
class NotFoundError(UserError):
    tells = errors.NotFound

    id: ID = attribute("The id, as it was sent.")


@strawberry.type(description="The viewer may see it, but their role does not allow this.")
class ForbiddenError(UserError):
    tells = errors.Forbidden

    required_role: Role = attribute("The lowest role that does.")


@strawberry.type(description="The chapter has a newer version than the edit began from. Nothing was saved.")
class VersionConflictError(UserError):
    tells = errors.VersionConflict

    current = loaded(ChapterVersion, "The version that is current.", lambda loaders: loaders.versions, by="current_version_id")


@strawberry.type(description="A job is at it already.")
class JobConflictError(UserError):
    tells = errors.JobConflict

    job = loaded(Job, "That job.", lambda loaders: loaders.jobs, by="job_id")


@strawberry.type(description="The idempotency key was used for another request in the last 24 hours.")
class IdempotencyConflictError(UserError):
    tells = errors.IdempotencyConflict

    job = loaded(Job, "The job that request started.", lambda loaders: loaders.jobs, by="job_id")


@strawberry.type(description="The highest estimate is above what may be spent.")
class BudgetExceededError(UserError):
    tells = errors.BudgetExceeded

    limit: Decimal = attribute("What may be spent: the request's own limit, or what remains of the project's budget or the viewer's month.")
    required: Decimal = attribute("The highest estimate.")
    limit_name: str = attribute(
        "Which limit it is: `costLimit` (the request's), `budgetLimit` (the project's) or `monthlyLimit` (the viewer's, set by the server)."
    )


@strawberry.type(
    description=(
        "Nobody knows what the model costs, so no limit can hold what it spends. "
        "The project's owner can consent to that by `allowUnpricedModels` in its settings."
    )
)
class UnpricedModelError(UserError):
    tells = errors.UnpricedModel

    model: str = attribute("The model.")


@strawberry.type(description="Something that must be in a prompt.")
class RequiredPart:
    label: str = attribute("What it is, for people, such as the name of a reference file that is always included.")
    tokens: int = attribute("How long it is.")


@strawberry.type(description="What must be in the prompt does not fit its token budget.")
class PromptTooSmallError(UserError):
    tells = errors.PromptTooSmall

    token_budget: int = attribute("How many tokens the prompt may have.")
    tokens_required: int = attribute("How many it must have.")
    parts: list[RequiredPart] = attribute("What must be in it, the largest first. Headings and fences come on top.", most=100)


@strawberry.type(description="More than the system accepts.")
class LimitExceededError(UserError):
    tells = errors.LimitExceeded

    limit_name: str = attribute("Which limit it is, such as `chapterTextBytes`.")
    limit: int = attribute("How much is accepted.")


USER_ERRORS: Final = (
    InvalidInputError,
    NotFoundError,
    ForbiddenError,
    VersionConflictError,
    JobConflictError,
    IdempotencyConflictError,
    BudgetExceededError,
    UnpricedModelError,
    PromptTooSmallError,
    LimitExceededError,
)
