"""Estimates against what operations use, and against an expansion of every fragment at every place, over random operations."""

import random
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    get_argument_values,
    get_named_type,
    is_leaf_type,
    is_object_type,
    parse,
    validate,
)
from graphql.execution.values import VariableValues, get_directive_values, get_variable_values
from graphql.type import GraphQLIncludeDirective, GraphQLSkipDirective

from schema.edge.cost.program import MOST
from tests.schema.edge.counting_execution import CONNECTION_ITEMS, MODEL, SCHEMA, Counting
from tests.schema.edge.random_operations import RandomOperations

OPERATIONS = 500
FULL = 500
"""Up to this estimate lists are as long as they can be; longer ones take too long to make up."""


@pytest.fixture(scope="module")
def drawn() -> list[tuple[DocumentNode, dict[str, Any]]]:
    operations = RandomOperations(20_261_126)
    return [(parse(source), variables) for source, variables in (operations.draw() for _ in range(OPERATIONS))]


def estimate(document: DocumentNode, variables: dict[str, Any]) -> int:
    return MODEL.compile(document).of(None, variables)


def test_the_operations_are_valid_and_of_all_kinds(drawn):
    assert [str(problem) for document, _ in drawn for problem in validate(SCHEMA, document)] == []
    costs = [estimate(document, variables) for document, variables in drawn]
    assert sum(cost > 100 for cost in costs) > OPERATIONS / 5
    assert sum(MODEL.compile(document).steps > 0 for document, _ in drawn) > OPERATIONS / 5
    assert sum(any(isinstance(node, FragmentDefinitionNode) for node in document.definitions) for document, _ in drawn) > OPERATIONS / 5


def test_no_operation_uses_more_than_was_estimated(drawn):
    draw = random.Random(7)
    reached = 0
    for document, variables in drawn:
        most = estimate(document, variables)
        used = Counting(draw, full=most <= FULL).run(document, variables)
        assert used <= most
        reached += used == most
    assert reached > OPERATIONS / 3


def test_it_is_what_an_expansion_of_all_fragments_comes_to(drawn):
    for document, variables in drawn:
        assert estimate(document, variables) == min(Expansion(document, variables).cost(), MOST)


class Expansion:
    """The definition of the cost, worked out the slow way: by recursion, at each place again, with graphql-core's own values."""

    def __init__(self, document: DocumentNode, variables: dict[str, Any]) -> None:
        self._fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
        (self._operation,) = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        values = get_variable_values(SCHEMA, self._operation.variable_definitions or (), variables)
        assert isinstance(values, VariableValues)
        self._variables = values

    def cost(self) -> int:
        root = SCHEMA.get_root_type(self._operation.operation)
        return self._of_selections(self._operation.selection_set, root, page=0)

    def _of_selections(self, selection_set: Any, kind: Any, *, page: int) -> int:
        return sum(self._of(node, kind, page=page) for node in selection_set.selections if not self._is_left_out(node))

    def _of(self, node: Any, kind: Any, *, page: int) -> int:
        if isinstance(node, FieldNode):
            return self._of_field(node, kind, page=page) if node.name.value in kind.fields else 0
        body = self._fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
        assert isinstance(body, FragmentDefinitionNode | InlineFragmentNode)
        wanted = SCHEMA.get_type(body.type_condition.name.value) if body.type_condition else kind
        applies = wanted is kind or (not is_object_type(wanted) and SCHEMA.is_sub_type(wanted, kind))
        return self._of_selections(body.selection_set, kind, page=page) if applies else 0

    def _of_field(self, node: FieldNode, kind: Any, *, page: int) -> int:
        field = kind.fields[node.name.value]
        declared = MODEL.field(kind.name, node.name.value)
        named = get_named_type(field.type)
        if is_leaf_type(named):
            return declared.call
        arguments = get_argument_values(field, node, self._variables)
        asked = [arguments[each.name] for each in declared.sized_by if arguments.get(each.name) is not None]
        size = max((len(value) if isinstance(value, list) else value for value in asked), default=declared.size)
        is_connection = named.name.endswith("Connection")
        items = page if kind.name.endswith("Connection") and node.name.value in CONNECTION_ITEMS else 1 if is_connection else size
        possible = [named] if is_object_type(named) else SCHEMA.get_possible_types(named)
        dearest = max(self._of_selections(node.selection_set, each, page=size if is_connection else 0) for each in possible)
        return declared.call + items * (1 + dearest)

    def _is_left_out(self, node: Any) -> bool:
        skip = get_directive_values(GraphQLSkipDirective, node, self._variables)
        include = get_directive_values(GraphQLIncludeDirective, node, self._variables)
        return bool(skip and skip["if"]) or bool(include and not include["if"])
