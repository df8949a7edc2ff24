"""One read transaction for what is read in quick succession: the levels of a nested query, field beside field."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Final

from domain.ports import Records

TURNS: Final = 8
"""Turns of the event loop for which a transaction outlives its last reader: a level's answers take some to reach the next level."""


class SharedReading:
    """Readers take turns in one transaction, which ends when there have been none for `TURNS` turns of the event loop.

    So an operation that computes, or waits for anything but the database, holds no connection meanwhile. Beginning and ending a
    transaction cost the server as much as two statements do.
    """

    def __init__(self, begin: Callable[[], AbstractAsyncContextManager[Records]]) -> None:
        self._begin = begin
        self._transaction: AbstractAsyncContextManager[Records] | None = None
        self._records: Records | None = None
        self._turn = asyncio.Lock()
        self._readers = 0
        self._ending: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def records(self) -> AsyncIterator[Records]:
        self._readers += 1
        try:
            async with self._turn:
                try:
                    yield await self._opened()
                except BaseException:
                    # Nobody else reads in a transaction in which something has gone wrong.
                    if transaction := self._taken():
                        await transaction.__aexit__(*sys.exc_info())
                    raise
        finally:
            self._readers -= 1
            self._outlive(TURNS)

    async def _opened(self) -> Records:
        if self._records is None:
            transaction = self._begin()
            self._records = await transaction.__aenter__()
            self._transaction = transaction
        return self._records

    def _taken(self) -> AbstractAsyncContextManager[Records] | None:
        """The transaction, which whoever takes it ends; the next reader begins another."""
        transaction, self._transaction, self._records = self._transaction, None, None
        return transaction

    def _outlive(self, turns: int) -> None:
        if self._readers:
            return
        if turns:
            asyncio.get_running_loop().call_soon(self._outlive, turns - 1)
        elif transaction := self._taken():
            self._ending = asyncio.create_task(_end(transaction), name="shared-reading-end")


async def _end(transaction: AbstractAsyncContextManager[Records]) -> None:
    # What was read has been answered: a connection that is lost only now is the pool's business.
    with suppress(Exception):
        await transaction.__aexit__(None, None, None)
