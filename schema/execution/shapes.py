"""What becomes of a field's values: each type completes a list of them at once.

Values may be None, and FAILED where an error has been recorded already. Completed values may be both, too: `Nullable` makes a null of
what has failed below it, `Required` an error of what is null, and so a null climbs as the specification says.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, Final, Protocol

from graphql import (
    FieldNode,
    GraphQLAbstractType,
    GraphQLEnumType,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.executor import default_type_resolver

from schema.execution.places import Chosen, Items
from schema.execution.readings import Values
from schema.execution.run import FAILED, Places, Run

_PASSING: Final[dict[str, frozenset[type]]] = {
    "String": frozenset({str, type(None)}),
    "ID": frozenset({str, type(None)}),
    "Boolean": frozenset({bool, type(None)}),
    "Int": frozenset({int, type(None)}),
}
"""Python types whose values leave a scalar as they are."""

_LARGEST_INT: Final = (1 << 31) - 1


class Selected(Protocol):
    """What is asked of objects of one type."""

    @property
    def waits(self) -> bool: ...

    async def answer(self, run: Run, objects: Values, places: Places) -> Values:
        """A mapping for each object, FAILED where one of its fields cannot be null and is."""


class Selections(Protocol):
    def of(self, kind: GraphQLObjectType) -> Selected:
        """What the field asks of objects of this type."""


class Shape(Protocol):
    @property
    def waits(self) -> bool: ...

    async def complete(self, run: Run, values: Values, places: Places) -> Values: ...


class Leaf:
    """Scalars and enums. Most columns are of one type, and can be passed on or looked up without asking for each value."""

    waits = False

    def __init__(self, kind: GraphQLLeafType, nodes: Sequence[FieldNode]) -> None:
        self._kind = kind
        self._nodes = nodes
        self._passing = _PASSING.get(kind.name, frozenset()) if isinstance(kind, GraphQLScalarType) else frozenset()
        self._is_int = kind.name == "Int"
        self._write_many: Callable[[Values], Iterable[Any]] | None = getattr(kind.coerce_output_value, "of_many", None)
        self._names: dict[Any, Any] | None = {} if isinstance(kind, GraphQLEnumType) else None

    async def complete(self, run: Run, values: Values, places: Places) -> Values:
        if self._passing.issuperset(map(type, values)) and not (self._is_int and self._overflows(values)):
            return values
        if run.errors and FAILED in values:
            return self._each_completed(run, values, places)
        write = self._kind.coerce_output_value if self._names is None else self._names.__getitem__
        try:
            if self._write_many is not None:
                return list(self._write_many(values))
            return [None if value is None else write(value) for value in values]
        except Exception:  # noqa: BLE001 - some value cannot be written: which one?
            return self._each_completed(run, values, places)

    def _each_completed(self, run: Run, values: Values, places: Places) -> Values:
        return [self._completed(run, value, places, index) for index, value in enumerate(values)]

    def _overflows(self, values: Values) -> bool:
        numbers = [value for value in values if value is not None]
        return bool(numbers) and not -_LARGEST_INT - 1 <= min(numbers) <= max(numbers) <= _LARGEST_INT

    def _completed(self, run: Run, value: Any, places: Places, index: int) -> Any:
        if value is None or value is FAILED:
            return value
        try:
            written = self._kind.coerce_output_value(value)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the value, the others are answered
            return run.fail(error, self._nodes, places.path(index))
        if self._names is not None:
            self._names[value] = written
        return written


@dataclass(frozen=True, slots=True)
class Nullable:
    of: Shape
    waits: bool

    async def complete(self, run: Run, values: Values, places: Places) -> Values:
        completed = await self.of.complete(run, values, places)
        return [None if value is FAILED else value for value in completed] if run.errors else completed


@dataclass(frozen=True, slots=True)
class Required:
    of: Shape
    waits: bool
    name: str
    nodes: Sequence[FieldNode]

    async def complete(self, run: Run, values: Values, places: Places) -> Values:
        completed = await self.of.complete(run, values, places)
        if None not in completed:
            return completed
        return [self._failed(run, places, index) if value is None else value for index, value in enumerate(completed)]

    def _failed(self, run: Run, places: Places, index: int) -> Any:
        return run.fail(TypeError(f"Cannot return null for non-nullable field {self.name}."), self.nodes, places.path(index))


@dataclass(frozen=True, slots=True)
class ListOf:
    item: Shape
    waits: bool
    nodes: Sequence[FieldNode]

    async def complete(self, run: Run, values: Values, places: Places) -> Values:
        items: Values = []
        starts = []
        for index, value in enumerate(values):
            starts.append(len(items))
            if value is not None and value is not FAILED:
                try:
                    items.extend(_iterable(value))
                except Exception as error:  # noqa: BLE001 - as in a leaf
                    del items[starts[-1] :]
                    values[index] = run.fail(error, self.nodes, places.path(index))
        completed = await self.item.complete(run, items, Items(places, starts))
        ends = [*starts, len(items)][1:]
        lists = [_list(value, completed, start, end) for value, start, end in zip(values, starts, ends, strict=True)]
        # Items that may be null are not FAILED any more.
        return [FAILED if isinstance(each, list) and FAILED in each else each for each in lists] if run.errors else lists


def _iterable(value: Any) -> Iterable[Any]:
    if isinstance(value, str | dict) or not isinstance(value, Iterable):
        raise TypeError("Expected an iterable.")
    return value


def _list(value: Any, completed: Values, start: int, end: int) -> Any:
    return value if value is None or value is FAILED else completed[start:end]


@dataclass(frozen=True, slots=True)
class ObjectOf:
    selected: Selected
    waits: bool

    async def complete(self, run: Run, values: Values, places: Places) -> Values:
        return await _only_for(self.selected, [value is not None and value is not FAILED for value in values], run, values, places)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Objects of an interface or a union: those of one type are answered together."""

    kind: GraphQLAbstractType
    selections: Selections
    nodes: Sequence[FieldNode]
    waits: bool = True

    async def complete(self, run: Run, values: Values, places: Places) -> Values:
        kinds = [self._kind_of(run, value, places, index) for index, value in enumerate(values)]
        completed = [FAILED if kind is FAILED else value for kind, value in zip(kinds, values, strict=True)]
        for kind in dict.fromkeys(kind for kind in kinds if isinstance(kind, GraphQLObjectType)):
            completed = await _only_for(self.selections.of(kind), [each is kind for each in kinds], run, completed, places)
        return completed

    def _kind_of(self, run: Run, value: Any, places: Places, index: int) -> Any:
        if value is None or value is FAILED:
            return value
        try:
            name = (self.kind.resolve_type or default_type_resolver)(value, run.info, self.kind)  # type: ignore[arg-type]  # ours will do
            kind = run.info.schema.type_map.get(name) if isinstance(name, str) else None
            if isinstance(kind, GraphQLObjectType) and run.info.schema.is_sub_type(self.kind, kind):
                return kind
            raise TypeError(f"{self.kind.name} has no type for a {type(value).__name__}.")  # noqa: TRY301 - told like what it calls
        except Exception as error:  # noqa: BLE001 - as in a leaf
            return run.fail(error, self.nodes, places.path(index))


