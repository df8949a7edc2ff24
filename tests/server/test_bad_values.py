"""Every place of the schema that takes a value, tried with values that it must not take: a typed refusal, and nothing has changed.

The places are read from the schema, so what is added to it is tried from then on.
"""

from typing import Any

import pytest
from graphql import GraphQLEnumType

from tests.server.caller import Caller
from tests.server.contents import Contents
from tests.server.served_schema import Place, places
from tests.server.shelf import Shelf

PLACES = list(places())
TEXTS = [place for place in PLACES if place.kind.name == "String"]
IDS = [place for place in PLACES if place.kind.name == "ID"]
PAGE_SIZES = [place for place in PLACES if place.argument in {"first", "last"}]
CURSORS = [place for place in TEXTS if place.argument in {"after", "before"}]

BROKEN_TEXTS = ("te\x00xt", "te\x07xt", "te\x1bxt", "te\x9fxt", "te\ud83dxt", "te\udc00xt")
BROKEN_CURSORS = ("", "!", "nonsense", "bnVsbA", "W10", "W251bGxd", "W3t9XQ", "WzFd", "WyIiXQ", "WzEsMiwzLDQsNV0", "A" * 3000, "é")
"""Neither base64 nor JSON; JSON of null, [], [null], [{}], [1], [""] and more values than any list is ordered by; much too long."""

WRONG_VALUES: dict[str, tuple[Any, ...]] = {
    "String": (7, True, {"a": 1}),
    "ID": (1.5, True, {"a": 1}),
    "Int": ("1", 1.5, True, 2**31, -(2**31) - 1, 10**400),
    "Float": ("1", True, 10**400),
    "Boolean": ("true", 1),
    "USD": ("NaN", "sNaN", "Infinity", "1,5", "", "\ud83d", "1" * 50, True, {"a": 1}),
    "DateTime": ("yesterday", "2026-01-31", "2026-01-31T12:00:00", "0001-01-01T00:00:00+23:59", "\x00", 7, True),
}


@pytest.fixture(autouse=True)
async def nothing_changes(own: Shelf, foreign: Shelf, contents: Contents):
    before = contents.digest()
    yield
    assert contents.digest() == before


@pytest.mark.parametrize("place", TEXTS, ids=str)
async def test_broken_text_is_refused_at_its_place(ada: Caller, own: Shelf, place: Place):
    for text in BROKEN_TEXTS:
        answer = await ada.send(place.document, **place.variables(text, own.ids))
        if place.owner == "Mutation":
            (error,) = answer.data[place.field]["errors"]
            assert (error["__typename"], error["code"], error["path"]) == ("InvalidInputError", "INVALID", place.error_path), repr(text)
        else:
            assert answer.code == "BAD_USER_INPUT", repr(text)


@pytest.mark.parametrize("place", IDS, ids=str)
async def test_an_id_that_names_nothing_one_may_see_is_not_found_whatever_it_is(ada: Caller, own: Shelf, foreign: Shelf, place: Place):
    prefix = own.ids[place.entity].partition("_")[0]
    unknown = f"{prefix}_{'0' * 25}7"
    malformed = ("", "nonsense", prefix, f"{prefix}_", f"{prefix}_{'z' * 26}", own.ids[place.entity].upper(), *BROKEN_TEXTS)
    answers = {value: await _ask_for(ada, own, place, value) for value in (unknown, foreign.ids[place.entity], *malformed)}
    for value, answer in answers.items():
        assert answer == answers[unknown], repr(value)


async def _ask_for(ada: Caller, own: Shelf, place: Place, value: str) -> Any:
    """What is answered, apart from the id that it repeats."""
    answer = await ada.send(place.document, **place.variables(value, own.ids))
    if place.owner == "Mutation":
        (error,) = answer.data[place.field]["errors"]
        assert (error["__typename"], error["code"], error["path"]) == ("NotFoundError", "NOT_FOUND", place.error_path)
        assert error.pop("id") == value
        return error
    if place.answers_null:
        assert answer.data[place.field] == ([None] if place.many else None)
        return None
    assert answer.code == "BAD_USER_INPUT"
    return answer.error["message"]


@pytest.mark.parametrize("place", PLACES, ids=str)
async def test_a_value_of_another_type_is_an_error_of_the_request(ada: Caller, own: Shelf, place: Place):
    wrong = ("NO_SUCH_VALUE", "", "\ud83d", 1, True) if isinstance(place.kind, GraphQLEnumType) else WRONG_VALUES[place.kind.name]
    for value in wrong:
        answer = await ada.send(place.document, **place.variables(value, own.ids))
        assert (answer.status, answer.code) == (400, "BAD_USER_INPUT"), repr(value)


@pytest.mark.parametrize("place", PAGE_SIZES, ids=str)
async def test_a_page_has_1_to_100_items(ada: Caller, own: Shelf, place: Place):
    for size in (0, 101, -1, 2**31 - 1, -(2**31)):
        assert (await ada.send(place.document, **place.variables(size, own.ids))).code == "BAD_USER_INPUT", size
    for size in (1, 100):
        assert "errors" not in (await ada.send(place.document, **place.variables(size, own.ids))).body


@pytest.mark.parametrize("place", [place for place in PAGE_SIZES if place.argument == "last"], ids=str)
async def test_a_page_is_from_one_end_of_its_list(ada: Caller, own: Shelf, place: Place):
    document = place.document.replace("(last: $last)", "(last: $last, first: 1)")
    assert document != place.document
    assert (await ada.send(document, **place.variables(1, own.ids))).code == "BAD_USER_INPUT"


@pytest.mark.parametrize("place", CURSORS, ids=str)
async def test_what_is_no_cursor_of_the_list_is_refused(ada: Caller, own: Shelf, place: Place):
    for cursor in BROKEN_CURSORS:
        if place.owner == "Job" and cursor == "WzFd":
            continue  # the cursor of a log's first event
        assert (await ada.send(place.document, **place.variables(cursor, own.ids))).code == "BAD_USER_INPUT", cursor
