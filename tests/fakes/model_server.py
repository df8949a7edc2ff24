"""A real HTTP server that speaks OpenAI's streamed chat completions and its embeddings, and misbehaves on request, down to TCP.

In a test, where it runs in the test's own event loop:

    async with ScriptedModelServer() as server:
        server.script(fails(429, retry_after=2), reply("It was late."))   # one behaviour for each call, in order
        server.default = reply("And so on.")                              # for all calls after that
        model = OpenAIModel(api_key="key", base_url=server.url, tokens=TokenCounter())
        ...
        await server.wait_for_calls(2)          # both requests have arrived
        await server.disconnected(2)            # the client hung up on the second before it was answered in full
        assert server.calls[1].body["temperature"] == 0.7

Nothing here needs a sleep: `hold` stops an answer until the test sets an event, so that a test can act at an exact point within it.

    go_on = asyncio.Event()
    server.script(hold(go_on, "Once upon", " a time"))   # writes "Once upon", waits, writes " a time", finishes

Embeddings have calls and a script of their own: `embedding_calls`, `script_embeddings` and `default_embedding`.

All behaviours are in tests/fakes/model_behaviours.py. Each is a function from the `Call` to a `Script`, so an answer can also depend on the question:

    server.default = lambda call: (reply("8") if "Score" in call.prompt else reply("Prose."))(call)

A token is here a word between spaces. Alone, for demonstrations and benchmarks:

    python -m tests.fakes.model_server --port 8099 --words 900 --delay 0.02
"""

import argparse
import asyncio
import json
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from itertools import cycle, islice
from typing import Self

from tests.fakes.model_behaviours import (
    Behaviour,
    Call,
    Ending,
    Hold,
    Pause,
    Script,
    Text,
    among_strange_events,
    closes_before_headers,
    embeds,
    empty_body,
    ends_early,
    fails,
    filters,
    hold,
    refuses,
    refuses_parameter,
    reply,
    resets,
    resets_before_headers,
    sends_error_event,
    sends_invalid_json,
    sends_invalid_utf8,
    sends_raw,
    sends_wrong_schema,
    stalls,
    stalls_before_headers,
    truncates,
    wrong_content_type,
)

__all__ = [
    "Behaviour",
    "Call",
    "Ending",
    "Hold",
    "Pause",
    "Script",
    "ScriptedModelServer",
    "Text",
    "among_strange_events",
    "closes_before_headers",
    "embeds",
    "empty_body",
    "ends_early",
    "fails",
    "filters",
    "hold",
    "refuses",
    "refuses_parameter",
    "reply",
    "resets",
    "resets_before_headers",
    "sends_error_event",
    "sends_invalid_json",
    "sends_invalid_utf8",
    "sends_raw",
    "sends_wrong_schema",
    "stalls",
    "stalls_before_headers",
    "truncates",
    "wrong_content_type",
]

PATIENCE_SECONDS = 10.0
SENTENCE = "The lamp burned low, and nobody in the long room spoke, for the letter lay open between them."