async def _only_for(selected: Selected, chosen: Sequence[bool], run: Run, values: Values, places: Places) -> Values:
    """The values, with the answers for the chosen ones in their places."""
    if all(chosen):
        return await selected.answer(run, values, places) if values else []
    indices = list(compress(range(len(values)), chosen))
    completed = list(values)
    if indices:
        answers = await selected.answer(run, [values[index] for index in indices], Chosen(places, indices))
        for index, answer in zip(indices, answers, strict=True):
            completed[index] = answer
    return completed


def shape_of(gives: GraphQLOutputType, selections: Selections, nodes: Sequence[FieldNode], name: str) -> Shape:
    """`name` is what an error calls the field."""
    if is_non_null_type(gives):
        inner = _bare(gives.of_type, selections, nodes, name)
        return Required(inner, inner.waits, name, nodes)
    inner = _bare(gives, selections, nodes, name)
    return Nullable(inner, inner.waits)


def _bare(gives: GraphQLOutputType, selections: Selections, nodes: Sequence[FieldNode], name: str) -> Shape:
    if is_list_type(gives):
        item = shape_of(gives.of_type, selections, nodes, name)
        return ListOf(item, item.waits, nodes)
    if is_leaf_type(gives):
        return Leaf(gives, nodes)
    if is_abstract_type(gives):
        return AnyOf(gives, selections, nodes)
    assert isinstance(gives, GraphQLObjectType)
    selected = selections.of(gives)
    return ObjectOf(selected, selected.waits)
