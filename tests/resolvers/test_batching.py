"""What is asked for together is read together, whoever asks, and whoever does not wait for it."""

import asyncio
from collections.abc import Sequence

import pytest

from resolvers.batching import Loader


class Shelf:
    """Answers with the length of each key, when it may."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.interrupted = 0

    async def read(self, keys: Sequence[str]) -> dict[str, int]:
        self.asked.append(tuple(keys))
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.interrupted += 1
            raise
        if "bad" in keys:
            raise LookupError("bad")
        return {key: len(key) for key in keys if key != "none"}


async def test_what_is_asked_for_in_one_turn_is_read_together_and_each_key_once():
    shelf = Shelf()
    loader = Loader(shelf.read)
    assert await asyncio.gather(loader.load("a"), loader.load_many(["bb", None, "a", "none"]), loader.load("bb")) == [
        1,
        [2, None, 1, None],
        2,
    ]
    assert shelf.asked == [("a", "bb", "none")]


async def test_nothing_is_kept():
    shelf = Shelf()
    loader = Loader(shelf.read)
    assert [await loader.load("a"), await loader.load("a")] == [1, 1]
    assert shelf.asked == [("a",), ("a",)]


async def test_nothing_is_read_for_keys_of_none():
    shelf = Shelf()
    assert await Loader(shelf.read).load_many([None, None]) == [None, None]
    assert shelf.asked == []


async def test_what_fails_fails_for_all_of_the_batch_and_for_nobody_else():
    loader = Loader(Shelf().read)
    found = await asyncio.gather(loader.load("a"), loader.load("bad"), return_exceptions=True)
    assert [type(each) for each in found] == [LookupError, LookupError]
    assert await loader.load("a") == 1


async def test_others_get_their_values_when_one_of_them_is_cancelled():
    shelf = Shelf()
    shelf.open.clear()
    loader = Loader(shelf.read)
    impatient, patient = asyncio.create_task(loader.load("a")), asyncio.create_task(loader.load("bb"))
    await asyncio.sleep(0.01)
    impatient.cancel()
    await asyncio.wait([impatient])
    shelf.open.set()
    assert await patient == 2
    assert shelf.interrupted == 0


@pytest.mark.parametrize("turns", range(4))
async def test_a_batch_that_nobody_waits_for_any_more_is_given_up_and_the_next_one_is_whole(turns: int):
    shelf = Shelf()
    shelf.open.clear()
    loader = Loader(shelf.read)
    asked = asyncio.create_task(loader.load("a"))
    for _ in range(turns):
        await asyncio.sleep(0)
    asked.cancel()
    again = asyncio.create_task(loader.load("bb"))
    await asyncio.wait([asked])
    shelf.open.set()
    assert await again == 2
    assert shelf.interrupted == sum("a" in keys for keys in shelf.asked)


async def test_a_batch_that_is_given_up_takes_nothing_from_the_next_one_that_is_being_collected():
    shelf = Shelf()
    shelf.open.clear()
    loader = Loader(shelf.read)
    asked = asyncio.create_task(loader.load("a"))
    for _ in range(3):
        await asyncio.sleep(0)
    # The next one is begun in the very turn in which the first is given up.
    again = asyncio.create_task(loader.load("bb"))
    asked.cancel()
    await asyncio.wait([asked])
    shelf.open.set()
    assert await again == 2
    assert shelf.asked == [("a",), ("bb",)]
