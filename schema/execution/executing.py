"""Executing a plan: once, or for each event of a subscription."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, GraphQLSchema
from graphql.execution.values import VariableValues

from schema.execution.places import ROOT
from schema.execution.plan import Selection
from schema.execution.readings import Event
from schema.execution.run import FAILED, Info, Run


@dataclass(frozen=True, slots=True)
class Outcome:
    """`data` is None when a null has climbed to the root; `used` is what it has cost, in points."""

    data: dict[str, Any] | None
    errors: list[GraphQLError]
    used: int = 0


async def execute(plan: Selection, schema: GraphQLSchema, *, variables: VariableValues, context: object, root: object = None) -> Outcome:
    run = Run(Info(context, schema), variables)
    (data,) = await plan.answer(run, [root], ROOT)
    return Outcome(None if data is FAILED else data, run.errors, run.used)


async def source_of(plan: Selection, schema: GraphQLSchema, *, variables: VariableValues, context: object) -> AsyncGenerator[Any]:
    """What happens, as the subscription's resolver tells it. Raises what that raises, and GraphQLError for its arguments."""
    (field,) = plan.fields
    assert isinstance(field.reading, Event)
    events: AsyncIterator[Any] = field.reading.resolver.bound(Run(Info(context, schema), variables), field.nodes)(None)
    async with aclosing(events) as happening:  # type: ignore[type-var]  # every resolver of a subscription is a generator
        async for event in happening:
            yield event
