"""From the answer of `startChapterGeneration` to the first text on the subscriber's socket, against the model's own time to first token.

One process serves and works, as `make run` does; the model is a scripted server on loopback that answers after a fixed pause. The peer
is a bare call of that server with the same client library: what remains of the difference is ours.
"""

import time

from bench.follower import Follower
from bench.report import HEADING, row
from bench.workbench import workbench
from commands.demo import documents
from commands.demo.client import Client
from domain.llm.model import CompletionRequest, Message, Role, TextDelta
from domain.llm.openai_model import OpenAIModel
from domain.llm.tokens import TokenCounter
from tests.fakes.model_server import ScriptedModelServer, reply
from tests.server import story
from tests.server.running import MODEL, running

ROUNDS = 40
MODEL_SECONDS = 0.1
LIMIT_SECONDS = 0.05


async def first_text() -> None:
    answer = reply("Mara found the letter. " * 20, chunk=240, delay=MODEL_SECONDS)
    with workbench() as url:
        async with ScriptedModelServer(default=answer) as model:
            bare = [await _bare_call(model) for _ in range(ROUNDS)]
            async with running(url, model_url=model.url) as served, served.client() as ada, Follower(served.address) as follower:
                rounds = [await _round(ada, follower) for _ in range(-5, ROUNDS)][5:]
    ours = [first - MODEL_SECONDS for _, first in rounds]
    print("\nFirst text of a chapter")
    print(HEADING)
    print(row("mutation, sent to answered", [answered for answered, _ in rounds]))
    print(row("answered to first text on the socket", [first for _, first in rounds]))
    print(row("peer: bare call of the model, to its first text", bare))
    print(row("ours: first text minus the model's own time", ours, limit=LIMIT_SECONDS))


async def _round(ada: Client, follower: Follower) -> tuple[float, float]:
    """Seconds: the mutation; from its answer to the first text."""
    chapter_id = await story.new_chapter(ada)
    began = time.perf_counter()
    job_id = (await ada.change(documents.START, chapterId=chapter_id))["job"]["id"]
    answered = time.perf_counter()
    await follower.subscribe(job_id)
    first = await _first_text_at(follower)
    while (await follower.event()) is not None:
        pass
    return answered - began, first - answered


async def _first_text_at(follower: Follower) -> float:
    while (event := await follower.event()) is not None:
        if story.has_text(event):
            return time.perf_counter()
    raise AssertionError("no text came")


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
