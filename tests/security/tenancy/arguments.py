"""The arguments of a field, filled by their types and names: with ids wherever an id can go, however deep."""

from collections.abc import Callable, Iterator
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLObjectType,
    Undefined,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
)

from tests.security.tenancy.rights import Right
from tests.server.served_schema import SCHEMA, Input, entity_named

Path = tuple[str, ...]
"""Where an id goes: the field, its argument, and what is named below that."""
Choose = Callable[[Path, str, bool], Any]
"""The id that goes to a place for a thing of a shelf, or a list of them where the last argument says that there can be many."""

EXAMPLES = {"String": "Taken.", "Int": 1, "Float": 1.0, "Boolean": True, "USD": "1", "DateTime": "2026-01-31T12:00:00Z"}


def fields_of(type_name: str) -> dict[str, GraphQLField]:
    kind = SCHEMA.type_map[type_name]
    assert isinstance(kind, GraphQLObjectType)
    return kind.fields


def takes_id(field: GraphQLField) -> bool:
    return any(_holds_id(argument.type) for argument in field.args.values())


def needs_id(field: GraphQLField) -> bool:
    return any(_holds_id(argument.type) and is_needed(argument) for argument in field.args.values())


def is_needed(wanted: Input) -> bool:
    return is_non_null_type(wanted.type) and wanted.default_value is Undefined


def arguments_of(owner: str, name: str, right: Right, choose: Choose) -> Iterator[tuple[str, Any]]:
    """Those that have to be given, those that hold an id, and those that `right` has values for."""
    for argument, wanted in fields_of(owner)[name].args.items():
        if _matters(wanted, argument, right):
            yield argument, _value(wanted, (name, argument), owner, right, choose)


def example(kind: GraphQLInputType) -> Any:
    """Of what takes no id."""
    named = get_named_type(kind)
    return next(iter(named.values)) if isinstance(named, GraphQLEnumType) else EXAMPLES[named.name]


def _matters(wanted: Input, name: str, right: Right) -> bool:
    return is_needed(wanted) or name in right.values or _holds_id(wanted.type) or _holds_value(wanted.type, right)


def _value(wanted: Input, path: Path, owner: str, right: Right, choose: Choose) -> Any:
    kind, name = get_named_type(wanted.type), path[-1]
    many = is_list_type(get_nullable_type(wanted.type))
    if name in right.values:
        return right.values[name]
    if isinstance(kind, GraphQLInputObjectType):
        given = kind.fields.items()
        content = {inner: _value(field, (*path, inner), owner, right, choose) for inner, field in given if _matters(field, inner, right)}
    elif kind.name == "ID":
        content = choose(path, right.things.get(name) or entity_named(name, path[0], owner), many)
    else:
        content = example(wanted.type)
    return [content] if many and not isinstance(content, list) else content


def _holds_id(kind: GraphQLInputType) -> bool:
    named = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType):
        return any(_holds_id(field.type) for field in named.fields.values())
    return named.name == "ID"


def _holds_value(kind: GraphQLInputType, right: Right) -> bool:
    named = get_named_type(kind)
    return isinstance(named, GraphQLInputObjectType) and not right.values.keys().isdisjoint(named.fields)
