"""What the specification says of corners that random documents do not reach."""

import asyncio
import enum
from collections.abc import Iterator
from typing import Annotated, Any, Optional

import pytest
import strawberry
from graphql import GraphQLError, GraphQLSyntaxError, parse

from schema.execution.executing import Outcome
from schema.execution.plan import _mappings_by
from tests.schema.execution.executing import core, ours

LARGEST = (1 << 31) - 1


@strawberry.enum
class Shade(enum.Enum):
    DARK = "dark"
    PALE = "pale"


@strawberry.input
class Wanted:
    number: int
    other: int | None = strawberry.UNSET
    third: int = 5
    shade: Shade = Shade.DARK


@strawberry.type
class Stone:
    number: int

    @strawberry.field
    def broken(self) -> int | None:
        raise LookupError("broken")

    @strawberry.field
    def sure(self) -> int:
        raise LookupError("sure")


@strawberry.type
class Shell:
    name: str


Found = Annotated[Stone | Shell, strawberry.union("Found")]


@strawberry.type
class Unrelated:
    name: str

    @classmethod
    def is_type_of(cls, _value: object, _info: object) -> bool:
        return False


def breaking_off() -> Iterator[int]:
    yield 1
    raise LookupError("broken off")


@strawberry.type
class Query:
    @strawberry.field
    def echo(self, text: str | None = "default") -> str:
        return repr(text)

    @strawberry.field
    def perhaps(self, text: str | None = strawberry.UNSET) -> str:
        return repr(text)

    @strawberry.field
    def required(self, number: int) -> int:
        return number

    @strawberry.field
    def numbers(self, given: list[int] | None = None) -> str:
        return repr(given)

    @strawberry.field
    def wanted(self, given: Wanted) -> str:
        return repr((given.number, given.other, given.third, given.shade))

    @strawberry.field
    def shade(self, given: Shade = Shade.PALE) -> Shade:
        return given

    @strawberry.field
    def stone(self) -> Stone | None:
        return Stone(number=1)

    @strawberry.field
    def found(self) -> list[Found]:
        return [Stone(number=1), Shell(name="whelk"), Stone(number=2)]

    @strawberry.field
    def largest(self, beyond: int = 0) -> list[int | None]:
        return [LARGEST + beyond, -LARGEST - 1 - beyond, None]

    @strawberry.field
    def letters(self) -> list[str] | None:
        return "abc"  # type: ignore[return-value]

    @strawberry.field
    def torn(self) -> list[list[int] | None]:
        return [[1], breaking_off(), [2]]  # type: ignore[list-item]

    @strawberry.field
    def own(self) -> int | None:
        raise GraphQLError("own", extensions={"code": "OWN"})

    @strawberry.field
    def number(self) -> float:
        return 3

    @strawberry.field
    def undefined(self) -> float | None:
        return float("nan")


SCHEMA = strawberry.Schema(Query)

ASKED: list[tuple[str, dict[str, Any]]] = [
    ("query($text: String) { echo(text: $text) perhaps(text: $text) }", {}),
    ("query($text: String) { echo(text: $text) perhaps(text: $text) }", {"text": None}),
    ('query($text: String = "x") { echo(text: $text) perhaps(text: $text) }', {}),
    ('query($text: String = "x") { echo(text: $text) perhaps(text: $text) }', {"text": None}),
    ("{ echo(text: null) perhaps none: perhaps(text: null) }", {}),
    ("query($number: Int = 3) { required(number: $number) }", {}),
    ("query($number: Int = 3) { required(number: $number) }", {"number": None}),
    ("query($number: Int = 3) { stone { number } required(number: $number) }", {"number": None}),
    ("{ numbers(given: 3) }", {}),
    ("query($given: [Int!]) { numbers(given: $given) }", {"given": 3}),
    ("query($number: Int = 7) { numbers(given: [1, $number]) }", {"number": None}),
    ("query($other: Int) { wanted(given: {number: 1, other: $other}) }", {}),
    ("query($other: Int) { wanted(given: {number: 1, other: $other}) }", {"other": None}),
    ("query($third: Int = 2) { wanted(given: {number: 1, third: $third, shade: PALE}) }", {}),
    ("query($third: Int = 2) { wanted(given: {number: 1, third: $third}) }", {"third": None}),
    ("query($given: Wanted!) { wanted(given: $given) }", {"given": {"number": 1, "shade": "PALE"}}),
    ("{ shade dark: shade(given: DARK) number undefined }", {}),
    ("{ stone { broken } stone { broken } }", {}),
    ("{ stone { broken sure } }", {}),
    ("{ stone { broken x: number } stone { y: number ...F } } fragment F on Stone { broken ...G } fragment G on Stone { number }", {}),
    ("{ found { __typename ... on Stone { number broken } ... on Shell { name } } }", {}),
    ("{ found { ... on Stone { number } } found { ... on Stone { number sure } } }", {}),
    ("{ largest beyond: largest(beyond: 1) }", {}),
    ("{ torn own }", {}),
    ('{ __typename again: __typename __schema { queryType { name } } __type(name: "Stone") { fields { name } } }', {}),
    ("query($name: String!) { __type(name: $name) { name } }", {"name": "Shell"}),
]


