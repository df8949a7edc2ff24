"""A worker, or a server, in a process of its own that dies by SIGKILL at the first point it is told to die at."""

import asyncio
import logging
import os
import signal
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

import uvicorn

from domain.llm.openai_model import OpenAIModel
from server import Scriptorium, World
from tests.api import token_counter
from tests.reliability.crashes.points import Reached, WatchedDesk, WatchedLibrary, WatchedModel
from tests.server.running import TEST_SETTINGS

LIFE_SECONDS = 40
JOIN_SECONDS = 60

_forking = get_context("forkserver")
_forking.set_forkserver_preload(["tests.reliability.crashes.warm"])


@dataclass(frozen=True, slots=True)
class Orders:
    """`die_at` names a point, and `visit` says at which time that it is reached; at `freeze_at` the process stops as by SIGSTOP, at `leave_at` it shuts down as by SIGTERM.

    A point does not count before the one `behind` which it has to lie.
    With a `listener` it serves the API there and runs no jobs.
    """

    database_url: str
    model_url: str
    log: Path
    die_at: str | None = None
    visit: int = 1
    freeze_at: str | None = None
    leave_at: str | None = None
    behind: str | None = None
    lease_seconds: float = 30
    listener: socket.socket | None = None


class Child:
    """Begun at once. What it has to say is in its orders' log."""

    def __init__(self, orders: Orders) -> None:
        self._process: BaseProcess = _forking.Process(target=_live, args=(orders,), daemon=True)
        self._process.start()

    async def end(self) -> int | None:
        """Its exit status, negative for the signal it died of. None, after it was killed, when it did not end by itself."""
        await asyncio.to_thread(self._process.join, JOIN_SECONDS)
        status = self._process.exitcode
        if status is None:
            self._process.kill()
            await asyncio.to_thread(self._process.join)
        return status

    def signal(self, number: signal.Signals) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)


def _live(orders: Orders) -> None:
    logging.basicConfig(filename=orders.log, level=logging.INFO, force=True)
    asyncio.run(_work(orders) if orders.listener is None else _serve(orders, orders.listener))


async def _work(orders: Orders) -> None:
    leave = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, leave.set)
    scriptorium = _scriptorium(orders, leave.set)
    try:
        await scriptorium.start()
        async with asyncio.timeout(LIFE_SECONDS):
            await leave.wait()
    finally:
        await scriptorium.stop()


async def _serve(orders: Orders, listener: socket.socket) -> None:
    config = uvicorn.Config(_scriptorium(orders, leave=lambda: None).app, log_config=None, ws="websockets-sansio")
    async with asyncio.timeout(LIFE_SECONDS):
        await uvicorn.Server(config).serve(sockets=[listener])


def _scriptorium(orders: Orders, leave: Callable[[], None]) -> Scriptorium:
    settings = replace(
        TEST_SETTINGS,
        openai_base_url=orders.model_url,
        workers_in_process=0 if orders.listener else 1,
        lease_seconds=orders.lease_seconds,
    )
    reached = _obey(orders, leave)
    model = OpenAIModel(api_key="sk-test", base_url=orders.model_url, tokens=token_counter())
    world = World(
        tokens=token_counter(),
        model=WatchedModel(model, reached),
        desk=lambda desk: WatchedDesk(desk, reached),
        library=lambda library: WatchedLibrary(library, reached),
    )
    return Scriptorium(settings, orders.database_url, world=world)


def _obey(orders: Orders, leave: Callable[[], None]) -> Reached:
    passed: set[str] = set()
    visits: Counter[str] = Counter()

    def reached(point: str) -> None:
        visits[point] += 1
        if orders.behind in {None, *passed}:
            if point == orders.leave_at:
                leave()
            if point == orders.freeze_at and point not in passed:
                passed.add(point)
                os.kill(os.getpid(), signal.SIGSTOP)
            if point == orders.die_at and visits[point] >= orders.visit:
                os.kill(os.getpid(), signal.SIGKILL)
        passed.add(point)

    return reached
