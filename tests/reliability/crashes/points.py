"""The named points at which a process can be made to die, and what is put around the ports to notice that one is reached.

Whatever a job leaves behind, it leaves through a port, so between two calls of ports it does not matter where a process dies. The names
come from the ports themselves: who adds a method adds points, and a test fails until they are exercised.
"""

import inspect
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from uuid import UUID

from domain.jobs.ports import JobDesk
from domain.llm.model import Completed, CompletionRequest, LanguageModel, TextDelta
from domain.ports import Library, Records

Reached = Callable[[str], None]

MID_STREAM = "mid stream"
TAKEN_UP = "make_current"
"""Of Records.versions: in a transaction without any of the methods below, a revision takes the place of what it was made of."""
COMMITTED = ("create", "request_cancel", "retry", "change_cost_limit", "complete_step", "finish")
"""The methods of Records.jobs that change a job. A transaction is named for the last of them that was called in it."""


def methods_of(port: type) -> Sequence[str]:
    return [name for name, method in vars(port).items() if inspect.iscoroutinefunction(method)]


def all_points() -> Sequence[str]:
    of_desk = [point for name in methods_of(JobDesk) for point in (f"before {name}", f"after {name}")]
    of_library = [point for name in (*COMMITTED, TAKEN_UP) for point in (f"before commit of {name}", f"after commit of {name}")]
    return [*of_desk, *of_library, MID_STREAM]


class WatchedDesk:
    """Behind a method that looks for something to do, the point is reached when there was something."""

    def __init__(self, desk: JobDesk, reached: Reached) -> None:
        self._desk = desk
        self._reached = reached

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._desk, name)

        async def watched(*arguments: Any, **named: Any) -> Any:
            self._reached(f"before {name}")
            answer = await method(*arguments, **named)
            if answer or name not in {"claim_next", "resume_waiting"}:
                self._reached(f"after {name}")
            return answer

        return watched


class WatchedLibrary:
    def __init__(self, library: Library, reached: Reached) -> None:
        self._library = library
        self._reached = reached

    def reading(self, user_id: UUID) -> AbstractAsyncContextManager[Records]:
        return self._library.reading(user_id)

    @asynccontextmanager
    async def writing(self, user_id: UUID) -> AsyncIterator[Any]:
        async with self._library.writing(user_id) as records:
            watched = _WatchedRecords(records)
            yield watched
            if watched.called:
                self._reached(f"before commit of {watched.called}")
        if watched.called:
            self._reached(f"after commit of {watched.called}")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)


class _WatchedRecords:
    """`called` is the last writing method of `jobs` that was called, else TAKEN_UP if that was, and is empty before."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self.called = ""

    @property
    def jobs(self) -> Any:
        return _WatchedJobs(self)

    @property
    def versions(self) -> Any:
        return _WatchedVersions(self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)


class _WatchedJobs:
    def __init__(self, watched: _WatchedRecords) -> None:
        self._watched = watched

    def __getattr__(self, name: str) -> Any:
        if name in COMMITTED:
            self._watched.called = name
        return getattr(self._watched._records.jobs, name)


class _WatchedVersions:
    def __init__(self, watched: _WatchedRecords) -> None:
        self._watched = watched

    def __getattr__(self, name: str) -> Any:
        if name == TAKEN_UP and not self._watched.called:
            self._watched.called = name
        return getattr(self._watched._records.versions, name)


class WatchedModel:
    def __init__(self, model: LanguageModel, reached: Reached) -> None:
        self._model = model
        self._reached = reached

    @asynccontextmanager
    async def stream(self, request: CompletionRequest) -> AsyncIterator[AsyncIterator[TextDelta | Completed]]:
        async with self._model.stream(request) as items:
            yield self._watch(items)

    async def _watch(self, items: AsyncIterator[TextDelta | Completed]) -> AsyncIterator[TextDelta | Completed]:
        async for item in items:
            yield item
            self._reached(MID_STREAM)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)
