"""Values that are valid by the schema and meant badly by everything else."""

import json
import random
from collections.abc import Sequence
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_required_input_field,
)

from tests.server.served_schema import entity_named
from tests.server.shelf import Shelf

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


class HostileValues:
    """`shelves` have what the ids are of that lead to something."""

    def __init__(self, chance: random.Random, shelves: Sequence[Shelf]) -> None:
        self._random = chance
        self._shelves = shelves

    def draw(self, kind: GraphQLInputType, *names: str) -> Any:
        """A value as JSON has it. `names` say what it is for, the most telling first."""
        inner = get_nullable_type(kind)
        if inner is kind and self._random.random() < 0.1:
            return None
        if is_list_type(inner):
            count = self._random.choice((0, 1, 1, 2, 3, 101))
            return [self.draw(inner.of_type, *names) for _ in range(count)]
        if isinstance(inner, GraphQLInputObjectType):
            return {
                name: self.draw(field.type, name, *names)
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


def literal(value: Any, kind: GraphQLInputType) -> str | None:
    """As it stands in a document; None for what only variables can carry: half of a surrogate pair."""
    inner = get_nullable_type(kind)
    if value is None:
        return "null"
    if is_list_type(inner):
        return _all_or_none("[{}]", [literal(item, inner.of_type) for item in value])
    if isinstance(inner, GraphQLInputObjectType):
        parts = [(name, literal(content, inner.fields[name].type)) for name, content in value.items()]
        return _all_or_none("{{{}}}", [text and f"{name}: {text}" for name, text in parts])
    if isinstance(inner, GraphQLEnumType):
        return str(value)
    if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        return None
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _all_or_none(around: str, parts: Sequence[str | None]) -> str | None:
    present = [part for part in parts if part is not None]
    return around.format(", ".join(present)) if len(present) == len(parts) else None
