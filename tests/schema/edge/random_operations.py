"""Valid operations on the served schema, drawn at random: fragments, inline fragments, aliases, conditions, pages and variables."""

import random
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLUnionType,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_required_argument,
)

from tests.schema.edge.counting_execution import SCHEMA

DEPTH: Final = 6
SELECTIONS: Final = 25
LITERALS: Final = {"ID": '"x"', "String": '"x"', "Int": "3", "Boolean": "true", "DateTime": '"2026-01-31T12:00:00Z"', "USD": '"1"'}


class RandomOperations:
    """The same seed gives the same operations."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._fragments: list[tuple[GraphQLCompositeType, str]] = []
        self._declared: list[str] = []
        self._variables: dict[str, Any] = {}
        self._names = 0
        self._left = 0

    def draw(self) -> tuple[str, dict[str, Any]]:
        """A document and its variables."""
        self._fragments, self._declared, self._variables, self._left = [], [], {}, SELECTIONS
        keyword, root = self._random.choice(
            (("query", SCHEMA.query_type), ("query", SCHEMA.query_type), ("mutation", SCHEMA.mutation_type))
        )
        assert root is not None
        selection = self._selections(root, DEPTH)
        declared = f"({', '.join(self._declared)})" if self._declared else ""
        fragments = [f"fragment F{number} on {kind} {body}" for number, (kind, body) in enumerate(self._fragments)]
        return " ".join([f"{keyword}{declared} {selection}", *fragments]), self._variables

    def _selections(self, kind: GraphQLCompositeType, depth: int) -> str:
        return f"{{ __typename {' '.join(self._selection(kind, depth) for _ in range(self._random.randint(1, 3)))} }}"

    def _selection(self, kind: GraphQLCompositeType, depth: int) -> str:
        self._left -= 1
        if self._left < 0:
            return "__typename"
        chance = self._random.random()
        if is_abstract_type(kind) and chance < 0.8:
            one = self._random.choice(SCHEMA.get_possible_types(kind))
            return f"... on {one.name} {self._condition()} {self._selections(one, depth)}"
        if depth > 1 and chance < 0.1:
            return f"... {self._condition()} {self._selections(kind, depth - 1)}"
        if depth > 1 and chance < 0.2:
            self._fragments.append((kind, self._selections(kind, depth - 1)))
            return f"...F{len(self._fragments) - 1} {self._condition()}"
        known = [number for number, (of, _) in enumerate(self._fragments) if of is kind]
        if known and chance < 0.3:
            return f"...F{self._random.choice(known)} {self._condition()}"
        return "__typename" if isinstance(kind, GraphQLUnionType) else self._field(kind, depth)

    def _field(self, kind: Any, depth: int) -> str:
        possible = [name for name, field in kind.fields.items() if depth > 1 or is_leaf_type(get_named_type(field.type))]
        if not possible:
            return "__typename"
        objects = [name for name in possible if not is_leaf_type(get_named_type(kind.fields[name].type))]
        name = self._random.choice(objects if objects and self._random.random() < 0.7 else possible)
        field: GraphQLField = kind.fields[name]
        given = [
            f"{argument}: {self._value(argument, wanted)}" for argument, wanted in field.args.items() if self._is_given(argument, wanted)
        ]
        arguments = f"({', '.join(given)})" if given else ""
        named = get_named_type(field.type)
        below = "" if is_leaf_type(named) else self._selections(named, depth - 1)
        # An alias of its own for each: what is selected twice is executed once, and one name cannot have two arguments.
        return f"{self._name('a')}: {name}{arguments} {self._condition()} {below}"

    def _is_given(self, argument: str, wanted: GraphQLArgument) -> bool:
        return is_required_argument(wanted) or (argument in {"first", "last"} and self._random.random() < 0.6)

    def _value(self, argument: str, wanted: GraphQLArgument) -> str:
        named = get_named_type(wanted.type)
        if named.name in {"Int", "ID"} and self._random.random() < 0.5:
            return self._variable(str(wanted.type), self._number() if named.name == "Int" else self._ids(str(wanted.type)))
        if named.name == "Int":
            return str(self._number())
        if argument == "ids":
            return str(["x"] * self._random.randint(0, 4)).replace("'", '"')
        return LITERALS.get(named.name) or self._variable(str(wanted.type), self._input(named))

    def _input(self, kind: Any) -> Any:
        """The least that is accepted."""
        fields = {name: each for name, each in kind.fields.items() if is_required_argument(each)}
        return {name: self._least(get_named_type(each.type)) for name, each in fields.items()}

    def _least(self, kind: Any) -> Any:
        if hasattr(kind, "values"):
            return next(iter(kind.values))
        return {"Int": 1, "Boolean": True, "Float": 1.0}.get(kind.name, "x")

    def _number(self) -> int:
        return self._random.choice((1, 1, 2, 3, 4, 100))

    def _ids(self, kind: str) -> Any:
        return ["x"] * self._random.randint(0, 4) if kind.startswith("[") else "x"

    def _condition(self) -> str:
        chance = self._random.random()
        if chance < 0.8:
            return ""
        condition = self._random.choice(("skip", "include"))
        value = self._random.random() < 0.5
        return f"@{condition}(if: {self._variable('Boolean!', value) if chance < 0.9 else str(value).lower()})"

    def _variable(self, kind: str, value: Any) -> str:
        name = self._name("v")
        if self._random.random() < 0.2 and type(value) is int:
            self._declared.append(f"${name}: {kind} = {value}")
        else:
            self._declared.append(f"${name}: {kind}")
            self._variables[name] = value
        return f"${name}"

    def _name(self, letter: str) -> str:
        self._names += 1
        return f"{letter}{self._names}"
