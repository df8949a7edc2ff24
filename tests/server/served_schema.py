"""The schema as clients read it, for tests that try all of it: what is added to it is tried from then on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLScalarType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
    is_required_input_field,
)
from graphql import build_schema as read_schema

from schema.build import build_schema

SCHEMA: Final = read_schema(build_schema().as_str())

Field = GraphQLField
Input = GraphQLArgument | GraphQLInputField

_NODE = SCHEMA.type_map["Node"]
assert isinstance(_NODE, GraphQLInterfaceType)
ENTITIES: Final = frozenset(kind.name for kind in SCHEMA.get_possible_types(_NODE))
# Which kind of entity a name is about; a version comes before its chapter, for `ChapterVersion` names both.
_NAMED_ENTITIES: Final = {
    "finding": "Finding",
    "version": "ChapterVersion",
    "promptcomparison": "ChapterVersion",
    "chapter": "Chapter",
    "project": "Project",
    "reference": "ReferenceFile",
    "job": "Job",
    "user": "User",
}
# Every text that an example needs may be an address, a title or a chapter.
_TEXT: Final = "somebody@example.com"
_FIRST: Final = "0"


@dataclass(frozen=True, slots=True)
class Place:
    """Where clients put a value: an argument of a field, or what `path` names below it, with a "0" for the only item of a list."""

    owner: str
    field: str
    argument: str
    path: tuple[str, ...]
    kind: GraphQLLeafType
    many: bool

    def __str__(self) -> str:
        return f"{self.owner}.{self.field}({'.'.join((self.argument, *self.path))})"

    @property
    def entity(self) -> str:
        """The kind of entity that an id belongs to here."""
        return entity_named(self.path[-1] if self.path else self.argument, self.field, self.owner)

    @property
    def error_path(self) -> list[str]:
        """What a refusal of the value calls this place."""
        return [self.argument, *self.path, *([_FIRST] if self.many else [])]

    @property
    def answers_null(self) -> bool:
        """Whether the field can be null, or a list of what can be null."""
        gives = self._field.type
        return get_nullable_type(gives) is gives or (is_list_type(get_nullable_type(gives)) and self.many)

    @property
    def document(self) -> str:
        """The field with all of its arguments that matter as variables, beneath a way to get there."""
        names = self._arguments
        declared = ", ".join(f"${name}: {self._field.args[name].type}" for name in names)
        call = f"{self.field}({', '.join(f'{name}: ${name}' for name in names)}) {_selection(self._field)}"
        match self.owner:
            case "Query":
                return f"query({declared}) {{ {call} }}"
            case "Mutation":
                return f"mutation({declared}) {{ {call} }}"
            case "Viewer":
                return f"query({declared}) {{ viewer {{ {call} }} }}"
            case _:
                return f"query($at: ID!, {declared}) {{ node(id: $at) {{ ... on {self.owner} {{ {call} }} }} }}"

    def variables(self, value: object, ids: Mapping[str, str]) -> dict[str, Any]:
        """Valid ones, of the entities whose ids these are by kind, except for `value` at this place."""
        content = [value] if self.many else value
        given = {name: self._example(self._field.args[name], name, ids) for name in self._arguments}
        given[self.argument] = self._around(self._field.args[self.argument], self.argument, self.path, content, ids)
        return given if self.owner in {"Query", "Mutation", "Viewer"} else {"at": ids[self.owner], **given}

    @property
    def _field(self) -> Field:
        return _fields(self.owner)[self.field]

    @property
    def _arguments(self) -> list[str]:
        return [name for name, argument in self._field.args.items() if name == self.argument or is_required_argument(argument)]

    def _around(self, wanted: Input, name: str, path: tuple[str, ...], content: object, ids: Mapping[str, str]) -> Any:
        """An example that has this content at the path below it."""
        if not path:
            return content
        if path[0] == _FIRST:
            return [self._around(wanted, name, path[1:], content, ids)]
        inner = get_named_type(wanted.type).fields[path[0]]
        return {**self._example(wanted, name, ids), path[0]: self._around(inner, path[0], path[1:], content, ids)}

    def _example(self, wanted: Input, name: str, ids: Mapping[str, str]) -> Any:
        kind = get_named_type(wanted.type)
        if isinstance(kind, GraphQLInputObjectType):
            return {inner: self._example(field, inner, ids) for inner, field in kind.fields.items() if is_required_input_field(field)}
        if isinstance(kind, GraphQLEnumType):
            return next(iter(kind.values))
        example = {
            "ID": ids[entity_named(name, self.field, self.owner)],
            "String": _TEXT,
            "Int": 1,
            "Float": 1.0,
            "Boolean": True,
            "USD": "1",
            "DateTime": "2026-01-31T12:00:00Z",
        }[kind.name]
        return [example] if is_list_type(get_nullable_type(wanted.type)) else example


def places() -> Iterator[Place]:
    """Every place of queries and mutations; entities are reached by their ids."""
    for owner in ("Query", "Mutation", "Viewer", *sorted(ENTITIES)):
        for name, field in _fields(owner).items():
            for argument, wanted in field.args.items():
                for path, leaf, kind in _leaves(wanted):
                    yield Place(owner, name, argument, path, kind, is_list_type(get_nullable_type(leaf.type)))


def input_type(mutation: str) -> str:
    return get_named_type(_mutation(mutation).args["input"].type).name


def input_fields(mutation: str) -> Mapping[str, GraphQLInputField]:
    kind = get_named_type(_mutation(mutation).args["input"].type)
    assert isinstance(kind, GraphQLInputObjectType)
    fields: Mapping[str, GraphQLInputField] = kind.fields
    return fields


def result_field(mutation: str) -> str:
    """What the mutation's payload calls the thing that was changed."""
    (name,) = _fields(get_named_type(_mutation(mutation).type).name).keys() - {"errors"}
    return name


def _mutation(name: str) -> Field:
    return _fields("Mutation")[name]


def _fields(type_name: str) -> Mapping[str, Field]:
    kind = SCHEMA.type_map[type_name]
    assert isinstance(kind, GraphQLObjectType)
    fields: Mapping[str, Field] = kind.fields
    return fields


def _leaves(wanted: Input, *path: str) -> Iterator[tuple[tuple[str, ...], Input, GraphQLLeafType]]:
    kind = get_named_type(wanted.type)
    if isinstance(kind, GraphQLScalarType | GraphQLEnumType):
        yield path, wanted, kind
    elif isinstance(kind, GraphQLInputObjectType):
        item = (_FIRST,) if is_list_type(get_nullable_type(wanted.type)) else ()
        for name, field in kind.fields.items():
            yield from _leaves(field, *path, *item, name)


def _selection(field: Field) -> str:
    if is_leaf_type(get_named_type(field.type)):
        return ""
    payload = get_named_type(field.type)
    if payload.name.endswith("Payload"):
        return "{ errors { __typename code message path ... on NotFoundError { id } } }"
    return "{ __typename }"


def entity_named(*names: str) -> str:
    """From the most telling name on; whatever any entity will do for gets a reference file."""
    for name in names:
        for word, entity in _NAMED_ENTITIES.items():
            if word in name.lower():
                return entity
    return "ReferenceFile"
