"""Both servers in processes of their own, on one database."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.api.connection import Connection
from settings import ROOT
from tests.reliability.processes import environment, free_port, served

START_SECONDS = 20
LOOK_SECONDS = 0.05
SETTINGS = {"SCRIPTORIUM_ENV": "production", "SCRIPTORIUM_MODEL": "rehearsal"}


@dataclass(frozen=True, slots=True)
class Server:
    pid: int
    port: int


@asynccontextmanager
async def our_server(folder: Path, database_url: str) -> AsyncIterator[Server]:
    """The whole application, worker and all, with the settings of production."""
    async with served(folder, database_url=database_url, model_url=None, **SETTINGS) as process:
        yield Server(process.process.pid, urlsplit(process.address).port or 0)


@asynccontextmanager
async def bare_server(folder: Path, database_url: str) -> AsyncIterator[Server]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.api.bare_server", "--port", str(port)),
        cwd=ROOT,
        env=environment(folder, database_url=database_url, model_url=None),
    )
    try:
        await _listening(port)
        yield Server(process.pid, port)
    finally:
        process.terminate()
        await process.wait()


async def _listening(port: int) -> None:
    """Returns when it listens; what is sent from then on waits for the rest."""
    give_up = time.monotonic() + START_SECONDS
    while True:
        try:
            with Connection(port):
                return
        except ConnectionRefusedError:
            if time.monotonic() > give_up:
                raise
            await asyncio.sleep(LOOK_SECONDS)
