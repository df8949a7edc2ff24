"""Operations that are valid by the schema and meant badly by everything else, drawn at random from all of it."""

import random
from collections.abc import Sequence
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
    is_required_input_field,
)

from tests.server.served_schema import SCHEMA, entity_named
from tests.server.shelf import Shelf

DEPTH: Final = 5
FIELDS: Final = 4

TEXTS: Final = (
    *("", " ", "en", "Low water", "ben@example.com", "x" * 301, "é" * 20_001, "{0}%s%(a)s", "%_\\/'\";--", "</reference>\n\n# System"),
    *("te\x00xt", "\ud83d", "\udc00\ud83d", "\u202e\u2066", "e" + "\u0301" * 500, "\r\n\u2028\x85", "\ufeff\uffff", "🏴" * 200),
    *("W10", "WzFd", "WyIiLDFd", "WzEsMl0", "WzkyMjMzNzIwMzY4NTQ3NzU4MDgsIiJd", "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzIzOjU5IiwiYSJd"),
)
VALUES: Final[dict[str, tuple[Any, ...]]] = {
    "String": TEXTS,
    "ID": (*TEXTS, 0, -1, 2**31, f"project_{'0' * 26}", f"chapter_7{'z' * 25}", f"job_{'z' * 26}", "user_", "node"),
    "Int": (0, 1, 2, 3, -1, 20, 100, 101, 499, 500, 4000, 1_000_000, 2**31 - 1, -(2**31)),
    "Float": (0, -0.0, 0.7, 1, 2, 100, -1, 5e-324, 1.7e308, -1.7e308),
    "Boolean": (True, False),
    "USD": (0, 1, "-0", "0.000001", "0.0000001", 0.1, 999_999, 1e300, "1e999999999", "1e-999999999", "-1", "007", " 1", "1_0"),
    "DateTime": ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "1969-12-31T23:59:59-12:00", "2026-01-31T12:00:00+14:00"),
}

Wanted = GraphQLArgument | GraphQLInputField


class HostileOperations:
    """The same seed and shelves give the same operations."""

    def __init__(self, seed: int, shelves: Sequence[Shelf]) -> None:
        self._random = random.Random(seed)
        self._shelves = shelves
        self._declared: list[str] = []
        self._variables: dict[str, Any] = {}

    def draw(self) -> tuple[str, dict[str, Any]]:
        """A document and its variables."""
        self._declared, self._variables = [], {}
        root, keyword = (SCHEMA.query_type, "query") if self._random.random() < 0.6 else (SCHEMA.mutation_type, "mutation")
        assert root is not None
        selection = self._fields(root, DEPTH, at_most=2)
        declared = f"({', '.join(self._declared)})" if self._declared else ""
        return f"{keyword}{declared} {selection}", self._variables

    def _fields(self, kind: GraphQLObjectType, depth: int, *, at_most: int) -> str:
        possible = [name for name, field in kind.fields.items() if depth > 1 or is_leaf_type(get_named_type(field.type))]
        chosen = self._random.sample(possible, min(len(possible), self._random.randint(1, at_most)))
        selections = [self._call(kind, name, kind.fields[name], depth) for name in chosen]
        return f"{{ {' '.join(['__typename', *selections])} }}"

    def _call(self, owner: GraphQLObjectType, name: str, field: GraphQLField, depth: int) -> str:
        arguments = [
            f"{argument}: {self._variable(wanted, argument, name, owner.name)}"
            for argument, wanted in field.args.items()
            if is_required_argument(wanted) or self._random.random() < 0.4
        ]
        call = f"{name}({', '.join(arguments)})" if arguments else name
        kind = get_named_type(field.type)
        if isinstance(kind, GraphQLObjectType):
            return f"{call} {self._fields(kind, depth - 1, at_most=FIELDS)}"
        if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            # One kind only: fields of one name may have different types in two of them.
            one = self._random.choice(SCHEMA.get_possible_types(kind))
            return f"{call} {{ __typename ... on {one.name} {self._fields(one, depth - 1, at_most=FIELDS)} }}"
        return call

    def _variable(self, wanted: Wanted, *names: str) -> str:
        name = f"v{len(self._declared)}"
        self._declared.append(f"${name}: {wanted.type}")
        self._variables[name] = self._value(wanted.type, *names)
        return f"${name}"

    def _value(self, kind: GraphQLInputType, *names: str) -> Any:
        inner = get_nullable_type(kind)
        if inner is kind and self._random.random() < 0.1:
            return None
        if is_list_type(inner):
            count = self._random.choice((0, 1, 1, 2, 3, 101))
            return [self._value(inner.of_type, *names) for _ in range(count)]
        if isinstance(inner, GraphQLInputObjectType):
            return {
                name: self._value(field.type, name, *names)
                for name, field in inner.fields.items()
                if is_required_input_field(field) or self._random.random() < 0.3
            }
        if isinstance(inner, GraphQLEnumType):
            return self._random.choice(list(inner.values))
        return self._leaf(get_named_type(kind).name, *names)

    def _leaf(self, kind: str, *names: str) -> Any:
        # Mostly something that is there, or refusals of the first argument would hide what lies behind it.
        if kind == "ID" and self._random.random() < 0.8:
            return self._random.choice(self._shelves).ids[entity_named(*names)]
        if kind == "String" and self._random.random() < 0.4:
            return "Low water"
        return self._random.choice(VALUES[kind])
