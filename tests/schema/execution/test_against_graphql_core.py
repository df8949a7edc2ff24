"""graphql-core executes object by object, and is the reference: whatever fails where, both answer the same."""

import gc
import random
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
import strawberry
from graphql import parse, validate

from schema.fields import batched
from tests.schema.execution.executing import core, ours, told

SEEDS = range(100)


@dataclass
class Faults:
    """Which fields of which objects fail or are null, drawn anew for each document."""

    random: random.Random
    rate: float
    drawn: dict[tuple[str, str], str] = field(default_factory=dict)

    def strike(self, name: str, field_name: str, value: Any, *, may_raise: bool = True) -> Any:
        key = (name, field_name)
        if key not in self.drawn:
            self.drawn[key] = self.random.choice(("raise", "null")) if self.random.random() < self.rate else ""
        if self.drawn[key] == "raise" and may_raise:
            raise LookupError(f"{name}.{field_name}")
        return None if self.drawn[key] else value


Info = strawberry.Info[Faults, None]


@strawberry.interface
class Named:
    @strawberry.field
    def name(self, info: Info) -> str:
        return info.context.strike(self.key, "name", self.key)


@strawberry.type
class Leaf(Named):
    key: strawberry.Private[str]

    @strawberry.field
    async def weight(self, info: Info) -> int:
        return info.context.strike(self.key, "weight", len(self.key))

    @strawberry.field
    def sizes(self, info: Info) -> list[list[int | None]]:
        return info.context.strike(self.key, "sizes", [[1, info.context.strike(self.key, "size", 2)], []])

    @strawberry.field
    def matrix(self, info: Info) -> list[list[Annotated["Branch", strawberry.lazy(__name__)]] | None]:
        return [[Branch(key=f"{self.key}m")], None, []]


@strawberry.type
class Branch(Named):
    key: strawberry.Private[str]

    @batched(int, "Of all at once: one that raises would fail for all of them.")
    @staticmethod
    async def rank(parents: strawberry.Parent[Any], info: Info) -> list[int | None]:
        return [info.context.strike(parent.key, "rank", 7, may_raise=False) for parent in parents]

    @strawberry.field
    async def leaf(self, info: Info) -> Leaf:
        return info.context.strike(self.key, "leaf", Leaf(key=f"{self.key}l"))

    @strawberry.field
    def perhaps(self, info: Info) -> Leaf | None:
        return info.context.strike(self.key, "perhaps", Leaf(key=f"{self.key}p"))

    @strawberry.field
    async def leaves(self, info: Info, first: int = 2) -> list[Leaf]:
        return info.context.strike(
            self.key, "leaves", [info.context.strike(self.key, str(i), Leaf(key=f"{self.key}{i}")) for i in range(first)]
        )

    @strawberry.field
    def gaps(self, info: Info) -> list[Leaf | None] | None:
        return info.context.strike(
            self.key, "gaps", [Leaf(key=f"{self.key}g"), info.context.strike(self.key, "gap", Leaf(key=f"{self.key}h"))]
        )

    @strawberry.field
    def anything(self, info: Info) -> list[Named]:
        return info.context.strike(self.key, "anything", [Leaf(key=f"{self.key}a"), Branch(key=f"{self.key}b"), Leaf(key=f"{self.key}c")])

    @strawberry.field
    def broken(self) -> list[Named | None]:
        return [42, Leaf(key=f"{self.key}z")]  # type: ignore[list-item]


@strawberry.type
class Query:
    branch: Branch | None = strawberry.field(resolver=lambda: Branch(key="r"))
    sure: Branch = strawberry.field(resolver=lambda: Branch(key="s"))


SCHEMA = strawberry.Schema(Query, types=[Leaf, Branch])


class Documents:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def draw(self) -> str:
        return (
            "query Q($yes: Boolean = true, $no: Boolean! = false, $n: Int = 3) "
            f"{{ branch {self._branch(3)} ...More again: branch {self._branch(2)} }} "
            f"fragment More on Query {{ sure {self._branch(3)} __typename }}"
        )

    def _branch(self, depth: int) -> str:
        below = [] if depth == 0 else ["leaf", "perhaps", "leaves", "leaves(first: $n)", "leaves(first: 0)", "gaps", "anything", "broken"]
        possible = ["name", "rank", "__typename", *below]
        chosen = self._random.sample(possible, self._random.randint(1, min(6, len(possible))))
        return f"{{ {' '.join(self._field(each, depth) for each in chosen)} }}"

    def _field(self, name: str, depth: int) -> str:
        alias = f"a{self._random.randrange(10_000)}: " if "(" in name or self._random.random() < 0.2 else ""
        condition = self._random.choice(("", "", "", " @include(if: $yes)", " @skip(if: $no)", " @skip(if: true)", " @include(if: $no)"))
        if name in {"name", "rank", "__typename"}:
            return f"{alias}{name}{condition}"
        if name in {"anything", "broken"}:
            return f"{alias}{name}{condition} {{ __typename name ... on Leaf {self._leaf(depth)} ... on Branch {self._branch(depth - 1)} }}"
        return f"{alias}{name}{condition} {self._leaf(depth)}"

    def _leaf(self, depth: int) -> str:
        matrix = [f"matrix {self._branch(depth - 2)}"] if depth > 1 else []
        chosen = self._random.sample(["name", "weight", "sizes", "w: weight", "... on Named { name }", *matrix], self._random.randint(1, 4))
        return f"{{ {' '.join(chosen)} }}"


# Of siblings of a field that has failed, graphql-core leaves coroutines behind.
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("rate", [0, 0.03, 0.3])
async def test_data_and_errors_are_those_of_graphql_core(rate: float):
    compared = failed = 0
    for seed in SEEDS:
        document = Documents(seed).draw()
        if validate(SCHEMA._schema, parse(document)):
            # Two fields have drawn one alias.
            continue
        drawn = Faults(random.Random(seed), rate)
        expected = await core(SCHEMA, document, context=drawn)
        # The same faults again, whoever asks in which order.
        found = await ours(SCHEMA, document, context=Faults(random.Random(seed), rate, drawn.drawn))
        assert found.data == expected.data, document
        assert list_of_keys(found.data) == list_of_keys(expected.data), document
        assert told(expected) <= told(found), document
        compared += 1
        failed += bool(expected.errors)
    # Errors hold on to what has raised them. Here, where nobody takes it for something of ours:
    del expected, found
    gc.collect()
    assert compared > len(SEEDS) * 0.8
    assert rate == 0 or failed > compared / 4


def list_of_keys(data: Any) -> Any:
    """The order of response keys, which comparing dictionaries leaves out."""
    if isinstance(data, dict):
        return [(key, list_of_keys(value)) for key, value in data.items()]
    return [list_of_keys(item) for item in data] if isinstance(data, list) else None
