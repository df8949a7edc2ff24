"""A page of a list, and a way to count the whole list that is used only when somebody asks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from domain.paging import Page

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Listing(Generic[Item]):
    page: Page[Item]
    count: Callable[[], Awaitable[int]]
