"""Limits on spending: a job that reaches one waits with what it has, and goes on by itself when the limit is raised."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from commands.demo import documents
from commands.demo.client import Client
from tests.fakes.model_server import Behaviour, Call, Script, ScriptedModelServer, reply
from tests.server import story
from tests.server.running import running

WAITS = "query($id: ID!) { job(id: $id) { status } }"
RAISE = """
mutation($input: ChangeJobCostLimitInput!) { changeJobCostLimit(input: $input) { job { id } errors { message } } }
"""
SET_BUDGET = "mutation($input: UpdateProjectInput!) { updateProject(input: $input) { project { id } errors { message } } }"
PROJECT = """
query($id: ID!) { chapter(id: $id) { project { id budget { limit spent reserved } } } viewer { monthlyBudget { spent reserved } } }
"""
PARTS = 3


def writes_to_the_end_of_what_it_may() -> Behaviour:
    """As a model does that has much to say, for three calls; and it says truly what that has cost."""

    def answer(call: Call) -> Script:
        number = call.prompt.count("Lamp.") // 5 + 1
        usage = {"prompt_tokens": call.prompt_tokens, "completion_tokens": call.body["max_tokens"]}
        return reply(" Lamp." * 5, finish="stop" if number == PARTS else "length", usage=usage)(call)

    return answer


@pytest.fixture
async def model() -> AsyncIterator[ScriptedModelServer]:
    async with ScriptedModelServer(default=writes_to_the_end_of_what_it_may()) as server:
        yield server


async def estimated(ada: Client, chapter_id: str) -> Decimal:
    preview = (await ada.ask(documents.PREVIEW, input={"chapterId": chapter_id}))["promptPreview"]
    return Decimal(preview["estimate"]["high"])


async def until_it_waits(ada: Client, job_id: str, *, after: str | None = None) -> list[Any]:
    events = await story.watch(ada, job_id, after=after, until=lambda event: event.get("status") == "WAITING")
    assert events[-1].get("status") == "WAITING", story.names(events)
    return events


async def test_a_job_that_reaches_its_cost_limit_waits_with_its_text_and_goes_on_when_it_is_raised(
    database_url: str, model: ScriptedModelServer
):
    async with running(database_url, model_url=model.url) as app, app.client() as ada:
        chapter_id = await story.new_chapter(ada)
        limit = await estimated(ada, chapter_id)
        job_id = await story.start(ada, chapter_id, costLimit=str(limit))
        early = await until_it_waits(ada, job_id)
        waiting = await story.job(ada, job_id)
        assert Decimal(waiting["usage"]["cost"]) <= limit
        assert waiting["waiting"]["limitName"] == "costLimit"
        assert Decimal(waiting["waiting"]["limit"]) == limit
        assert limit < Decimal(waiting["waiting"]["required"])
        assert "raised" in waiting["waiting"]["message"]
        assert waiting["text"] == story.shown_text(early) != ""
        assert (await ada.ask(PROJECT, id=chapter_id))["chapter"]["project"]["budget"]["reserved"] == "0.000000"
        bought = len(model.calls)

        await ada.change(RAISE, jobId=job_id, costLimit="1")
        late = await story.watch(ada, job_id, after=early[-1]["cursor"])
        done, written = await story.job(ada, job_id), await story.chapter(ada, chapter_id)

    assert (done["status"], done["waiting"]) == ("SUCCEEDED", None)
    assert written["currentVersion"]["text"] == story.shown_text(early + late) == " Lamp." * 15
    assert (bought, len(model.calls)) == (1, PARTS)
    sequences = [event["sequence"] for event in early + late]
    assert sequences == list(range(1, len(sequences) + 1))


async def test_a_job_that_uses_up_its_projects_budget_waits_until_the_owner_raises_it(database_url: str, model: ScriptedModelServer):
    async with running(database_url, model_url=model.url) as app, app.client() as ada:
        chapter_id = await story.new_chapter(ada)
        limit = await estimated(ada, chapter_id)
        project_id = (await ada.ask(PROJECT, id=chapter_id))["chapter"]["project"]["id"]
        await ada.change(SET_BUDGET, id=project_id, budgetLimit=str(limit))
        job_id = await story.start(ada, chapter_id)
        early = await until_it_waits(ada, job_id)
        budget = (await ada.ask(PROJECT, id=chapter_id))["chapter"]["project"]["budget"]
        assert Decimal(budget["spent"]) <= limit
        waiting = (await story.job(ada, job_id))["waiting"]
        assert waiting["limitName"] == "budgetLimit"

        await ada.change(SET_BUDGET, id=project_id, budgetLimit="1")
        await story.watch(ada, job_id, after=early[-1]["cursor"])
        assert (await story.job(ada, job_id))["status"] == "SUCCEEDED"
        budget = (await ada.ask(PROJECT, id=chapter_id))["chapter"]["project"]["budget"]
    assert budget["reserved"] == "0.000000"


async def test_a_job_that_uses_up_its_users_month_waits_until_the_server_allows_more(database_url: str, model: ScriptedModelServer):
    async with running(database_url, model_url=model.url) as app, app.client() as ada:
        chapter_id = await story.new_chapter(ada)
        limit = await estimated(ada, chapter_id)
    async with running(database_url, model_url=model.url, monthly_limit=limit) as app, app.client() as ada:
        job_id = await story.start(ada, chapter_id)
        early = await until_it_waits(ada, job_id)
        waiting = (await story.job(ada, job_id))["waiting"]
        assert (waiting["limitName"], waiting["required"]) == ("monthlyLimit", None)
        assert Decimal((await ada.ask(PROJECT, id=chapter_id))["viewer"]["monthlyBudget"]["spent"]) <= limit
    async with running(database_url, model_url=model.url, monthly_limit=Decimal(1)) as app, app.client() as ada:
        await story.watch(ada, job_id, after=early[-1]["cursor"])
        assert (await story.job(ada, job_id))["status"] == "SUCCEEDED"


async def test_a_waiting_job_that_is_cancelled_keeps_its_text(database_url: str, model: ScriptedModelServer):
    async with running(database_url, model_url=model.url) as app, app.client() as ada:
        chapter_id = await story.new_chapter(ada)
        job_id = await story.start(ada, chapter_id, costLimit=str(await estimated(ada, chapter_id)))
        early = await until_it_waits(ada, job_id)
        await ada.change(documents.CANCEL, jobId=job_id)
        await story.watch(ada, job_id, after=early[-1]["cursor"])
        job = await story.job(ada, job_id)
    assert (job["status"], job["result"]["origin"], job["result"]["text"]) == ("CANCELLED", "PARTIAL", " Lamp." * 5)


async def test_the_ledger_is_the_model_servers_own_count_to_the_token(database_url: str, model: ScriptedModelServer):
    async with running(database_url, model_url=model.url) as app, app.client() as ada:
        jobs = [await story.start(ada, await story.new_chapter(ada)) for _ in range(3)]
        for job_id in jobs:
            await story.watch(ada, job_id)
        used = [(await story.job(ada, job_id))["usage"] for job_id in jobs]
    assert sum(usage["calls"] for usage in used) == len(model.calls) == 3 * PARTS
    assert sum(usage["promptTokens"] for usage in used) == sum(call.prompt_tokens for call in model.calls)
    assert sum(usage["completionTokens"] for usage in used) == sum(call.body["max_tokens"] for call in model.calls)
