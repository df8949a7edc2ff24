"""Many clients at the same moment: everybody is answered, one at most is first, and the numbers come out right."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from decimal import Decimal
from typing import Any

import pytest

from commands.demo.client import ApiError
from tests.fakes.model_server import ScriptedModelServer, hold
from tests.server import story
from tests.server.caller import Caller
from tests.server.running import running

AT_ONCE = 20
COVERED = 5
SECONDS = 20

Data = dict[str, Any]


@pytest.fixture
async def held_model(shared_model: ScriptedModelServer) -> AsyncIterator[ScriptedModelServer]:
    """Nothing that is started ends before the test does."""
    go_on = asyncio.Event()
    usual, shared_model.default = shared_model.default, hold(go_on, "The lamp")
    yield shared_model
    shared_model.default = usual
    go_on.set()


async def at_once(calls: Callable[[int], Coroutine[Any, Any, Data]]) -> list[Data]:
    async with asyncio.timeout(SECONDS):
        return await asyncio.gather(*(calls(number) for number in range(AT_ONCE)))


def refusals(payloads: list[Data]) -> list[Data]:
    return [error for payload in payloads for error in payload["errors"]]


def accepted(payloads: list[Data], name: str) -> list[str]:
    return [payload[name]["id"] for payload in payloads if payload[name] is not None]


async def new_project(ada: Caller) -> str:
    return await ada.change("createProject", title="The Lighthouse", genre="MYSTERY", settings={"maxRevisions": 0})


async def new_chapter(ada: Caller, project: str, **values: object) -> str:
    return await ada.change("createChapter", projectId=project, title="Low water", brief="The tide.", targetWordCount=60, **values)


@pytest.mark.usefixtures("held_model")
async def test_of_many_starts_on_one_chapter_one_is_taken(ada: Caller):
    chapter = await new_chapter(ada, await new_project(ada))
    payloads = await at_once(lambda _: ada.payload("startChapterGeneration", chapterId=chapter))
    (job,) = accepted(payloads, "job")
    assert Counter(error["__typename"] for error in refusals(payloads)) == {"JobConflictError": AT_ONCE - 1}
    assert {error["job"]["id"] for error in refusals(payloads)} == {job}


@pytest.mark.usefixtures("held_model")
async def test_many_starts_with_one_key_are_one_job(ada: Caller):
    project = await new_project(ada)
    chapter = await new_chapter(ada, project)
    payloads = await at_once(lambda _: ada.payload("startChapterGeneration", chapterId=chapter, idempotencyKey="once"))
    assert refusals(payloads) == []
    assert len(set(accepted(payloads, "job"))) == 1
    counted = await ada.send("query($id: ID!) { project(id: $id) { jobs { totalCount } } }", id=project)
    assert counted.data["project"]["jobs"]["totalCount"] == 1


@pytest.mark.usefixtures("held_model")
async def test_a_budget_is_never_promised_twice(ada: Caller):
    project = await new_project(ada)
    chapters = [await new_chapter(ada, project) for _ in range(AT_ONCE)]
    preview = "query($input: PromptPreviewInput!) { promptPreview(input: $input) { estimate { high } } }"
    answers = [await ada.send(preview, input={"chapterId": chapter}) for chapter in chapters]
    costs = sorted(Decimal(answer.data["promptPreview"]["estimate"]["high"]) for answer in answers)
    budget = sum(costs[-COVERED:])
    assert sum(costs[: COVERED + 1]) > budget
    await ada.change("updateProject", id=project, budgetLimit=str(budget))

    payloads = await at_once(lambda number: ada.payload("startChapterGeneration", chapterId=chapters[number]))
    assert len(accepted(payloads, "job")) == COVERED
    assert Counter((error["__typename"], error["limitName"]) for error in refusals(payloads)) == {
        ("BudgetExceededError", "budgetLimit"): AT_ONCE - COVERED
    }
    document = "query($id: ID!) { project(id: $id) { budget { reserved spent } jobs { nodes { estimate { high } } } } }"
    left = (await ada.send(document, id=project)).data["project"]
    assert Decimal(left["budget"]["reserved"]) == sum(Decimal(job["estimate"]["high"]) for job in left["jobs"]["nodes"])
    assert Decimal(left["budget"]["spent"]) == 0


async def test_of_many_edits_of_one_version_one_is_saved(ada: Caller):
    chapter = await new_chapter(ada, await new_project(ada), text="The tide went out.")
    base = (await story.chapter(ada.client, chapter))["currentVersion"]["id"]
    payloads = await at_once(lambda number: ada.payload("saveChapterText", chapterId=chapter, text=f"Edit {number}.", baseVersionId=base))
    assert len(accepted(payloads, "chapter")) == 1
    current = (await story.chapter(ada.client, chapter))["currentVersion"]
    assert Counter(error["__typename"] for error in refusals(payloads)) == {"VersionConflictError": AT_ONCE - 1}
    assert {error["current"]["id"] for error in refusals(payloads)} == {current["id"]}
    assert await version_numbers(ada, chapter) == [2, 1]


async def test_many_texts_saved_at_once_are_versions_without_a_gap(ada: Caller):
    chapter = await new_chapter(ada, await new_project(ada))
    payloads = await at_once(lambda number: ada.payload("saveChapterText", chapterId=chapter, text=f"Text {number}."))
    assert refusals(payloads) == []
    assert await version_numbers(ada, chapter) == list(range(AT_ONCE, 0, -1))


async def version_numbers(ada: Caller, chapter: str) -> list[int]:
    answer = await ada.send("query($id: ID!) { chapter(id: $id) { versions(first: 100) { nodes { number } } } }", id=chapter)
    return [version["number"] for version in answer.data["chapter"]["versions"]["nodes"]]


async def test_chapters_keep_positions_without_a_gap_whatever_happens_to_them_at_once(ada: Caller):
    project = await new_project(ada)
    chapters = [await new_chapter(ada, project) for _ in range(AT_ONCE)]

    def change(number: int) -> Coroutine[Any, Any, Data]:
        match number % 4:
            case 0:
                return ada.payload("createChapter", projectId=project, title="Between", position=number // 4 + 1)
            case 1:
                return ada.payload("createChapter", projectId=project, title="At the end")
            case 2:
                return ada.payload("deleteChapter", id=chapters[number])
            case _:
                return ada.payload("moveChapter", id=chapters[number], position=AT_ONCE - number)

    assert refusals(await at_once(change)) == []
    answer = await ada.send("query($id: ID!) { project(id: $id) { chapters(first: 100) { nodes { position } } } }", id=project)
    positions = [chapter["position"] for chapter in answer.data["project"]["chapters"]["nodes"]]
    assert positions == list(range(1, AT_ONCE + AT_ONCE // 2 - AT_ONCE // 4 + 1))


async def test_a_start_and_the_deletion_of_its_chapter_do_not_both_succeed(ada: Caller, held_model: ScriptedModelServer):
    project = await new_project(ada)
    chapters = [await new_chapter(ada, project) for _ in range(AT_ONCE // 2)]

    def change(number: int) -> Coroutine[Any, Any, Data]:
        chapter = chapters[number // 2]
        return ada.payload("deleteChapter", id=chapter) if number % 2 else ada.payload("startChapterGeneration", chapterId=chapter)

    payloads = await at_once(change)
    for started, deleted in zip(payloads[::2], payloads[1::2], strict=True):
        refused = [error["__typename"] for error in (*started["errors"], *deleted["errors"])]
        assert refused == (["NotFoundError"] if started["errors"] else ["JobConflictError"])


async def test_deleting_a_project_ends_the_model_call_of_its_job_without_an_error(database_url: str, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    # A model of its own: a job that another test has left behind would take the answer that is meant for this one.
    async with (
        ScriptedModelServer(hold(asyncio.Event(), "The lamp")) as model,
        running(database_url, model_url=model.url, lease_seconds=300) as app,
        app.client() as client,
    ):
        ada = Caller(client)
        project = await new_project(ada)
        job = await story.start(client, await new_chapter(ada, project))
        await story.watch(client, job, until=story.has_text)
        following = asyncio.create_task(story.watch(client, job))
        await ada.change("deleteProject", id=project)
        await model.disconnected(1)
        with pytest.raises(ApiError, match="nothing with this id"):
            await asyncio.wait_for(following, SECONDS)
        assert await story.watch(client, await story.start(client, await story.new_chapter(client)))
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info] == []
    assert "job.started" in caplog.messages
