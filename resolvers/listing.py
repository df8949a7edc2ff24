"""A page of a list, and a way to count the whole list that is used only when somebody asks."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from domain.paging import Page
from resolvers.batching import Loader
from resolvers.loaders import count_of

Item = TypeVar("Item")
Arguments = TypeVar("Arguments", bound=Hashable)
Key = TypeVar("Key", bound=Hashable)


class Parent(Protocol):
    @property
    def id(self) -> UUID: ...


@dataclass(frozen=True, slots=True)
class Listing(Generic[Item]):
    page: Page[Item]
    count: Callable[[], Awaitable[int]]


async def listings_of(
    parents: Sequence[Parent],
    pages: Loader[tuple[UUID, Arguments], Page[Item]],
    arguments: Arguments,
    counts: Loader[Key, int],
    key_of: Callable[[UUID], Any],
) -> list[Listing[Item]]:
    """A page of each parent's list. `key_of` makes of a parent's id the key by which `counts` knows its list."""
    found = await pages.load_many([(parent.id, arguments) for parent in parents])
    return [Listing(page or Page(), partial(count_of, counts, key_of(parent.id))) for parent, page in zip(parents, found, strict=True)]


def same(parent_id: UUID) -> UUID:
    """The key of counts that no argument narrows down."""
    return parent_id
