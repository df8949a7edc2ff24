"""Asking for a case on somebody's behalf, with these ids or those, and reading everything that is told."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from typing import Any

from graphql import GraphQLError

from domain.errors import Refusal
from schema.edge.errors import RequestError
from schema.execution.executing import Outcome
from schema.failures import explain
from tests.api import Api
from tests.security.tenancy.arguments import Choose, Path
from tests.security.tenancy.cases import Case, Things
from tests.security.tenancy.rights import EVERYTHING

_ID = re.compile(r"\b[a-z]+_[0-9a-z]{26}\b")


def belonging_to(things: Things) -> Choose:
    """Ids of one shelf."""

    def choose(_path: Path, thing: str, many: bool) -> Any:
        if thing == EVERYTHING:
            return list(things.values())
        return [things[thing]] if many else things[thing]

    return choose


def with_one_of(others: Things, own: Things, place: Path) -> Choose:
    """Ids of one's own, but at one place somebody else's; where there can be many, behind one's own."""
    of_others, of_own = belonging_to(others), belonging_to(own)

    def choose(path: Path, thing: str, many: bool) -> Any:
        mine = of_own(path, thing, many)
        if path != place:
            return mine
        theirs = of_others(path, thing, many)
        return [*mine, *theirs] if many else theirs

    return choose


def ids_in(value: Any) -> list[str]:
    return [found.group() for found in _ID.finditer(json.dumps(value))]


def with_ids(value: Any, ids: Iterable[str], change: Callable[[str], str]) -> Any:
    """The same with these ids changed."""
    text = json.dumps(value)
    for each in ids:
        text = text.replace(each, change(each))
    return json.loads(text)


def nonexistent(entity_id: str) -> str:
    """A valid id of the same kind that nothing has."""
    kind, _, digits = entity_id.partition("_")
    return f"{kind}_7{digits[:0:-1]}"


def malformed(entity_id: str) -> str:
    return f"no-{entity_id}"


def of_another_kind(entity_id: str) -> str:
    """A valid id with the same number."""
    kind, _, digits = entity_id.partition("_")
    return f"{'project' if kind == 'user' else 'user'}_{digits}"


def masked(told: str, ids: Iterable[str]) -> str:
    for each in ids:
        told = told.replace(each, "<id>")
    return told


async def told(api: Api, case: Case, variables: Mapping[str, Any]) -> str:
    """Everything a client is told, as text; a stream to its end. Nothing is answered that would have to be masked."""
    answers = []
    for result in await _results(api, case, variables):
        shown = []
        for error in result.errors or ():
            cause = error.original_error
            explained = cause if isinstance(cause, RequestError) else explain(cause)
            assert explained is not None, error
            shown.append([error.path, explained.code, explained.message])
        answers.append({"data": result.data, "errors": shown})
    return json.dumps(answers)


async def _results(api: Api, case: Case, variables: Mapping[str, Any]) -> list[Any]:
    if case.operation != "subscription":
        return [await api.execute(case.document, **variables)]
    outcomes: list[Any] = []
    try:
        async with aclosing(api.operations.outcomes(api.prepare(case.document, dict(variables)))) as events:
            outcomes.extend([outcome async for outcome in events])
    except (RequestError, Refusal, GraphQLError) as error:
        outcomes.append(Outcome(None, [GraphQLError(str(error), original_error=error)]))
    return outcomes
