"""Pages of keyset-ordered lists, as Relay's connections ask for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item_co = TypeVar("Item_co", covariant=True)

DEFAULT_PAGE_SIZE = 20
MAXIMUM_PAGE_SIZE = 100

Cursor = tuple[str | int, ...]
"""The ordering values of one item, its id last; times as ISO 8601 text. Two cursors compare as their items are ordered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """The first `limit` items after `after`, or (backwards) the last `limit` before `before`, in list order either way."""

    limit: int = DEFAULT_PAGE_SIZE
    after: Cursor | None = None
    before: Cursor | None = None
    backwards: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item_co]):
    """`cursors[i]` belongs to `items[i]`."""

    items: tuple[Item_co, ...] = ()
    cursors: Sequence[Cursor] = ()
    has_next: bool = False
    has_previous: bool = False
