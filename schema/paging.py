"""Relay connections: arguments, cursors, pages."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import strawberry
from strawberry import UNSET, Parent

from domain.paging import DEFAULT_PAGE_SIZE, MAXIMUM_PAGE_SIZE, Cursor, PageRequest
from resolvers.listing import Listing
from schema.edge.errors import ErrorCode, RequestError
from schema.fields import argument, attribute, field, present

Entity = TypeVar("Entity")

_LONGEST_CURSOR = 2_000
_TO_JSON = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode

# A statement that reads the index of the whole list.
COUNTING = 5

First = Annotated[
    int | None,
    argument(
        f"How many items, from the start or from behind `after`: 1 to {MAXIMUM_PAGE_SIZE}, {DEFAULT_PAGE_SIZE} by default. Not together with `last`."
    ),
]
After = Annotated[str | None, argument("Only what comes behind this cursor.")]
Last = Annotated[
    int | None, argument(f"How many items from the end or from before `before`: 1 to {MAXIMUM_PAGE_SIZE}. Not together with `first`.")
]
Before = Annotated[str | None, argument("Only what comes before this cursor.")]


@dataclass(frozen=True, slots=True)
class Item:
    cursor: str
    node: object


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = attribute("Whether there is more behind this page.")
    has_previous_page: bool = attribute("Whether there is more before this page.")
    start_cursor: str | None = attribute("The first item's cursor; null for an empty page.")
    end_cursor: str | None = attribute("The last item's cursor: pass it as `after` for the next page. Null for an empty page.")


@strawberry.type(description="An item and its place in the list.")
class Edge(Generic[Entity]):
    cursor: str = attribute("The place of this item, for `after` and `before`. Opaque, and good only for the same list in the same order.")
    node: Entity = attribute("The item.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[Entity]):
    @field(list[Edge[Entity]], "The items with their cursors.")
    @staticmethod
    def edges(parent: Parent[Listing[Any]]) -> list[Item]:
        page = parent.page
        return [Item(write_cursor(cursor), item) for cursor, item in zip(page.cursors, page.items, strict=True)]

    @field(list[Entity], "The items.")
    @staticmethod
    def nodes(parent: Parent[Listing[Any]]) -> tuple[Any, ...]:
        return parent.page.items

    @field(PageInfo, "Where the page lies in its list.")
    @staticmethod
    def page_info(parent: Parent[Listing[Any]]) -> PageInfo:
        page = parent.page
        return PageInfo(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=write_cursor(page.cursors[0]) if page.cursors else None,
            end_cursor=write_cursor(page.cursors[-1]) if page.cursors else None,
        )

    @field(int, "How many items the whole list has. Counted only when it is asked for.", weight=COUNTING)
    @staticmethod
    async def total_count(parent: Parent[Listing[Any]]) -> int:
        return await parent.count()


def page_request(
    *, first: int | None = UNSET, after: str | None = UNSET, last: int | None = UNSET, before: str | None = UNSET
) -> PageRequest:
    """Raises RequestError for a size out of bounds, `first` and `last` together, or a cursor that was not made here."""
    size, from_end = present(first), present(last)
    if size is not None and from_end is not None:
        raise _refused("Ask for `first` or for `last`, not for both.")
    limit = size if size is not None else from_end if from_end is not None else DEFAULT_PAGE_SIZE
    if not 1 <= limit <= MAXIMUM_PAGE_SIZE:
        raise _refused(f"A page has 1 to {MAXIMUM_PAGE_SIZE} items.")
    return PageRequest(limit=limit, after=_given_cursor(after), before=_given_cursor(before), backwards=from_end is not None)


def write_cursor(cursor: Cursor) -> str:
    return base64.urlsafe_b64encode(_TO_JSON(cursor).encode()).rstrip(b"=").decode()


def read_cursor(text: str) -> Cursor:
    """Raises RequestError unless `write_cursor` could have made it; whether it fits a list, the list decides."""
    if len(text) <= _LONGEST_CURSOR and text.isascii():
        try:
            content = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        except (binascii.Error, UnicodeDecodeError, json.JSONDecodeError, RecursionError):
            content = None
        if isinstance(content, list) and content and all(type(value) in {str, int} for value in content):
            return tuple(content)
    raise _refused("This is not a cursor.")


def write_sequence(sequence: int) -> str:
    """The cursor of a job's event, the same in its connection and in its subscription."""
    return write_cursor((sequence,))


def read_sequence(text: str | None) -> int:
    """The sequence to go on behind: 0 without a cursor. Raises RequestError."""
    match _given_cursor(text) or ():
        case ():
            return 0
        case (int(sequence),) if 0 <= sequence < 1 << 31:
            return sequence
        case _:
            raise _refused("This is not a cursor of a job's log.")


def _given_cursor(text: str | None) -> Cursor | None:
    cursor = present(text)
    return None if cursor is None else read_cursor(cursor)


def _refused(message: str) -> RequestError:
    return RequestError(ErrorCode.BAD_USER_INPUT, message)
