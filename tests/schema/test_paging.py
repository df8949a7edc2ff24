"""Connections: pages forwards and backwards, cursors that go on exactly, sizes and cursors that are refused."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.edge.errors import ErrorCode, RequestError
from schema.paging import page_request, read_cursor, read_sequence, write_cursor, write_sequence

CHAPTERS = """query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
    project(id: $id) { chapters(first: $first, after: $after, last: $last, before: $before) {
        totalCount nodes { title } edges { cursor node { title } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""


@pytest.fixture
async def book(api):
    project = await api.project()
    for number in range(1, 6):
        await api.chapter(project, title=f"Chapter {number}")
    return project


def titles(connection):
    return [node["title"].removeprefix("Chapter ") for node in connection["nodes"]]


async def page(api, book, **arguments):
    return (await api.ask(CHAPTERS, id=book, **arguments))["project"]["chapters"]


async def test_walking_forwards_meets_everything_once_in_order(api, book):
    met, after, more = [], None, True
    while more:
        connection = await page(api, book, first=2, **({"after": after} if after else {}))
        met += titles(connection)
        after, more = connection["pageInfo"]["endCursor"], connection["pageInfo"]["hasNextPage"]
    assert met == ["1", "2", "3", "4", "5"]


async def test_walking_backwards_meets_the_same_from_the_end(api, book):
    last = await page(api, book, last=2)
    assert (titles(last), last["pageInfo"]["hasPreviousPage"], last["pageInfo"]["hasNextPage"]) == (["4", "5"], True, False)
    previous = await page(api, book, last=2, before=last["pageInfo"]["startCursor"])
    assert titles(previous) == ["2", "3"]


async def test_nodes_and_edges_and_page_info_agree(api, book):
    connection = await page(api, book, first=3)
    assert [edge["node"] for edge in connection["edges"]] == connection["nodes"]
    cursors = [edge["cursor"] for edge in connection["edges"]]
    assert [connection["pageInfo"]["startCursor"], connection["pageInfo"]["endCursor"]] == [cursors[0], cursors[-1]]
    assert connection["totalCount"] == 5


async def test_an_empty_list_has_no_cursors(api):
    connection = await page(api, await api.project())
    assert connection["pageInfo"] == {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    assert (connection["nodes"], connection["totalCount"]) == ([], 0)


async def test_a_page_has_twenty_items_unless_asked_otherwise(api):
    project = await api.project()
    for number in range(21):
        await api.chapter(project, title=f"Chapter {number}")
    assert len((await page(api, project))["nodes"]) == 20
    assert len((await page(api, project, first=100))["nodes"]) == 21


@pytest.mark.parametrize("arguments", [{"first": 0}, {"first": 101}, {"first": -1}, {"last": 0}, {"last": 101}, {"first": 1, "last": 1}])
async def test_sizes_out_of_bounds_are_refused(api, book, arguments):
    error = await api.error(CHAPTERS, id=book, **arguments)
    assert isinstance(error, RequestError)
    assert error.code is ErrorCode.BAD_USER_INPUT


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "W10", "e30", "W251bGxd", "é", "[1]", "W1sxXV0", "WzEuNV0", "W3RydWVd", "a" * 3000])
async def test_what_is_no_cursor_is_refused(api, book, cursor):
    error = await api.error(CHAPTERS, id=book, after=cursor)
    assert isinstance(error, RequestError)
    assert error.code is ErrorCode.BAD_USER_INPUT


@pytest.mark.parametrize(
    "content", [[1], ["a", "b"], [1, "not a uuid"], [2**40, "00000000-0000-0000-0000-000000000001"], [1, 2, 3], ["\x00", 1]]
)
async def test_a_cursor_of_another_list_is_refused(api, book, content):
    cursor = base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
    from domain.errors import InvalidInput

    assert isinstance(await api.error(CHAPTERS, id=book, after=cursor), InvalidInput)


@given(st.lists(st.text(st.characters(codec="utf-8")) | st.integers(), min_size=1, max_size=3).map(tuple))
def test_a_cursor_is_read_as_it_was_written(cursor):
    text = write_cursor(cursor)
    if len(text) <= 2000:
        assert read_cursor(text) == cursor


@given(st.integers(0, 2**31 - 1))
def test_a_log_position_is_read_as_it_was_written(sequence):
    assert read_sequence(write_sequence(sequence)) == sequence


@pytest.mark.parametrize("cursor", [("1",), (1, 2), (-1,), (2**31,)])
def test_a_cursor_of_a_list_is_no_log_position(cursor):
    with pytest.raises(RequestError):
        read_sequence(write_cursor(cursor))


def test_null_arguments_are_as_if_left_out():
    assert page_request(first=None, after=None, last=None, before=None) == page_request()
    assert read_sequence(None) == 0
