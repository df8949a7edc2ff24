"""Executing documents on a schema as the server does, and as graphql-core would."""

from typing import Any

import strawberry
from graphql import OperationDefinitionNode, parse, validate
from graphql.execution.values import VariableValues, get_variable_values

from schema.edge.cost.weights import FREE
from schema.execution.executing import Outcome, execute
from schema.execution.plan import Planner, Selection, condition_variables


def planned(schema: strawberry.Schema, document: str, variables: dict[str, Any] | None = None) -> tuple[Selection, VariableValues]:
    syntax = parse(document)
    assert validate(schema._schema, syntax) == []
    (operation,) = (node for node in syntax.definitions if isinstance(node, OperationDefinitionNode))
    coerced = get_variable_values(schema._schema, operation.variable_definitions or (), variables or {})
    assert not isinstance(coerced, list), coerced
    conditions = {name: bool(coerced.coerced.get(name)) for name in condition_variables(syntax)}
    return Planner(schema, syntax, conditions, lambda _owner, _field: FREE).plan(operation), coerced


async def ours(schema: strawberry.Schema, document: str, variables: dict[str, Any] | None = None, *, context: object = None) -> Outcome:
    plan, coerced = planned(schema, document, variables)
    return await execute(plan, schema._schema, variables=coerced, context=context)


async def core(schema: strawberry.Schema, document: str, variables: dict[str, Any] | None = None, *, context: object = None) -> Outcome:
    result = await schema.execute(document, variable_values=variables, context_value=context)
    return Outcome(result.data, result.errors or [])


def told(outcome: Outcome) -> set[tuple[str, tuple[str | int, ...]]]:
    """Messages and paths. What is said of an object of no known type is a matter of words, which no client sees."""
    return {
        ("" if "type for" in error.message or "Abstract type" in error.message else error.message, tuple(error.path or ()))
        for error in outcome.errors
    }
