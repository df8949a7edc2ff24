"""Jobs that are not started, retried or cancelled as they were asked for: the reason comes with what is needed to go on."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from tests.fakes.model_server import ScriptedModelServer, hold
from tests.server import story
from tests.server.caller import Caller
from tests.server.contents import Contents
from tests.server.running import Running
from tests.server.shelf import Shelf

MILLIONTH = Decimal("0.000001")
ESTIMATE = "query($input: PromptPreviewInput!) { promptPreview(input: $input) { estimate { high priced } receipt { tokensUsed } } }"
BUDGET = "query($id: ID!) { project(id: $id) { budget { reserved spent } jobs { totalCount } } }"


@pytest.fixture
async def idle(ada: Caller, own: Shelf) -> str:
    """A chapter that no job has ever written."""
    return await ada.change("createChapter", projectId=own.project, title="High water", brief="The causeway is gone.")


@pytest.fixture
async def busy(ada: Caller, idle: str, shared_model: ScriptedModelServer) -> AsyncIterator[tuple[str, str]]:
    """A chapter and the job that is writing it, with the model still at it."""
    shared_model.script(hold(asyncio.Event(), "The causeway"))
    job = await story.start(ada.client, idle, idempotencyKey=f"key of {idle}", instructions="Darker.")
    await story.watch(ada.client, job, until=story.has_text)
    yield idle, job
    await ada.change("cancelJob", jobId=job)
    await story.watch(ada.client, job)


async def highest_estimate(ada: Caller, chapter: str) -> Decimal:
    preview = (await ada.send(ESTIMATE, input={"chapterId": chapter})).data["promptPreview"]
    assert preview["estimate"]["priced"]
    return Decimal(preview["estimate"]["high"])


async def test_a_token_budget_that_is_too_small_comes_with_one_that_is_enough(ada: Caller, own: Shelf, contents: Contents):
    brief = "She walks on. " * 400
    chapter = await ada.change("createChapter", projectId=own.project, title="A long way", brief=brief)
    before = contents.digest()
    error = await ada.refusal("startChapterGeneration", chapterId=chapter, tokenBudget=500)
    assert contents.digest() == before
    assert (error["__typename"], error["code"]) == ("PromptTooSmallError", "PROMPT_TOO_SMALL")
    assert (error["path"], error["tokenBudget"]) == (["input", "tokenBudget"], 500)
    enough = error["tokensRequired"]
    again = await ada.refusal("startChapterGeneration", chapterId=chapter, tokenBudget=enough - 1)
    assert (again["code"], again["tokensRequired"]) == ("PROMPT_TOO_SMALL", enough)
    job = await story.start(ada.client, chapter, tokenBudget=enough)
    events = await story.watch(ada.client, job)
    assert events[-1]["job"]["status"] == "SUCCEEDED"


async def test_a_preview_that_does_not_fit_says_what_it_would_take(ada: Caller, own: Shelf):
    answer = await ada.send(ESTIMATE, input={"chapterId": own.chapter, "brief": "She walks on. " * 400, "tokenBudget": 500})
    assert answer.code == "BAD_USER_INPUT"
    assert "the budget is 500" in answer.error["message"]


async def test_a_cost_limit_below_the_estimate_is_refused_and_one_at_it_is_not(ada: Caller, idle: str, contents: Contents):
    estimate = await highest_estimate(ada, idle)
    before = contents.digest()
    error = await ada.refusal("startChapterGeneration", chapterId=idle, costLimit=str(estimate - MILLIONTH))
    assert contents.digest() == before
    assert (error["__typename"], error["code"], error["path"]) == ("BudgetExceededError", "BUDGET_EXCEEDED", ["input", "costLimit"])
    assert (error["limitName"], Decimal(error["limit"]), Decimal(error["required"])) == ("costLimit", estimate - MILLIONTH, estimate)
    job = await story.start(ada.client, idle, costLimit=error["required"])
    await story.watch(ada.client, job)


async def test_a_project_that_may_not_spend_the_estimate_starts_nothing(ada: Caller):
    chapter = await story.new_chapter(ada.client)
    project = (await ada.send("query($id: ID!) { chapter(id: $id) { project { id } } }", id=chapter)).data["chapter"]["project"]["id"]
    estimate = await highest_estimate(ada, chapter)
    await ada.change("updateProject", id=project, budgetLimit=str(estimate - MILLIONTH))
    error = await ada.refusal("startChapterGeneration", chapterId=chapter)
    assert (error["__typename"], error["limitName"]) == ("BudgetExceededError", "budgetLimit")
    assert (Decimal(error["limit"]), Decimal(error["required"])) == (estimate - MILLIONTH, estimate)
    left = (await ada.send(BUDGET, id=project)).data["project"]
    assert left == {"budget": {"reserved": "0.000000", "spent": "0.000000"}, "jobs": {"totalCount": 0}}
    await ada.change("updateProject", id=project, budgetLimit=str(estimate))
    await story.watch(ada.client, await story.start(ada.client, chapter))


async def test_a_model_that_only_the_endpoint_can_know_is_told_to_have_no_price(ada: Caller, idle: str):
    document = "query($input: PromptPreviewInput!) { promptPreview(input: $input) { estimate { model priced low high } } }"
    preview = (await ada.send(document, input={"chapterId": idle, "model": "nobody-knows-it"})).data["promptPreview"]
    assert preview["estimate"] == {"model": "nobody-knows-it", "priced": False, "low": None, "high": None}


async def test_a_chapter_that_is_being_written_cannot_be_started_again_nor_deleted(ada: Caller, busy: tuple[str, str], contents: Contents):
    chapter, job = busy
    before = contents.digest()
    started = await ada.refusal("startChapterGeneration", chapterId=chapter)
    deleted = await ada.refusal("deleteChapter", id=chapter)
    assert contents.digest() == before
    for error, path in ((started, ["input", "chapterId"]), (deleted, ["input", "id"])):
        assert (error["__typename"], error["code"], error["path"]) == ("JobConflictError", "CONFLICT", path)
        assert error["job"] == {"id": job, "status": "RUNNING"}


async def test_a_key_answers_its_job_and_no_other_request(ada: Caller, own: Shelf, busy: tuple[str, str], contents: Contents):
    chapter, job = busy
    key = f"key of {chapter}"
    before = contents.digest()
    assert await ada.change("startChapterGeneration", chapterId=chapter, idempotencyKey=key, instructions="Darker.") == job
    for other in ({}, {"instructions": "Brighter."}, {"instructions": "Darker.", "costLimit": "1"}, {"chapterId": own.chapter}):
        error = await ada.refusal("startChapterGeneration", **{"chapterId": chapter, "idempotencyKey": key, **other})
        assert (error["__typename"], error["code"]) == ("IdempotencyConflictError", "IDEMPOTENCY_MISMATCH")
        assert (error["path"], error["job"]) == (["input", "idempotencyKey"], {"id": job})
    assert contents.digest() == before


async def test_a_key_belongs_to_the_user_who_sent_it(ada: Caller, foreign: Shelf, busy: tuple[str, str], shared_app: Running):
    chapter, job = busy
    async with shared_app.client("ben") as ben:
        other = await story.start(ben, foreign.chapter, idempotencyKey=f"key of {chapter}")
        await story.watch(ben, other)
    assert other != job


async def test_a_finished_job_stays_as_it_is(ada: Caller, own: Shelf, contents: Contents):
    before = contents.digest()
    assert await ada.change("cancelJob", jobId=own.job) == own.job
    error = await ada.refusal("retryJob", jobId=own.job)
    assert contents.digest() == before
    assert (error["__typename"], error["code"], error["path"]) == ("InvalidInputError", "INVALID", ["input", "jobId"])


async def test_a_job_is_not_retried_while_another_writes_its_chapter(
    ada: Caller, idle: str, shared_model: ScriptedModelServer, contents: Contents
):
    shared_model.script(hold(asyncio.Event(), "One"), hold(asyncio.Event(), "Two"))
    jobs = []
    for _ in range(2):
        jobs.append(await story.start(ada.client, idle))
        await story.watch(ada.client, jobs[-1], until=story.has_text)
        if len(jobs) == 1:
            await ada.change("cancelJob", jobId=jobs[0])
            await story.watch(ada.client, jobs[0])
    before = contents.digest()
    error = await ada.refusal("retryJob", jobId=jobs[0])
    assert contents.digest() == before
    assert (error["__typename"], error["path"], error["job"]["id"]) == ("JobConflictError", ["input", "jobId"], jobs[1])
    await ada.change("cancelJob", jobId=jobs[1])
    await story.watch(ada.client, jobs[1])
