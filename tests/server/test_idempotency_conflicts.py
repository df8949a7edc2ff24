"""A key stands for one request: whatever else is asked under it is refused, and the same in other words is the same.

Read off the schema: a mutation that will take a key is tried from then on, and fails here until its fields have samples.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputField,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_required_input_field,
    value_from_ast_untyped,
)

from tests.server import story
from tests.server.caller import Caller
from tests.server.contents import Contents
from tests.server.running import MODEL, Running
from tests.server.served_schema import SCHEMA, entity_named, input_fields
from tests.server.shelf import Shelf, fill_shelf

KEY = "idempotencyKey"
DEAR = "99.5"
# Of a field: what is asked first, and what is asked instead. Any two will do for a type; where one is picky, the name decides.
SAMPLES_BY_TYPE: Mapping[str, tuple[Any, Any]] = {"Boolean": (True, False), "Float": (1.0, 1.5), "USD": (DEAR, "99.500001")}
SAMPLES_BY_NAME: Mapping[str, tuple[Any, Any]] = {
    "instructions": ("Darker.", "darker."),
    "model": (MODEL, "gpt-4.1"),
    "tokenBudget": (8000, 8001),
}
# What a start needs beside what the schema requires of it.
NEEDED_AS_WELL: Mapping[str, frozenset[str]] = {"startChapterRevision": frozenset({"instructions"})}
OTHER_SPELLINGS: Mapping[str, tuple[Any, ...]] = {"USD": ("99.50", "0099.500000", "9.95e1", 99.5)}

assert SCHEMA.mutation_type is not None
STARTS = tuple(name for name in SCHEMA.mutation_type.fields if KEY in input_fields(name))
FIELDS = [(start, name) for start in STARTS for name in input_fields(start) if name != KEY]
OPTIONAL = [(start, name) for start, name in FIELDS if not is_required_input_field(input_fields(start)[name])]
SPELLED = [
    (start, name, spelling)
    for start, name in FIELDS
    for spelling in OTHER_SPELLINGS.get(get_named_type(input_fields(start)[name].type).name, ())
]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What can be asked for: `one` and `other` hold ids of the same kinds of entities."""

    one: Shelf
    other: Shelf

    def full(self, start: str) -> dict[str, Any]:
        """A request that says everything."""
        return {name: self._samples(name, field)[0] for name, field in input_fields(start).items() if name != KEY}

    def bare(self, start: str) -> dict[str, Any]:
        """One that says only what must be said."""
        required = {name for name, field in input_fields(start).items() if is_required_input_field(field)}
        required |= NEEDED_AS_WELL.get(start, frozenset())
        return {name: value for name, value in self.full(start).items() if name in required}

    def instead(self, start: str, name: str) -> Any:
        return self._samples(name, input_fields(start)[name])[1]

    def _samples(self, name: str, field: GraphQLInputField) -> tuple[Any, Any]:
        kind = get_named_type(field.type)
        if name in SAMPLES_BY_NAME:
            samples = SAMPLES_BY_NAME[name]
        elif kind.name == "ID":
            entity = entity_named(name)
            samples = (self.one.ids[entity], self.other.ids[entity])
        elif isinstance(kind, GraphQLEnumType):
            one, other, *_ = kind.values
            samples = (one, other)
        else:
            assert kind.name in SAMPLES_BY_TYPE, f"give two samples for {name}"
            samples = SAMPLES_BY_TYPE[kind.name]
        return ([samples[0]], [samples[1]]) if is_list_type(get_nullable_type(field.type)) else samples


@dataclass(frozen=True, slots=True)
class Kept:
    """A key and what it stands for; the job is over, so that nothing changes by itself."""

    key: str
    request: dict[str, Any]
    job: str


@pytest.fixture(scope="module")
async def wishes(shared_app: Running) -> Wishes:
    return Wishes(await fill_shelf(shared_app, "ada"), await fill_shelf(shared_app, "ada"))


@pytest.fixture(scope="module")
async def full(ada: Caller, wishes: Wishes) -> Mapping[str, Kept]:
    return {start: await keep(ada, start, wishes.full(start), key=f"all of {start}") for start in STARTS}