class ScriptedModelServer:
    """`calls` are the requests in the order of their arrival; `url` is what OPENAI_BASE_URL is to be."""

    def __init__(self, *behaviours: Behaviour, default: Behaviour | None = None, port: int = 0) -> None:
        self.calls: list[Call] = []
        self.embedding_calls: list[Call] = []
        self.connections_made = 0
        self.default = default or reply("The lamp burned low, and nobody spoke.")
        self.default_embedding = embeds()
        self._script = deque(behaviours)
        self._embedding_script: deque[Behaviour] = deque()
        self._port = port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._arrival = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def tokens_billed(self) -> int:
        """Of all calls that got as far as an answer: their prompts, and the words that were written."""
        return sum(call.prompt_tokens + call.completion_tokens for call in self.calls if call.billed)

    def script(self, *behaviours: Behaviour) -> None:
        """Adds behaviours for the next calls."""
        self._script.extend(behaviours)

    def script_embeddings(self, *behaviours: Behaviour) -> None:
        """Adds behaviours for the next calls for embeddings."""
        self._embedding_script.extend(behaviours)

    async def wait_for_calls(self, count: int) -> list[Call]:
        """Until so many requests have arrived; all of them."""
        async with asyncio.timeout(PATIENCE_SECONDS), self._arrival:
            await self._arrival.wait_for(lambda: len(self.calls) >= count)
        return self.calls

    async def disconnected(self, number: int) -> Call:
        """Until the client has hung up on the call of this number (from 1) before it was answered in full."""
        call = (await self.wait_for_calls(number))[number - 1]
        async with asyncio.timeout(PATIENCE_SECONDS):
            await call.disconnected.wait()
        return call

    async def finished(self, number: int) -> Call:
        """Until the call of this number (from 1) has been answered in full."""
        call = (await self.wait_for_calls(number))[number - 1]
        async with asyncio.timeout(PATIENCE_SECONDS):
            await call.finished.wait()
        return call

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        self.connections_made += 1
        try:
            async for path, headers, body in _requests(reader):
                if not await self._serve(path, headers, body, reader, writer):
                    break
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went, or __aexit__ ended it: asyncio's own callback would log that as an error
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(
        self, path: str, headers: Mapping[str, str], body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        if path.endswith("/embeddings"):
            call = Call(len(self.embedding_calls) + 1, json.loads(body), headers, asyncio.get_running_loop().time())
            self.embedding_calls.append(call)
            behaviour = self._embedding_script.popleft() if self._embedding_script else self.default_embedding
            return await self._answer(call, behaviour(call), reader, writer)
        if not path.endswith("/chat/completions"):
            await _Exchange(writer).play(fails(404)(Call(0, {}, headers, 0.0)))
            return True
        call = Call(len(self.calls) + 1, json.loads(body), headers, asyncio.get_running_loop().time())
        async with self._arrival:
            self.calls.append(call)
            self._arrival.notify_all()
        behaviour = self._script.popleft() if self._script else self.default
        return await self._answer(call, behaviour(call), reader, writer)

    async def _answer(self, call: Call, script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection can be used again. The client speaks next only when it has the answer, so bytes before are its end."""
        playing = asyncio.ensure_future(_Exchange(writer, call).play(script))
        hanging_up = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({playing, hanging_up}, return_when=asyncio.FIRST_COMPLETED)
            if playing.done() and not isinstance(playing.exception(), OSError):
                playing.result()
                call.finished.set()
                return script.ending is Ending.CLEAN
            call.disconnected_at = asyncio.get_running_loop().time()
            call.disconnected.set()
            return False
        finally:
            for task in (playing, hanging_up):
                task.cancel()
            await asyncio.gather(playing, hanging_up, return_exceptions=True)


class _Exchange:
    """Writes one response."""

    def __init__(self, writer: asyncio.StreamWriter, call: Call | None = None) -> None:
        self._writer = writer
        self._call = call

    async def play(self, script: Script) -> None:
        if script.head:
            await self._write_head(script)
        for step in script.steps:
            await self._perform(step)
        await self._end(script)

    async def _write_head(self, script: Script) -> None:
        number = self._call.number if self._call else 0
        head = {"x-request-id": f"req_{number}", "transfer-encoding": "chunked", **script.headers}
        if script.content_type is not None:
            head["content-type"] = script.content_type
        lines = [f"HTTP/1.1 {script.status} Scripted", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        self._writer.write("\r\n".join(lines).encode("latin-1"))
        if self._call:
            self._call.billed = script.status == 200
        await self._writer.drain()

    async def _perform(self, step: Text | Pause | Hold) -> None:
        match step:
            case Text(data, words):
                if data:
                    self._writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                if self._call:
                    self._call.completion_tokens += words
                await self._writer.drain()
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case Hold(until):
                await until.wait()

    async def _end(self, script: Script) -> None:
        match script.ending:
            case Ending.CLEAN:
                self._writer.write(b"0\r\n\r\n")
                await self._writer.drain()
            case Ending.STALL:
                await asyncio.Event().wait()
            case Ending.RESET:
                # Let what was written arrive first; lingering for 0 seconds makes closing a reset.
                await asyncio.sleep(0.01)
                sock: socket.socket = self._writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self._writer.transport.abort()
            case Ending.CUT:
                self._writer.close()


async def _requests(reader: asyncio.StreamReader) -> AsyncIterator[tuple[str, Mapping[str, str], bytes]]:
    """Path, headers and body of each request on this connection, until it is closed."""
    while True:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.IncompleteReadError:
            return
        request_line, *lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        yield request_line.split()[1], headers, await reader.readexactly(int(headers.get("content-length", "0")))


async def _serve_alone(arguments: argparse.Namespace) -> None:
    text = " ".join(islice(cycle(SENTENCE.split()), arguments.words))
    async with ScriptedModelServer(default=reply(text, chunk=arguments.chunk, delay=arguments.delay), port=arguments.port) as server:
        print(f"OPENAI_BASE_URL={server.url}", flush=True)  # noqa: T201
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="A stand-in for an OpenAI-compatible model server.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--words", type=int, default=900, help="length of each answer")
    parser.add_argument("--chunk", type=int, default=12, help="characters in each chunk")
    parser.add_argument("--delay", type=float, default=0.02, help="seconds between chunks")
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve_alone(parser.parse_args()))


if __name__ == "__main__":
    main()
