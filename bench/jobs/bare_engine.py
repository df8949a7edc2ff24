"""The peer of job starts: procrastinate by itself, on a queue of its own."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from procrastinate import App, PsycopgConnector

from persistence.database import Database


async def bare_engine(url: str, *, rounds: int) -> list[float]:
    """Seconds from deferring an empty task to its start, one after the other."""
    database = Database(url)
    started: asyncio.Queue[float] = asyncio.Queue()
    app = App(connector=PsycopgConnector(conninfo=database.dsn_for_engine()))

    @app.task(name="empty", queue="bare")
    async def empty() -> None:
        started.put_nowait(time.perf_counter())

    try:
        async with app.open_async(), _worker(app):
            seconds = []
            for _ in range(rounds):
                began = time.perf_counter()
                await empty.defer_async()
                seconds.append(await started.get() - began)
            return seconds
    finally:
        await database.close()


@asynccontextmanager
async def _worker(app: App) -> AsyncIterator[None]:
    working = asyncio.create_task(app.run_worker_async(queues=["bare"], install_signal_handlers=False, delete_jobs="always"))
    try:
        yield
    finally:
        working.cancel()
        await asyncio.wait({working})
