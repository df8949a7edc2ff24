"""`scriptorium demo`: a chapter of the sample project is written through the public API, in the terminal."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta

import httpx2

from commands.demo.client import ApiError, Client
from commands.demo.sample import read_sample
from commands.demo.screen import Screen
from commands.demo.story import tell
from commands.refusal import CannotStart
from commands.serve import local_address
from commands.token import development_token
from settings import ROOT, Settings

START_SECONDS = 60
STOP_SECONDS = 30


def demo(settings: Settings, *, url: str | None) -> None:
    """Use the server at `url`, else ours on PORT, else start one for as long as the demo runs. Raises CannotStart."""
    screen = Screen()
    token = development_token(settings, user="demo", email="demo@example.com", ttl=timedelta(hours=1))
    running = url or local_address(settings.host, settings.port)
    with contextlib.ExitStack() as stack:
        if _is_ours(running, token):
            address = running
        elif url is not None:
            raise CannotStart(f"No Scriptorium answers at {url}, or it does not know this checkout's tokens.")
        else:
            screen.say("No server is running: starting one for the demo.")
            address = stack.enter_context(_server())
        try:
            asyncio.run(_tell(address, token, screen))
        except ApiError as error:
            raise CannotStart(f"the demo did not work: {error}") from error


async def _tell(address: str, token: str, screen: Screen) -> None:
    client = Client(address, token)
    try:
        await tell(client, read_sample(), screen)
    finally:
        await client.aclose()


def _is_ours(address: str, token: str) -> bool:
    """Whether a Scriptorium answers there that accepts our token."""
    request = {"query": "{ viewer { user { id } } }"}
    try:
        answer = httpx2.post(f"{address}/graphql", json=request, headers={"Authorization": f"Bearer {token}"}, timeout=10).json()
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError):
        return False
    return isinstance(answer, dict) and bool(answer.get("data"))


@contextlib.contextmanager
def _server() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() as log:
        command = [sys.executable, "-m", "cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
        # In a session of its own, so that Ctrl-C ends the demo, which then ends the server in order.
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=log, stderr=log, start_new_session=True
        )
        try:
            _wait_until_alive(process, address)
            yield address
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(STOP_SECONDS)


def _wait_until_alive(process: subprocess.Popen[bytes], address: str) -> None:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        with contextlib.suppress(httpx2.HTTPError):
            if httpx2.get(f"{address}/healthz", timeout=1).status_code == 200:
                return
        time.sleep(0.1)  # noqa: TID251  - no event loop runs here
    raise CannotStart("The demo's server did not start: try `make run` to see why.")
