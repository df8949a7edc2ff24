"""Readers that follow one another at once share a transaction, which ends without them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from resolvers.shared_reading import TURNS, SharedReading


class Transactions:
    """Notes what becomes of each."""

    def __init__(self) -> None:
        self.ends: list[str] = []
        self.open = 0

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Any]:
        self.open += 1
        number = len(self.ends)
        self.ends.append("open")
        try:
            yield number
            self.ends[number] = "committed"
        except BaseException:
            self.ends[number] = "undone"
            raise
        finally:
            self.open -= 1


@pytest.fixture
def transactions() -> Transactions:
    return Transactions()


@pytest.fixture
def shared(transactions: Transactions) -> SharedReading:
    return SharedReading(transactions.begin)


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_levels_that_follow_one_another_at_once_are_read_in_one_transaction(shared: SharedReading, transactions: Transactions):
    for _ in range(5):
        async with shared.records() as number:
            assert number == 0
            await turns(3)
        await turns(TURNS // 2)
    await turns(TURNS + 3)
    assert transactions.ends == ["committed"]


async def test_it_ends_while_something_else_is_waited_for(shared: SharedReading, transactions: Transactions):
    async with shared.records():
        pass
    await turns(TURNS + 3)
    assert transactions.open == 0
    async with shared.records() as number:
        assert number == 1


async def test_readers_take_turns(shared: SharedReading, transactions: Transactions):
    reading: list[int] = []

    async def read(reader: int) -> None:
        async with shared.records():
            reading.append(reader)
            await turns(reader + 1)
            assert reading[-1] == reader

    await asyncio.gather(*map(read, range(5)))
    await turns(TURNS + 3)
    assert transactions.ends == ["committed"]


async def test_after_a_failure_the_others_read_in_another_transaction(shared: SharedReading, transactions: Transactions):
    numbers: list[Any] = []

    async def read(*, fails: bool) -> None:
        async with shared.records() as number:
            numbers.append(number)
            await turns(2)
            if fails:
                raise LookupError

    found = await asyncio.gather(read(fails=False), read(fails=True), read(fails=False), return_exceptions=True)
    await turns(TURNS + 3)
    assert [type(each) for each in found] == [type(None), LookupError, type(None)]
    assert numbers == [0, 0, 1]
    assert transactions.ends == ["undone", "committed"]


async def test_a_cancelled_reader_leaves_no_transaction_open(shared: SharedReading, transactions: Transactions):
    async def read() -> None:
        async with shared.records():
            await asyncio.Event().wait()

    reading = asyncio.create_task(read())
    await turns(3)
    reading.cancel()
    await asyncio.wait([reading])
    assert transactions.ends == ["undone"]


@pytest.mark.parametrize("pause", range(2 * TURNS))
async def test_nobody_is_given_a_transaction_that_is_about_to_end(shared: SharedReading, transactions: Transactions, pause: int):
    async with shared.records():
        pass
    await turns(pause)
    async with shared.records() as number:
        await turns(2 * TURNS)
        assert transactions.ends[number] == "open"


async def test_a_reader_that_is_cancelled_before_its_turn_ends_nobody_elses_transaction(shared: SharedReading, transactions: Transactions):
    async def read() -> None:
        async with shared.records() as number:
            await turns(10)
            assert transactions.ends[number] == "open"

    first, second, third = (asyncio.create_task(read()) for _ in range(3))
    await turns(3)
    second.cancel()
    await asyncio.gather(first, third)
    await turns(TURNS + 3)
    assert second.cancelled()
    assert transactions.ends == ["committed"]


async def test_the_last_reader_s_transaction_ends_also_when_it_is_cancelled_before_its_turn(
    shared: SharedReading, transactions: Transactions
):
    async with shared.records():
        second = asyncio.create_task(shared.records().__aenter__())
        await turns(3)
    # It has been woken for its turn, and has not had it.
    second.cancel()
    await asyncio.wait([second])
    await turns(TURNS + 3)
    assert transactions.ends == ["committed"]
