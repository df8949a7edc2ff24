"""A bounded number of connections, of which the one used last is taken first.

A connection comes back only when it is known to be outside any transaction; of any other the pool rids itself.
"""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from persistence.connection import Driver

CHECKOUT_SECONDS = 60
"""How long to wait for a free connection: longer than any operation may take, whose own deadline is an answer that a client understands."""
RECYCLE_SECONDS = 1800
ROLLBACK_SECONDS = 5


class Pool:
    """`connect` opens a connection; there are never more than `size`, and none before it is wanted."""

    def __init__(self, connect: Callable[[], Awaitable[Driver]], *, size: int) -> None:
        self._connect = connect
        self._free = asyncio.Semaphore(size)
        self._idle: list[Driver] = []
        self._opened: dict[Driver, float] = {}
        self._renewed = float("-inf")
        self._is_closed = False
        self.in_use = 0

    async def take(self) -> Driver:
        """Whoever takes a connection gives it back or up. Raises what the driver raises where none can be opened, or sqlalchemy.exc.TimeoutError."""
        if self._free.locked():
            await self._wait()
        else:
            await self._free.acquire()
        self.in_use += 1
        try:
            return await self._idle_or_new()
        except BaseException:
            self._release()
            raise

    def give_back(self, driver: Driver) -> None:
        if driver.is_closed() or driver.is_in_transaction() or self._is_closed:
            self._opened.pop(driver, None)
            driver.terminate()
        else:
            self._idle.append(driver)
        self._release()

    async def give_up(self, driver: Driver) -> None:
        """Give a connection back whose transaction is not to be committed, wherever in it something has gone wrong."""
        try:
            if not driver.is_closed():
                async with asyncio.timeout(ROLLBACK_SECONDS):
                    await driver.execute("ROLLBACK")
        except Exception:  # noqa: BLE001  - what went wrong first is what is told
            driver.terminate()
        except BaseException:
            driver.terminate()
            raise
        finally:
            self.give_back(driver)

    def renew(self) -> None:
        """Replace all connections before they are used again: what they have prepared is of no use any more."""
        self._renewed = asyncio.get_running_loop().time()

    async def close(self) -> None:
        """Connections in use are closed when they come back."""
        self._is_closed = True
        while self._idle:
            await self._part_with(self._idle.pop())

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(CHECKOUT_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise PoolTimeoutError("No connection to the database has become free in time.") from None

    async def _idle_or_new(self) -> Driver:
        now = asyncio.get_running_loop().time()
        while self._idle:
            driver = self._idle.pop()
            if driver.is_closed():
                del self._opened[driver]
            elif self._opened[driver] < max(self._renewed, now - RECYCLE_SECONDS):
                await self._part_with(driver)
            else:
                return driver
        driver = await self._connect()
        self._opened[driver] = now
        return driver

    async def _part_with(self, driver: Driver) -> None:
        del self._opened[driver]
        try:
            await driver.close(timeout=ROLLBACK_SECONDS)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            driver.terminate()

    def _release(self) -> None:
        self.in_use -= 1
        self._free.release()
