"""`scriptorium` in processes of its own, to be killed, frozen and cut off."""

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
LOOK_SECONDS = 0.02
IS_WORKING = "Working."


@dataclass(frozen=True)
class Process:
    """`address` is where it serves, if it does; `log` has all it says. `kill` is SIGKILL, and waits until the process is gone."""

    address: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    async def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(self.process.wait, STOP_SECONDS)

    async def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.process.wait, STOP_SECONDS)

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)


@asynccontextmanager
async def served(folder: Path, *, database_url: str | None, model_url: str | None, **settings: str) -> AsyncIterator[Process]:
    """`scriptorium serve` on a free port; whatever is left of it is ended with the context."""
    port = free_port()
    async with _started(folder, "serve", "--port", str(port), database_url=database_url, model_url=model_url, **settings) as process:
        server = Process(f"http://127.0.0.1:{port}", process.process, process.log)
        await _until_ready(server)
        yield server


@asynccontextmanager
async def working(folder: Path, *, database_url: str | None, model_url: str | None, **settings: str) -> AsyncIterator[Process]:
    """`scriptorium worker`; whatever is left of it is ended with the context."""
    async with _started(folder, "worker", database_url=database_url, model_url=model_url, **settings) as process:
        await _until_working(process)
        yield process


@asynccontextmanager
async def _started(
    folder: Path, *arguments: str, database_url: str | None, model_url: str | None, **settings: str
) -> AsyncIterator[Process]:
    log = folder / f"{'-'.join(arguments)}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", *arguments],
            cwd=ROOT,
            env=environment(folder, database_url=database_url, model_url=model_url, **settings),
            stdout=output,
            stderr=output,
        )
    try:
        yield Process("", process, log)
    finally:
        for number in (signal.SIGCONT, signal.SIGINT):
            with suppress(ProcessLookupError):
                process.send_signal(number)
        await asyncio.to_thread(process.wait, STOP_SECONDS)


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


async def _until_ready(server: Process) -> None:
    async with asyncio.timeout(START_SECONDS), httpx2.AsyncClient() as client:
        while server.process.poll() is None:
            with suppress(httpx2.HTTPError):
                if (await client.get(f"{server.address}/readyz")).status_code == 200:
                    return
            await asyncio.sleep(LOOK_SECONDS)
    raise AssertionError(server.said)


async def _until_working(worker: Process) -> None:
    async with asyncio.timeout(START_SECONDS):
        while worker.process.poll() is None:
            if IS_WORKING in worker.said:
                return
            await asyncio.sleep(LOOK_SECONDS)
    raise AssertionError(worker.said)
