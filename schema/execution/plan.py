"""What an operation asks for, worked out once and kept with its document: which fields of which types, and how each is answered."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from graphql import (
    BooleanValueNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    is_abstract_type,
    type_from_ast,
)
from strawberry import Schema

from schema.execution.places import Column
from schema.execution.readings import Reading, Values, reading_of
from schema.execution.run import FAILED, Places, Run
from schema.execution.shapes import Shape, shape_of

_CONDITIONS: Final = frozenset({"skip", "include"})


class FieldPoints(Protocol):
    """What a field costs: `call` for each object it is asked of, `item` for each object it gives."""

    @property
    def call(self) -> int: ...

    @property
    def item(self) -> int: ...


Weigh = Callable[[str, str], FieldPoints]
"""By the names of an object's type and of its field."""

Conditions = Mapping[str, bool]
"""The values of the variables that `@skip` and `@include` ask for."""


class PlannedField:
    """A field with all its selections of one response key merged."""

    def __init__(self, key: str, nodes: Sequence[FieldNode], reading: Reading, shape: Shape, *, points: int) -> None:
        self.key = key
        self.nodes = nodes
        self.reading = reading
        self._shape = shape
        self._points = points
        self.waits = reading.waits or shape.waits

    async def answer(self, run: Run, objects: Values, places: Places) -> Values:
        run.used += self._points * len(objects)
        column = Column(places, self.key)
        values = await self.reading.read(run, self.nodes, objects, column)
        return await self._shape.complete(run, values, column)


class Selection:
    """The fields asked of objects of one type. `serially`: one field after the other, as mutations are. `points` for each object."""

    def __init__(self, fields: Sequence[PlannedField], *, points: int, serially: bool) -> None:
        self.fields = tuple(fields)
        self._mappings = _mappings_by([field.key for field in fields])
        self._points = points
        self._serially = serially or sum(field.waits for field in fields) < 2
        self.waits = any(field.waits for field in fields)

    async def answer(self, run: Run, objects: Values, places: Places) -> Values:
        run.used += self._points * len(objects)
        if self._serially:
            columns = [await field.answer(run, objects, places) for field in self.fields]
        else:
            columns = await self._side_by_side(run, objects, places)
        if not columns:
            return [{} for _ in objects]
        if run.errors:
            return [FAILED if FAILED in row else self._mappings([[value] for value in row])[0] for row in zip(*columns, strict=True)]
        return self._mappings(columns)

    async def _side_by_side(self, run: Run, objects: Values, places: Places) -> list[Values]:
        columns: list[Any] = [None] * len(self.fields)
        async with asyncio.TaskGroup() as group:
            for index, field in enumerate(self.fields):
                if field.waits:
                    columns[index] = group.create_task(field.answer(run, objects, places))
                else:
                    columns[index] = await field.answer(run, objects, places)
        return [column.result() if isinstance(column, asyncio.Task) else column for column in columns]


def _mappings_by(keys: Sequence[str]) -> Callable[[list[Values]], Values]:
    """A function that makes of columns a mapping for each row. Written out for these keys, it takes half as long as `dict(zip(...))`.

    Response keys are names of GraphQL, so there is nothing in them that Python could read.
    """
    names = [f"value_{index}" for index in range(len(keys))]
    pairs = ", ".join(f"{key!r}: {name}" for key, name in zip(keys, names, strict=True))
    return eval(f"lambda columns: [{{{pairs}}} for {', '.join(names)}, in zip(*columns)]") if keys else list  # noqa: S307 - see above


