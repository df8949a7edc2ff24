"""What each field of a schema costs and how many objects it can give, as its directives declare it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationType,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_composite_type,
    is_list_type,
)

from schema.edge.cost.directives import Cost, ListSize

UNKNOWN_SIZE: Final = 1_000
"""Counted for a list that declares no size."""

# Introspection costs the same whatever it selects: as much as the standard query, which asks for about all there is.
_INTROSPECTION: Final = {"__schema": 2_500, "__type": 100}


@dataclass(frozen=True, slots=True)
class SizingArgument:
    name: str
    is_list: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldCost:
    """`call` points for each execution of the field, and `item` for each object it gives: 1, or 0 for values that are no objects.

    `gives` are the types these objects can be of. `size` bounds their number unless `sized_by` arguments do; `page` says that both are
    about the lists within the one object it gives, which in turn are `sized_above`.
    """

    call: int = 0
    item: int = 0
    gives: frozenset[str] = frozenset()
    size: int = 1
    sized_by: tuple[SizingArgument, ...] = ()
    page: bool = False
    sized_above: bool = False


FREE: Final = FieldCost()


class Weights:
    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._possible = {
            type_.name: frozenset(each.name for each in schema.get_possible_types(type_))
            if is_abstract_type(type_)
            else frozenset({type_.name})
            for type_ in schema.type_map.values()
            if is_composite_type(type_)
        }
        objects = [type_ for type_ in schema.type_map.values() if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__")]
        self._sized_above = {each for type_ in objects for field in type_.fields.values() for each in self._sizes_below(field)}
        self._fields: dict[str, dict[str, FieldCost]] = {
            type_.name: {name: self._cost(type_.name, name, field) for name, field in type_.fields.items()} for type_ in objects
        }
        if schema.query_type:
            self._fields[schema.query_type.name] |= {name: FieldCost(call=points) for name, points in _INTROSPECTION.items()}

    def field(self, type_name: str, field_name: str) -> FieldCost:
        """Of an object type. FREE for fields that do not exist, for `__typename`, and for what is below an introspection's root."""
        return self._fields.get(type_name, {}).get(field_name, FREE)

    def possible_types(self, type_name: str) -> frozenset[str]:
        """The object types behind the name of an object type, interface or union; none behind any other."""
        return self._possible.get(type_name, frozenset())

    def root_type(self, operation: OperationType) -> str | None:
        root = self._schema.get_root_type(operation)
        return root.name if root else None

    def unsized(self) -> Iterator[str]:
        """The lists of objects whose size nobody has declared."""
        for type_ in self._schema.type_map.values():
            if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) and not type_.name.startswith("__"):
                for name, field in type_.fields.items():
                    is_list_of_objects = is_list_type(get_nullable_type(field.type)) and is_composite_type(get_named_type(field.type))
                    if is_list_of_objects and not _list_size(field) and (type_.name, name) not in self._sized_above:
                        yield f"{type_.name}.{name}"

    def _sizes_below(self, field: GraphQLField) -> Iterator[tuple[str, str]]:
        size = _list_size(field)
        names = (size.sized_fields if size else None) or ()
        return ((type_name, name) for type_name in self.possible_types(get_named_type(field.type).name) for name in names)

    def _cost(self, type_name: str, name: str, field: GraphQLField) -> FieldCost:
        named = get_named_type(field.type)
        cost = FieldCost(call=_weight(field))
        if not is_composite_type(named):
            return cost
        cost = replace(cost, item=1, gives=self.possible_types(named.name), sized_above=(type_name, name) in self._sized_above)
        size = _list_size(field)
        if size is None:
            return replace(cost, size=UNKNOWN_SIZE) if is_list_type(get_nullable_type(field.type)) else cost
        arguments = tuple(
            SizingArgument(argument, is_list_type(get_nullable_type(field.args[argument].type)))
            for argument in size.slicing_arguments or ()
            if argument in field.args
        )
        assumed = UNKNOWN_SIZE if size.assumed_size is None else size.assumed_size
        return replace(cost, size=assumed, sized_by=arguments, page=bool(size.sized_fields))


def _weight(field: GraphQLField) -> int:
    declared = next((each for each in _directives(field) if isinstance(each, Cost)), None)
    return int(declared.weight) if declared else 0


def _list_size(field: GraphQLField) -> ListSize | None:
    return next((each for each in _directives(field) if isinstance(each, ListSize)), None)


def _directives(field: GraphQLField) -> tuple[Any, ...]:
    # Where Strawberry keeps what it prints behind a field; the schema it makes has no syntax tree to read them from.
    extensions: Mapping[str, Any] = field.extensions or {}
    return tuple(getattr(extensions.get("strawberry-definition"), "directives", ()))
