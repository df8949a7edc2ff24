"""Operations that are valid by the schema and meant badly by everything else, drawn at random from all of it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    OperationType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from tests.security.hostile_values import HostileValues, Wanted, literal
from tests.server.served_schema import SCHEMA
from tests.server.shelf import Shelf

DEPTH: Final = 5
FIELDS: Final = 4
KINDS: Final = (*[OperationType.QUERY] * 11, *[OperationType.MUTATION] * 8, OperationType.SUBSCRIPTION)
INTROSPECTION: Final = (
    "__schema { queryType { name fields { name args { name defaultValue } } } }",
    "__schema { types { ...OfType } directives { name locations } }",
    '__type(name: "Node") { ...OfType possibleTypes { name } }',
    '__type(name: "Nothing") { name }',
    '__type(name: "") { name }',
    "__typename",
)
OF_TYPE: Final = "fragment OfType on __Type { kind name fields(includeDeprecated: true) { name type { name ofType { name } } } }"


@dataclass(frozen=True, slots=True)
class Operation:
    kind: OperationType
    document: str
    variables: dict[str, Any]


class HostileOperations:
    """The same seed and shelves give the same operations."""

    def __init__(self, seed: int, shelves: Sequence[Shelf]) -> None:
        self._random = random.Random(seed)
        self._values = HostileValues(self._random, shelves)
        self._declared: list[str] = []
        self._variables: dict[str, Any] = {}
        self._fragments: list[str] = []
        self._aliases = 0

    def draw(self) -> Operation:
        self._declared, self._variables, self._fragments, self._aliases = [], {}, [], 0
        kind = self._random.choice(KINDS)
        root = SCHEMA.get_root_type(kind)
        assert root is not None
        if kind is OperationType.SUBSCRIPTION:
            # One field, and nothing around it that could take it away.
            name, field = self._random.choice(list(root.fields.items()))
            selection = f"{{ {self._call(root, name, field, DEPTH, plain=True)} }}"
        else:
            selection = self._fields(root, DEPTH, at_most=2)
        if kind is OperationType.QUERY and self._random.random() < 0.1:
            selection = f"{{ {self._introspection()} {selection[1:]}"
        declared = f"({', '.join(self._declared)})" if self._declared else ""
        return Operation(kind, "\n".join([f"{kind.value}{declared} {selection}", *self._fragments]), self._variables)

    def _introspection(self) -> str:
        chosen = self._random.choice(INTROSPECTION)
        if "OfType" in chosen:
            self._fragments.append(OF_TYPE)
        return chosen

    def _fields(self, kind: GraphQLObjectType, depth: int, *, at_most: int) -> str:
        possible = [name for name, field in kind.fields.items() if depth > 1 or is_leaf_type(get_named_type(field.type))]
        chosen = self._random.sample(possible, min(len(possible), self._random.randint(1, at_most)))
        calls = [self._call(kind, name, kind.fields[name], depth) for name in chosen]
        return f"{{ {' '.join(['__typename', *(self._wrapped(kind, call) for call in calls)])} }}"

    def _wrapped(self, kind: GraphQLObjectType, call: str) -> str:
        """The same, now and then in a fragment with or without a name."""
        match self._random.randrange(12):
            case 0:
                return f"... {self._directive()} {{ {call} }}"
            case 1:
                return f"... on {kind.name} {self._directive()} {{ {call} }}"
            case 2:
                name = f"F{len(self._fragments)}"
                self._fragments.append(f"fragment {name} on {kind.name} {{ {call} }}")
                return f"...{name} {self._directive()}"
            case _:
                return call

    def _call(self, owner: GraphQLObjectType, name: str, field: GraphQLField, depth: int, *, plain: bool = False) -> str:
        """The field, sometimes under another name, and with its arguments and what is selected of it."""
        arguments = [
            f"{argument}: {self._given(wanted, argument, name, owner.name)}"
            for argument, wanted in field.args.items()
            if is_required_argument(wanted) or self._random.random() < 0.4
        ]
        call = f"{name}({', '.join(arguments)})" if arguments else name
        if not plain:
            call = f"{self._alias()}{call} {self._directive()}"
        kind = get_named_type(field.type)
        if isinstance(kind, GraphQLObjectType):
            return f"{call} {self._fields(kind, depth - 1, at_most=FIELDS)}"
        if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            # One kind only: fields of one name may have different types in two of them.
            one = self._random.choice(SCHEMA.get_possible_types(kind))
            return f"{call} {{ __typename ... on {one.name} {self._fields(one, depth - 1, at_most=FIELDS)} }}"
        return call

    def _alias(self) -> str:
        if self._random.random() > 0.08:
            return ""
        self._aliases += 1
        return f"a{self._aliases}: "

    def _directive(self) -> str:
        match self._random.randrange(12):
            case 0:
                return f"@include(if: {self._variable('Boolean!', self._random.random() < 0.8)})"
            case 1:
                return f"@skip(if: {self._variable('Boolean!', self._random.random() < 0.2)})"
            case 2:
                return "@include(if: true) @skip(if: false)"
            case _:
                return ""

    def _given(self, wanted: Wanted, *names: str) -> str:
        value = self._values.draw(wanted.type, *names)
        written = literal(value, wanted.type) if self._random.random() < 0.2 else None
        return self._variable(str(wanted.type), value) if written is None else written

    def _variable(self, kind: str, value: Any) -> str:
        name = f"v{len(self._declared)}"
        self._declared.append(f"${name}: {kind}")
        self._variables[name] = value
        return f"${name}"