@pytest.mark.parametrize(("document", "variables"), ASKED)
async def test_data_errors_and_all_their_places_are_those_of_graphql_core(document: str, variables: dict[str, Any]):
    expected = await core(SCHEMA, document, variables)
    found = await ours(SCHEMA, document, variables)
    assert found.data == expected.data
    # Of siblings that come to nothing together, graphql-core tells some.
    assert set(map(repr, formatted(expected))) <= set(map(repr, formatted(found)))
    assert bool(expected.errors) == bool(found.errors)


def formatted(outcome: Outcome) -> list[Any]:
    return [error.formatted for error in outcome.errors]


async def test_a_text_is_no_list():
    found = await ours(SCHEMA, "{ letters }")
    assert found.data == {"letters": None}
    assert [error.path for error in found.errors] == [["letters"]]


async def test_a_union_has_none_but_its_types():
    @strawberry.type
    class Wrong:
        @strawberry.field
        def found(self) -> list[Optional[Found]]:  # noqa: UP045 - of a name in quotes
            return [Shell(name="whelk"), Unrelated(name="ship")]  # type: ignore[list-item]

    found = await ours(strawberry.Schema(Wrong, types=[Unrelated]), "{ found { ... on Shell { name } } }")
    assert found.data == {"found": [{"name": "whelk"}, None]}
    assert [error.path for error in found.errors] == [["found", 1]]


@pytest.mark.parametrize("name", ["Shell", "Query", "Int", "Nothing"])
async def test_an_interface_has_none_but_its_types(name: str):
    @strawberry.interface
    class Named:
        name: str

        @classmethod
        def resolve_type(cls, _value: object, _info: object, _kind: object) -> str:
            return name

    @strawberry.type
    class Wrong:
        @strawberry.field
        def named(self) -> Named | None:
            return Shell(name="whelk")  # type: ignore[return-value]

    found = await ours(strawberry.Schema(Wrong, types=[Shell]), "{ named { name } }")
    assert found.data == {"named": None}
    assert [error.path for error in found.errors] == [["named"]]


async def test_mutations_are_done_one_after_the_other():
    done: list[str] = []

    @strawberry.type
    class Mutation:
        @strawberry.mutation
        async def change(self, name: str) -> str:
            done.append(f"{name} begins")
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            done.append(f"{name} ends")
            return name

    await ours(strawberry.Schema(Query, Mutation), 'mutation { a: change(name: "a") b: change(name: "b") }')
    assert done == ["a begins", "a ends", "b begins", "b ends"]


@pytest.mark.parametrize("key", ["a'b", 'a"b', "a\\", "a}", "__import__('os')", "é"])
def test_no_response_key_is_read_as_python(key: str):
    """The language has no such names; and if it had, they would only be names."""
    with pytest.raises(GraphQLSyntaxError):
        parse(f"{{ {key}: echo }}")
    assert _mappings_by([key, "other"])([[1, 2], [3, 4]]) == [{key: 1, "other": 3}, {key: 2, "other": 4}]


@pytest.mark.parametrize("key", ["None", "lambda", "columns", "value_0", "zip", "__debug__", "_"])
async def test_names_that_mean_something_in_python_are_names(key: str):
    assert (await ours(SCHEMA, f"{{ {key}: echo value_1: echo }}")).data == {key: "'default'", "value_1": "'default'"}
