"""Where values go: each level of a response knows the level above it, and paths are only put together for errors."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from schema.execution.run import Places


class Root:
    def path(self, _index: int) -> list[str | int]:
        return []


ROOT: Final = Root()


@dataclass(frozen=True, slots=True)
class Column:
    """The values of one field."""

    objects: Places
    key: str

    def path(self, index: int) -> list[str | int]:
        return [*self.objects.path(index), self.key]


@dataclass(frozen=True, slots=True)
class Items:
    """The items of several lists, one list behind the other. `starts` says for each list where its items begin."""

    lists: Places
    starts: Sequence[int]

    def path(self, index: int) -> list[str | int]:
        owner = bisect_right(self.starts, index) - 1
        return [*self.lists.path(owner), index - self.starts[owner]]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some of the values of another level."""

    among: Places
    indices: Sequence[int]

    def path(self, index: int) -> list[str | int]:
        return self.among.path(self.indices[index])
