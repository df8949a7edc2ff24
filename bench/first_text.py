"""From the answer of `startChapterGeneration` to the first text on the subscriber's socket, against the model's own time to first token.

One process serves and works, as `make run` does; the model is a scripted server on loopback that answers after a fixed pause. The peer
is a bare call of that server with the same client library: what remains of the difference is ours.
"""

import asyncio
import json
import time
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from bench.report import HEADING, row
from bench.workbench import workbench
from commands.demo import documents
from commands.demo.client import Client
from domain.llm.model import CompletionRequest, Message, Role, TextDelta
from domain.llm.openai_model import OpenAIModel
from domain.llm.tokens import TokenCounter
from tests.fakes.model_server import ScriptedModelServer, reply
from tests.server import story
from tests.server.running import MODEL, running, token_for

ROUNDS = 40
MODEL_SECONDS = 0.1
LIMIT_SECONDS = 0.05


async def first_text() -> None:
    answer = reply("Mara found the letter. " * 20, chunk=240, delay=MODEL_SECONDS)
    with workbench() as url:
        async with ScriptedModelServer(default=answer) as model:
            bare = [await _bare_call(model) for _ in range(ROUNDS)]
            async with running(url, model_url=model.url) as served, served.client() as ada, _socket(served.address) as socket:
                rounds = [await _round(ada, socket, str(number)) for number in range(-5, ROUNDS)][5:]
    ours = [first - MODEL_SECONDS for _, first in rounds]
    print("\nFirst text of a chapter")
    print(HEADING)
    print(row("mutation, sent to answered", [answered for answered, _ in rounds]))
    print(row("answered to first text on the socket", [first for _, first in rounds]))
    print(row("peer: bare call of the model, to its first text", bare))
    print(row("ours: first text minus the model's own time", ours, limit=LIMIT_SECONDS))


async def _round(ada: Client, socket: ClientConnection, number: str) -> tuple[float, float]:
    """Seconds: the mutation; from its answer to the first text."""
    chapter_id = await story.new_chapter(ada)
    began = time.perf_counter()
    job_id = (await ada.change(documents.START, chapterId=chapter_id))["job"]["id"]
    answered = time.perf_counter()
    await socket.send(_frame("subscribe", number, query=documents.EVENTS, variables={"jobId": job_id}))
    first = await _first_text_at(socket)
    while (await _event(socket)) is not None:
        pass
    return answered - began, first - answered


async def _first_text_at(socket: ClientConnection) -> float:
    while (event := await _event(socket)) is not None:
        if story.has_text(event):
            return time.perf_counter()
    raise AssertionError("no text came")


async def _event(socket: ClientConnection) -> dict[str, Any] | None:
    async with asyncio.timeout(30):
        frame = json.loads(await socket.recv())
    return frame["payload"]["data"]["jobEvents"] if frame["type"] == "next" else None


class _socket:  # noqa: N801  - used like a function
    """An authenticated socket, open before the clock starts, as a frontend's is."""

    def __init__(self, address: str) -> None:
        self._connecting = connect(f"{address.replace('http', 'ws', 1)}/graphql", subprotocols=["graphql-transport-ws"])  # type: ignore[list-item]

    async def __aenter__(self) -> ClientConnection:
        socket = await self._connecting.__aenter__()
        await socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token_for('ada')}"}}))
        await socket.recv()
        return socket

    async def __aexit__(self, *error: object) -> None:
        await self._connecting.__aexit__(*error)  # type: ignore[arg-type]


def _frame(kind: str, number: str, **payload: object) -> str:
    return json.dumps({"id": number, "type": kind, "payload": payload})


async def _bare_call(model: ScriptedModelServer) -> float:
    client = OpenAIModel(api_key="none", base_url=model.url, tokens=TokenCounter())
    request = CompletionRequest(model=MODEL, messages=(Message(Role.USER, "Write."),), temperature=1.0, max_tokens=100)
    try:
        async with client.stream(request):
            pass
        began = time.perf_counter()
        async with client.stream(request) as items:
            async for item in items:
                if isinstance(item, TextDelta):
                    return time.perf_counter() - began
        raise AssertionError("no text came")
    finally:
        await client.aclose()
