"""Where our server's processor time goes: one case in this process, without a socket, under cProfile.

Profiling makes calls dear, so the parts are to be read as shares; what runs in the event loop and in the driver's own callbacks, outside
any Python function, is what is left of the total. Behind that come the statements that one request sends.
"""

import tempfile
import time
from collections.abc import Sequence
from cProfile import Profile
from pathlib import Path
from types import CodeType
from typing import Any

from starlette.types import ASGIApp, Message

from bench.api.cases import CASES
from bench.api.connection import request
from bench.api.layers import LAYERS, layer_of, seconds_by_layer
from bench.api.servers import SETTINGS
from bench.api.shelf import READER, filled_shelf
from bench.workbench import workbench_urls
from persistence.urls import DatabaseAddress
from schema.ids import encode
from server import Scriptorium
from settings import Settings, read_settings
from tests.fakes.database_proxy import DatabaseProxy
from tests.reliability.processes import environment
from tests.server.running import token_for

WARMING = 30
SECONDS = 3.0
FUNCTIONS = 15
LETTERS = 110


async def profile(name: str) -> None:
    case = CASES[name]
    with workbench_urls() as urls, tempfile.TemporaryDirectory() as folder:
        shelf = await filled_shelf(urls.owner, urls.application)
        chosen = {**SETTINGS, "SCRIPTORIUM_WORKERS_IN_PROCESS": "0"}
        settings = read_settings(environment(Path(folder), database_url=urls.owner, model_url=None, **chosen))
        scriptorium = Scriptorium(settings, urls.owner)
        sent = [request("/graphql", token_for(READER), case.document, values) for values in case.variables(shelf, encode)]
        try:
            await scriptorium.start()
            await _ask(scriptorium.app, sent, times=WARMING)
            plain, _ = await _timed(scriptorium.app, sent)
            profiler = Profile(time.process_time)
            profiler.enable()
            total, requests = await _timed(scriptorium.app, sent)
            profiler.disable()
        finally:
            await scriptorium.stop()
        statements = await _statements(settings, urls.owner, sent)
    print(f"\n{name}: {case.title}: {1000 * plain:.2f} ms of CPU a request, {1000 * total:.2f} under the profiler")
    _print_layers(profiler, total=total * requests)
    _print_functions(profiler.getstats(), total=total * requests)
    _print_statements(statements)


async def _statements(settings: Settings, url: str, sent: Sequence[bytes]) -> Sequence[str]:
    """What one request sends to the database, once everything is prepared."""
    async with DatabaseProxy(Path(DatabaseAddress.parse(url).parameters["host"])) as proxy:
        scriptorium = Scriptorium(settings, proxy.url(url))
        try:
            await _ask(scriptorium.app, sent, times=WARMING)
            with proxy.noting() as statements:
                await _ask_once(scriptorium.app, sent[0])
        finally:
            await scriptorium.stop()
    return statements


async def _timed(app: ASGIApp, sent: Sequence[bytes]) -> tuple[float, int]:
    """Seconds of processor time a request, and how many there were."""
    began, requests = time.process_time(), 0
    while (used := time.process_time() - began) < SECONDS:
        await _ask(app, sent, times=1)
        requests += len(sent)
    return used / requests, requests


async def _ask(app: ASGIApp, sent: Sequence[bytes], *, times: int) -> None:
    for _ in range(times):
        for one in sent:
            await _ask_once(app, one)


async def _ask_once(app: ASGIApp, sent: bytes) -> None:
    head, _, body = sent.partition(b"\r\n\r\n")
    _, *lines = head.split(b"\r\n")
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "root_path": "",
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] != 200:
            raise RuntimeError(f"answered with {message['status']}")

    await app(scope, receive, send)


def _print_layers(profiler: Profile, *, total: float) -> None:
    seconds = dict(seconds_by_layer(profiler))
    for layer in LAYERS:
        print(f"  {layer:<52}{seconds.get(layer, 0) / total:>9.1%}")
    print(f"  {'event loop and driver, outside Python functions':<52}{max(0, 1 - sum(seconds.values()) / total):>9.1%}")


def _print_functions(entries: Sequence[Any], *, total: float) -> None:
    print("  functions that take the most themselves")
    for entry in sorted(entries, key=lambda entry: -entry.inlinetime)[:FUNCTIONS]:
        print(f"    {_named(entry.code):<50}{entry.inlinetime / total:>9.1%}")


def _print_statements(statements: Sequence[str]) -> None:
    print(f"  {len(statements)} statements, one after the other or at the same time")
    for statement in statements:
        print(f"    {statement[:LETTERS]}{'...' if len(statement) > LETTERS else ''}")


def _named(code: CodeType | str) -> str:
    if isinstance(code, str):
        return code[:48]
    where = "/".join(Path(code.co_filename).parts[-2:])
    mark = "" if layer_of(code.co_filename) else "*"
    return f"{where}:{code.co_firstlineno} {code.co_name}{mark}"
