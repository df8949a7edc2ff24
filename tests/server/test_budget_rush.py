"""Two hundred starts at once against money for ten: ten are taken, and the books are right to the token when they have run."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.model_server import ScriptedModelServer, hold
from tests.server import story
from tests.server.caller import Caller
from tests.server.running import running

STARTS = 200
COVERED = 10
AT_A_TIME = 20  # root fields of one document
SERVERS, CLIENTS = 2, 4
SECONDS = 40

CREATE = (
    'createChapter(input: {{projectId: $id, title: "Chapter {number}", brief: "The tide.", targetWordCount: 60}}) {{ chapter {{ id }} }}'
)
PREVIEW = 'promptPreview(input: {{chapterId: "{chapter}"}}) {{ estimate {{ high }} }}'
BOOKS = """
query($id: ID!) {
  project(id: $id) {
    budget { limit spent reserved }
    usage { total { calls promptTokens completionTokens cost } }
    jobs(first: 100) { totalCount nodes { id status estimate { high } usage { calls promptTokens completionTokens } } }
  }
}
"""


@pytest.fixture
def go_on() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def model(go_on: asyncio.Event) -> AsyncIterator[ScriptedModelServer]:
    """Begins every answer, so that its job is at work, and ends none before it is told to: an ended job would free money."""
    async with ScriptedModelServer(default=hold(go_on, "The lamp", " burned low, and nobody in the long room spoke.")) as server:
        yield server


@pytest.fixture
async def callers(database_url: str, model: ScriptedModelServer) -> AsyncIterator[Sequence[Caller]]:
    """Ada, who is at several servers of one database with several clients each."""
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(running(database_url, model_url=model.url)) for _ in range(SERVERS)]
        yield [Caller(await stack.enter_async_context(server.client())) for server in servers for _ in range(CLIENTS)]


async def test_of_two_hundred_starts_as_many_are_taken_as_there_is_money_for(
    callers: Sequence[Caller], model: ScriptedModelServer, go_on: asyncio.Event
):
    ada = callers[0]
    project = await ada.change("createProject", title="The Lighthouse", genre="MYSTERY", settings={"maxRevisions": 0})
    chapters = await create_chapters(ada, project)
    budget = await set_budget(ada, project, chapters)

    async with asyncio.timeout(SECONDS):
        payloads = await asyncio.gather(*(start(callers[number % len(callers)], chapter) for number, chapter in enumerate(chapters)))

    accepted = [payload["job"]["id"] for payload in payloads if payload["job"]]
    refused = Counter((error["__typename"], error["limitName"]) for payload in payloads for error in payload["errors"])
    assert len(accepted) == COVERED
    assert refused == {("BudgetExceededError", "budgetLimit"): STARTS - COVERED}
    promised = await look_at(ada, project)
    assert {job["id"] for job in promised["jobs"]["nodes"]} == set(accepted)
    assert Decimal(promised["budget"]["reserved"]) == sum(Decimal(job["estimate"]["high"]) for job in promised["jobs"]["nodes"]) <= budget
    assert Decimal(promised["budget"]["spent"]) == 0

    go_on.set()
    async with asyncio.timeout(SECONDS):
        await story.watch_all(ada.client, accepted)
    kept = await look_at(ada, project)
    assert {job["status"] for job in kept["jobs"]["nodes"]} == {"SUCCEEDED"}
    assert Decimal(kept["budget"]["reserved"]) == 0
    assert 0 < Decimal(kept["budget"]["spent"]) == Decimal(kept["usage"]["total"]["cost"]) <= budget
    assert_same_tokens(kept, model)


async def create_chapters(ada: Caller, project: str) -> list[str]:
    made: list[str] = []
    for first in range(0, STARTS, AT_A_TIME):
        fields = [f"c{number}: {CREATE.format(number=number)}" for number in range(first, first + AT_A_TIME)]
        answer = await ada.send(f"mutation($id: ID!) {{ {' '.join(fields)} }}", id=project)
        made += [payload["chapter"]["id"] for payload in answer.data.values()]
    return made


async def set_budget(ada: Caller, project: str, chapters: Sequence[str]) -> Decimal:
    """Estimates differ a little. This covers any ten of them, and no eleven."""
    costs = []
    for first in range(0, STARTS, AT_A_TIME):
        fields = [f"p{number}: {PREVIEW.format(chapter=chapters[number])}" for number in range(first, first + AT_A_TIME)]
        answer = await ada.send(f"{{ {' '.join(fields)} }}")
        costs += [Decimal(preview["estimate"]["high"]) for preview in answer.data.values()]
    costs.sort()
    budget = sum(costs[-COVERED:], Decimal(0))
    assert sum(costs[: COVERED + 1]) > budget
    await ada.change("updateProject", id=project, budgetLimit=str(budget))
    return budget


def start(caller: Caller, chapter: str) -> Coroutine[Any, Any, dict[str, Any]]:
    return caller.payload("startChapterGeneration", chapterId=chapter)


async def look_at(ada: Caller, project: str) -> dict[str, Any]:
    return dict((await ada.send(BOOKS, id=project)).data["project"])


def assert_same_tokens(kept: dict[str, Any], model: ScriptedModelServer) -> None:
    """Call by call and in sum, what the ledger has is what the model's own server has counted."""
    total, jobs = kept["usage"]["total"], kept["jobs"]["nodes"]
    counted = Counter((call.prompt_tokens, call.completion_tokens) for call in model.calls)
    assert Counter((job["usage"]["promptTokens"], job["usage"]["completionTokens"]) for job in jobs) == counted
    assert total["calls"] == len(model.calls) == COVERED
    assert total["promptTokens"] + total["completionTokens"] == model.tokens_billed > 0
