"""Executing a document so that nothing of it is left behind."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from inspect import CORO_CREATED, getcoroutinestate, iscoroutine
from typing import Any, TypeGuard

from graphql import ExecutionResult, ExperimentalIncrementalExecutionResults
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.utils.await_maybe import await_maybe


class TidyExecutor(StrawberryGraphQLCoreExecutionContext):
    """Ends together with an operation what was begun for it, and what was only going to be.

    graphql-core 3.3 calls the resolvers of a selection at once and awaits their coroutines later, each in a task. A task that
    is cancelled before its first turn, by a deadline or because a sibling that cannot be null has failed, drops the coroutines
    it was to await, and Python complains about each of them whenever its garbage is collected, in the middle of other work.
    What it lets "settle in the background" after a failure would still read the database when the client has its answer.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._coroutines: list[Coroutine[Any, Any, Any]] = []
        self.is_awaitable = _noting(self._coroutines, self.is_awaitable)

    async def execute_operation(self, serially: bool | None = None) -> ExecutionResult | ExperimentalIncrementalExecutionResults:
        try:
            return await await_maybe(super().execute_operation(serially))
        finally:
            try:
                await self._end_background()
            finally:
                self._close_what_never_began()

    def complete_list_item_value(self, item: Any, complete_results: list[Any], *rest: Any) -> bool:
        is_pending = super().complete_list_item_value(item, complete_results, *rest)
        if is_pending:
            # Of the coroutines of our resolvers, which make no lists of awaitables, the only one not shown to `is_awaitable`.
            self._coroutines.append(complete_results[-1])
        return is_pending

    async def _end_background(self) -> None:
        background = list(self.background_futures)
        for future in background:
            future.cancel()
        await asyncio.gather(*background, return_exceptions=True)

    def _close_what_never_began(self) -> None:
        for coroutine in self._coroutines:
            if getcoroutinestate(coroutine) == CORO_CREATED:
                coroutine.close()
        self._coroutines.clear()


def _noting(coroutines: list[Coroutine[Any, Any, Any]], is_awaitable: Callable[[Any], bool]) -> Callable[[Any], TypeGuard[Awaitable[Any]]]:
    """Whatever is going to be awaited is first shown to `is_awaitable`."""

    def noting(value: Any) -> TypeGuard[Awaitable[Any]]:
        if not is_awaitable(value):
            return False
        if iscoroutine(value):
            coroutines.append(value)
        return True

    return noting