class Planner:
    """Plans one operation of a valid document."""

    def __init__(self, schema: Schema, document: DocumentNode, conditions: Conditions, weigh: Weigh) -> None:
        self._strawberry = schema
        self._schema = schema._schema  # noqa: SLF001 - the graphql-core schema has no public name
        self._fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
        self._conditions = conditions
        self._weigh = weigh

    def plan(self, operation: OperationDefinitionNode) -> Selection:
        root = self._schema.get_root_type(operation.operation)
        assert root is not None
        return self.select(root, [operation.selection_set], points=0, serially=operation.operation is OperationType.MUTATION)

    def select(
        self, kind: GraphQLObjectType, selection_sets: Sequence[SelectionSetNode], *, points: int, serially: bool = False
    ) -> Selection:
        collected: dict[str, list[FieldNode]] = {}
        visited: set[str] = set()
        for selection_set in selection_sets:
            self._collect(kind, selection_set, collected, visited)
        return Selection([self._field(kind, key, nodes) for key, nodes in collected.items()], points=points, serially=serially)

    def _collect(
        self, kind: GraphQLObjectType, selection_set: SelectionSetNode, into: dict[str, list[FieldNode]], visited: set[str]
    ) -> None:
        for node in selection_set.selections:
            if not self._is_wanted(node):
                continue
            if isinstance(node, FieldNode):
                into.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                if self._applies(node, kind):
                    self._collect(kind, node.selection_set, into, visited)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in visited:
                visited.add(node.name.value)
                fragment = self._fragments[node.name.value]
                if self._applies(fragment, kind):
                    self._collect(kind, fragment.selection_set, into, visited)

    def _is_wanted(self, node: SelectionNode) -> bool:
        for name, condition in _conditions_of(node):
            holds = condition.value if isinstance(condition, BooleanValueNode) else self._conditions[condition.name.value]
            if holds == (name == "skip"):
                return False
        return True

    def _applies(self, fragment: FragmentDefinitionNode | InlineFragmentNode, kind: GraphQLObjectType) -> bool:
        if fragment.type_condition is None:
            return True
        condition = type_from_ast(self._schema, fragment.type_condition)
        return condition is kind or (is_abstract_type(condition) and self._schema.is_sub_type(condition, kind))

    def _field(self, owner: GraphQLObjectType, key: str, nodes: Sequence[FieldNode]) -> PlannedField:
        name = nodes[0].name.value
        definition = self._schema.get_field(owner, name)
        assert definition is not None
        reading = reading_of(owner, name, definition, self._strawberry.config, self._strawberry.schema_converter.scalar_registry)
        points = self._weigh(owner.name, name)
        shape = shape_of(definition.type, FieldSelections(self, nodes, points=points.item), nodes, f"{owner.name}.{name}")
        return PlannedField(key, nodes, reading, shape, points=points.call)


class FieldSelections:
    """What a field asks of its objects, by their type; planned when the first object of a type is there."""

    def __init__(self, planner: Planner, nodes: Sequence[FieldNode], *, points: int) -> None:
        self._planner = planner
        self._points = points
        self._selection_sets = [node.selection_set for node in nodes if node.selection_set]
        self._planned: dict[str, Selection] = {}

    def of(self, kind: GraphQLObjectType) -> Selection:
        if kind.name not in self._planned:
            self._planned[kind.name] = self._planner.select(kind, self._selection_sets, points=self._points)
        return self._planned[kind.name]


def condition_variables(document: DocumentNode) -> frozenset[str]:
    """The names of the variables that decide what a document selects."""
    return frozenset(_condition_variables(document))


def _condition_variables(document: DocumentNode) -> Iterator[str]:
    pending = [node.selection_set for node in document.definitions if isinstance(node, OperationDefinitionNode | FragmentDefinitionNode)]
    while pending:
        for node in pending.pop().selections:
            yield from (condition.name.value for _, condition in _conditions_of(node) if isinstance(condition, VariableNode))
            if isinstance(node, FieldNode | InlineFragmentNode) and node.selection_set:
                pending.append(node.selection_set)


def _conditions_of(node: SelectionNode) -> Iterator[tuple[str, BooleanValueNode | VariableNode]]:
    for directive in node.directives or ():
        if directive.name.value in _CONDITIONS:
            assert directive.arguments
            condition = directive.arguments[0].value
            assert isinstance(condition, BooleanValueNode | VariableNode)
            yield directive.name.value, condition
