"""`scriptorium` in processes of its own, to be killed."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2

from settings import ROOT
from tests.server.running import MODEL, SECRET

START_SECONDS = 30
STOP_SECONDS = 30


@dataclass(frozen=True)
class Process:
    """A server at `address`; `kill` is SIGKILL, to this process alone, and waits until it is gone."""

    address: str
    process: subprocess.Popen[bytes]

    async def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(self.process.wait, STOP_SECONDS)

    async def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.process.wait, STOP_SECONDS)


@asynccontextmanager
async def served(folder: Path, *, database_url: str | None, model_url: str | None, **settings: str) -> AsyncIterator[Process]:
    """`scriptorium serve` on a free port; whatever is left of it is ended with the context."""
    port = free_port()
    log = (folder / f"serve-{port}.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "serve", "--port", str(port)],
        cwd=ROOT,
        env=environment(folder, database_url=database_url, model_url=model_url, **settings),
        stdout=log,
        stderr=log,
    )
    running = Process(f"http://127.0.0.1:{port}", process)
    try:
        await _until_alive(running, Path(log.name))
        yield running
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        await asyncio.to_thread(process.wait, STOP_SECONDS)
        log.close()


def environment(folder: Path, *, database_url: str | None, model_url: str | None, **settings: str) -> dict[str, str]:
    chosen = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "SCRIPTORIUM_DATA_DIR": str(folder / "data"),
        "SCRIPTORIUM_JWT_SECRET": SECRET,
        "DATABASE_URL": database_url,
        "OPENAI_BASE_URL": model_url,
        "SCRIPTORIUM_MODEL": MODEL if model_url else None,
        **settings,
    }
    return {name: value for name, value in chosen.items() if value is not None}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _until_alive(running: Process, log: Path) -> None:
    async with asyncio.timeout(START_SECONDS), httpx2.AsyncClient() as client:
        while running.process.poll() is None:
            with suppress(httpx2.HTTPError):
                if (await client.get(f"{running.address}/readyz")).status_code == 200:
                    return
            await asyncio.sleep(0.02)
    raise AssertionError(log.read_text(encoding="utf-8"))
