"""Every field that an answer can have many of, with a document that asks it of many parents at once: what is added to the schema is in it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from graphql import GraphQLField, GraphQLObjectType, get_named_type, is_abstract_type, is_leaf_type, is_required_argument

from tests.server.served_schema import ENTITIES, SCHEMA

PAGE: Final = 8


@dataclass(frozen=True, slots=True)
class Level:
    """Fields of objects of the type `parent`, at the end of the shortest `path` from entities of the type `entity`.

    They are all the plain values of the type, or one field that leads on. Each step of the path is a field and the type of the object that
    is chosen behind it.
    """

    entity: str
    path: tuple[tuple[str, str], ...]
    parent: str
    fields: tuple[str, ...]
    leads_on: bool

    def __str__(self) -> str:
        return f"{self.parent}.{self.fields[0] if self.leads_on else '*'}"

    @property
    def required(self) -> list[str]:
        """The arguments that have to be given."""
        given = (_fields(self.parent)[name].args.items() for name in self.fields)
        return [name for arguments in given for name, argument in arguments if is_required_argument(argument)]

    def without_fields(self) -> "Level":
        return replace(self, fields=(), leads_on=False)

    def document(self, arguments: Mapping[str, str]) -> str:
        """`arguments`: those that are required, as they are written."""
        calls = " ".join(_call(self.parent, name, arguments) for name in self.fields)
        selection = f"asked: {calls} {{ __typename }}" if self.leads_on else f"asked: __typename {calls}"
        owners = [self.entity, *(kind for _, kind in self.path)]
        for owner, (name, kind) in reversed(list(zip(owners, self.path, strict=False))):
            selection = f"{_call(owner, name, {})} {{ ... on {kind} {{ {selection} }} }}"
        return f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {self.entity} {{ {selection} }} }} }}"


def levels() -> Iterator[Level]:
    for kind, (entity, path) in _paths().items():
        leading = {name: not is_leaf_type(get_named_type(field.type)) for name, field in _fields(kind).items()}
        if plain := tuple(name for name, leads_on in leading.items() if not leads_on):
            yield Level(entity, path, kind, plain, leads_on=False)
        for name, leads_on in leading.items():
            if leads_on:
                yield Level(entity, path, kind, (name,), leads_on=True)


def asked(answer: Any) -> Iterator[Any]:
    """What the field that leads on has given for each parent; else the type of each parent."""
    if isinstance(answer, list):
        for item in answer:
            yield from asked(item)
    elif isinstance(answer, dict):
        if "asked" in answer:
            yield answer["asked"]
        else:
            yield from asked(list(answer.values()))


def _paths() -> Mapping[str, tuple[str, tuple[tuple[str, str], ...]]]:
    """For each type that entities lead to, where to begin and how to come there."""
    found: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {entity: (entity, ()) for entity in sorted(ENTITIES)}
    waiting = list(found)
    for kind in waiting:
        entity, path = found[kind]
        for name, field in _fields(kind).items():
            for reached in _objects(field):
                if reached not in found and not any(map(is_required_argument, field.args.values())):
                    found[reached] = (entity, (*path, (name, reached)))
                    waiting.append(reached)
    return found


def _objects(field: GraphQLField) -> Iterable[str]:
    kind = get_named_type(field.type)
    if is_abstract_type(kind):
        return [possible.name for possible in SCHEMA.get_possible_types(kind)]
    return [kind.name] if isinstance(kind, GraphQLObjectType) else []


def _call(owner: str, name: str, arguments: Mapping[str, str]) -> str:
    """Lists as short pages: how many items there are is another question than of how many parents."""
    known = {**arguments, "first": str(PAGE)}
    written = ", ".join(f"{argument}: {known[argument]}" for argument in _fields(owner)[name].args if argument in known)
    return f"{name}({written})" if written else name


def _fields(kind: str) -> Mapping[str, GraphQLField]:
    object_type = SCHEMA.type_map[kind]
    assert isinstance(object_type, GraphQLObjectType)
    fields: Mapping[str, GraphQLField] = object_type.fields
    return fields
