"""Loading in batches: what is asked for in one turn of the event loop is read together, and nothing read is kept."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Loader(Generic[Key, Value]):
    """None stands for a key without a value. `read` is given every key once."""

    def __init__(self, read: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]]) -> None:
        self._read = read
        self._wanted: dict[Key, None] = {}
        self._batch: asyncio.Task[Mapping[Key, Value]] | None = None
        self._waiting: dict[asyncio.Task[Mapping[Key, Value]], int] = {}

    async def load(self, key: Key) -> Value | None:
        return (await self._joined([key])).get(key)

    async def load_many(self, keys: Sequence[Key | None]) -> list[Value | None]:
        """In the same order; None for a key of None."""
        wanted = [key for key in keys if key is not None]
        if not wanted:
            return [None] * len(keys)
        found = await self._joined(wanted)
        return [None if key is None else found.get(key) for key in keys]

    async def _joined(self, keys: Sequence[Key]) -> Mapping[Key, Value]:
        """All that the batch has found which these keys are in."""
        if self._batch is None:
            self._batch = asyncio.create_task(self._read_together(), name="loader-batch")
        batch = self._batch
        self._wanted.update(dict.fromkeys(keys))
        self._waiting[batch] = self._waiting.get(batch, 0) + 1
        try:
            # Who asks may be cancelled; the others still wait for the batch.
            return await asyncio.shield(batch)
        finally:
            self._waiting[batch] -= 1
            if not self._waiting[batch]:
                del self._waiting[batch]
                self._give_up(batch)

    def _give_up(self, batch: asyncio.Task[Mapping[Key, Value]]) -> None:
        """Nobody waits for it any more; without effect on one that has ended."""
        batch.cancel()
        if self._batch is batch:
            self._wanted, self._batch = {}, None

    async def _read_together(self) -> Mapping[Key, Value]:
        # A task's first turn comes behind those that are about to ask.
        keys, self._wanted, self._batch = tuple(self._wanted), {}, None
        return await self._read(keys)
