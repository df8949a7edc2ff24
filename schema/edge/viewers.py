"""Viewers, as far as a long connection has to know them."""

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol


class ConnectedViewer(Protocol):
    """Somebody with a valid token."""

    @property
    def id(self) -> Hashable:
        """The same for all tokens of one user."""

    @property
    def expires_at(self) -> datetime:
        """When the token they came with ends."""


class TooManyConnections(Exception):  # noqa: N818 - a refusal, not a malfunction
    """The viewer has as many connections as one viewer may have."""


class Seats:
    """The connections of this process, counted by viewer."""

    def __init__(self, *, per_viewer: int) -> None:
        self._per_viewer = per_viewer
        self._taken: Counter[Hashable] = Counter()

    @contextmanager
    def taken_by(self, viewer: ConnectedViewer) -> Iterator[None]:
        """Raises: TooManyConnections."""
        if self._taken[viewer.id] >= self._per_viewer:
            raise TooManyConnections
        self._taken[viewer.id] += 1
        try:
            yield
        finally:
            self._taken[viewer.id] -= 1
            if not self._taken[viewer.id]:
                del self._taken[viewer.id]