@pytest.fixture(scope="module")
async def bare(ada: Caller, wishes: Wishes) -> Mapping[str, Kept]:
    return {start: await keep(ada, start, wishes.bare(start), key=f"the least of {start}") for start in STARTS}


@pytest.fixture
async def unchanged(contents: Contents, full: Mapping[str, Kept], bare: Mapping[str, Kept]) -> AsyncIterator[None]:
    """Nothing is written while the test runs."""
    before = contents.digest()
    yield
    assert contents.digest() == before


async def keep(ada: Caller, start: str, request: dict[str, Any], *, key: str) -> Kept:
    job = await ada.change(start, **request, idempotencyKey=key)
    await story.watch(ada.client, job)
    return Kept(key, request, job)


async def assert_conflict(ada: Caller, start: str, kept: Kept, request: dict[str, Any]) -> None:
    error = await ada.refusal(start, **request, idempotencyKey=kept.key)
    assert (error["__typename"], error["code"]) == ("IdempotencyConflictError", "IDEMPOTENCY_MISMATCH")
    assert (error["path"], error["job"]) == (["input", KEY], {"id": kept.job})


def test_there_are_mutations_with_a_key_and_fields_to_change():
    assert {"startChapterGeneration", "startChapterRevision", "startAssessment"} <= {*STARTS}
    assert len(FIELDS) > len(STARTS)
    assert SPELLED


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(("start", "name"), FIELDS)
async def test_another_value_in_one_field_is_another_request(ada: Caller, full: Mapping[str, Kept], wishes: Wishes, start: str, name: str):
    kept = full[start]
    await assert_conflict(ada, start, kept, {**kept.request, name: wishes.instead(start, name)})


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(("start", "name"), OPTIONAL)
async def test_a_field_left_out_is_another_request(ada: Caller, full: Mapping[str, Kept], start: str, name: str):
    kept = full[start]
    await assert_conflict(ada, start, kept, {field: value for field, value in kept.request.items() if field != name})


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(("start", "name"), OPTIONAL)
async def test_a_field_more_is_another_request(ada: Caller, bare: Mapping[str, Kept], wishes: Wishes, start: str, name: str):
    kept = bare[start]
    meant = kept.request.get(name, default_of(input_fields(start)[name]))
    said = next(value for value in (wishes.full(start)[name], wishes.instead(start, name)) if value != meant)
    await assert_conflict(ada, start, kept, {**kept.request, name: said})


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("start", STARTS)
async def test_the_order_of_fields_says_nothing(ada: Caller, full: Mapping[str, Kept], start: str):
    kept = full[start]
    backwards = dict(reversed([*kept.request.items(), (KEY, kept.key)]))
    assert list(backwards) != [*kept.request, KEY]
    assert await ada.change(start, **backwards) == kept.job


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("start", STARTS)
async def test_a_default_that_is_spelled_out_and_one_that_is_left_out_are_the_same(ada: Caller, bare: Mapping[str, Kept], start: str):
    kept = bare[start]
    optional = {name: field for name, field in input_fields(start).items() if name != KEY and name not in kept.request}
    spelled_out = {name: default_of(field) for name, field in optional.items()}
    nulls = dict.fromkeys(optional)
    assert any(value is not None for value in spelled_out.values())
    for request in (kept.request, {**kept.request, **spelled_out}, {**kept.request, **nulls}):
        assert await ada.change(start, **request, idempotencyKey=kept.key) == kept.job


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(("start", "name", "spelling"), SPELLED)
async def test_equal_values_are_the_same_however_they_are_written(
    ada: Caller, full: Mapping[str, Kept], start: str, name: str, spelling: object
):
    kept = full[start]
    assert await ada.change(start, **{**kept.request, name: spelling}, idempotencyKey=kept.key) == kept.job


def default_of(field: GraphQLInputField) -> object:
    """Null where the schema has none."""
    assert field.ast_node is not None
    literal = field.ast_node.default_value
    return None if literal is None else value_from_ast_untyped(literal)
