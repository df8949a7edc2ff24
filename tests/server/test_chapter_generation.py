"""A chapter is written while its author watches: the whole application, a real socket, a scripted model."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from commands.demo import documents
from tests.fakes.model_server import ScriptedModelServer, fails, hold, refuses, reply, resets
from tests.server import judging, story
from tests.server.running import Running, running

PROSE = "Mara found the letter under the lamp. She did not open it. The tide was out, and the causeway lay bare as a table."


@pytest.fixture
async def model() -> AsyncIterator[ScriptedModelServer]:
    async with ScriptedModelServer(default=reply(PROSE)) as server:
        yield server


@pytest.fixture
async def app(database_url: str, model: ScriptedModelServer) -> AsyncIterator[Running]:
    async with running(database_url, model_url=model.url) as served:
        yield served


async def test_a_chapter_is_written_and_read_with_its_receipt_cost_and_words(app: Running, model: ScriptedModelServer):
    async with app.client() as ada:
        chapter_id = await story.new_chapter(ada)
        preview = (await ada.ask(documents.PREVIEW, input={"chapterId": chapter_id}))["promptPreview"]
        job_id = await story.start(ada, chapter_id)
        events = await story.watch(ada, job_id)

        assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
        assert events[-1]["__typename"] == "JobFinished"
        assert events[-1]["job"]["status"] == "SUCCEEDED"
        assert {"CONTEXT", "DRAFTING", "DONE"} <= {event["stage"] for event in events if event["__typename"] == "JobProgressed"}
        progress = [event["progress"] for event in events if event["__typename"] == "JobProgressed"]
        assert progress == sorted(progress)
        assert story.shown_text(events) == PROSE

        written = await story.chapter(ada, chapter_id)
        assert written["status"] == "DRAFTED"
        version = written["currentVersion"]
        assert (version["text"], version["origin"], version["wordCount"], version["rehearsal"]) == (PROSE, "DRAFT", 24, False)
        assert version["receipt"]["digest"] == preview["receipt"]["digest"]

        job = await story.job(ada, job_id)
        assert [step["name"] for step in job["steps"]] == ["context", "draft/1", "save"]
        assert job["usage"]["calls"] == 1
        assert float(job["usage"]["cost"]) > 0
        assert (job["progress"], job["text"]) == (1.0, PROSE)
    assert len(model.calls) == 1


async def test_what_is_sent_is_what_the_preview_showed(app: Running, model: ScriptedModelServer):
    document = "query($input: PromptPreviewInput!) { promptPreview(input: $input) { messages { role text } } }"
    async with app.client() as ada:
        chapter_id = await story.new_chapter(ada)
        preview = (await ada.ask(document, input={"chapterId": chapter_id}))["promptPreview"]
        await story.watch(ada, await story.start(ada, chapter_id))
    sent = [{"role": message["role"], "text": message["content"]} for message in model.calls[0].body["messages"]]
    assert sent == preview["messages"]


async def test_text_arrives_while_the_model_is_still_writing(app: Running, model: ScriptedModelServer):
    go_on = asyncio.Event()
    model.script(hold(go_on, "Mara waited. ", "Then she went."))
    async with app.client() as ada:
        job_id = await story.start(ada, await story.new_chapter(ada))
        early = await story.watch(ada, job_id, until=story.has_text)
        assert early[-1]["text"] == "Mara waited. "
        assert (await story.job(ada, job_id))["status"] == "RUNNING"
        go_on.set()
        late = await story.watch(ada, job_id, after=early[-1]["cursor"])
    assert story.shown_text(early + late) == "Mara waited. Then she went."


async def test_from_every_cursor_exactly_the_rest_follows(app: Running):
    async with app.client() as ada:
        job_id = await story.start(ada, await story.new_chapter(ada))
        whole = await story.watch(ada, job_id)
        for number, event in enumerate(whole, start=1):
            assert await story.watch(ada, job_id, after=event["cursor"]) == whole[number:]


async def test_text_and_cursor_of_a_job_fit_together(app: Running, model: ScriptedModelServer):
    go_on = asyncio.Event()
    model.script(hold(go_on, "One. Two.", " Three. Four."))
    async with app.client() as ada:
        job_id = await story.start(ada, await story.new_chapter(ada))
        await story.watch(ada, job_id, until=story.has_text)
        snapshot = await story.job(ada, job_id)
        go_on.set()
        rest = await story.watch(ada, job_id, after=snapshot["lastEventCursor"])
    assert snapshot["text"] + "".join(event["text"] for event in rest if story.has_text(event)) == "One. Two. Three. Four."


async def test_a_cancel_hangs_up_on_the_model_and_keeps_what_was_written(app: Running, model: ScriptedModelServer):
    model.script(hold(asyncio.Event(), "Mara waited for the tide to turn."))
    async with app.client() as ada:
        chapter_id = await story.new_chapter(ada)
        job_id = await story.start(ada, chapter_id)
        early = await story.watch(ada, job_id, until=story.has_text)
        await ada.change(documents.CANCEL, jobId=job_id)
        await model.disconnected(1)
        late = await story.watch(ada, job_id, after=early[-1]["cursor"])
        assert late[-1]["job"]["status"] == "CANCELLED"
        job = await story.job(ada, job_id)
        assert (job["result"]["origin"], job["result"]["text"]) == ("PARTIAL", "Mara waited for the tide to turn.")
        assert job["result"]["receipt"]["tokensUsed"] > 0
        assert job["usage"]["completionTokens"] > 0
        left = await story.chapter(ada, chapter_id)
        assert (left["currentVersion"], left["status"]) == (None, "PLANNED")
        assert (await judging.version(ada, chapter_id, "PARTIAL"))["assessment"]["metrics"]


async def test_one_job_is_cancelled_while_another_finishes(app: Running, model: ScriptedModelServer):
    go_on = asyncio.Event()
    model.default = hold(go_on, "Begun.", " Ended.")
    async with app.client() as ada:
        first, second = [await story.start(ada, await story.new_chapter(ada)) for _ in range(2)]
        for job_id in (first, second):
            await story.watch(ada, job_id, until=story.has_text)
        await ada.change(documents.CANCEL, jobId=first)
        await story.watch(ada, first)
        go_on.set()
        events = await story.watch(ada, second)
        assert events[-1]["job"]["status"] == "SUCCEEDED"
        assert (await story.job(ada, first))["status"] == "CANCELLED"


async def test_a_part_that_ends_for_length_is_continued_from_its_tail(app: Running, model: ScriptedModelServer):
    model.script(reply("The lamp went", finish="length"), reply(" out."))
    async with app.client() as ada:
        chapter_id = await story.new_chapter(ada)
        await story.watch(ada, await story.start(ada, chapter_id))
        assert (await story.chapter(ada, chapter_id))["currentVersion"]["text"] == "The lamp went out."
    continued = model.calls[1].body["messages"]
    assert continued[:-2] == model.calls[0].body["messages"]
    assert continued[-2] == {"role": "assistant", "content": "The lamp went"}


async def test_a_stream_that_breaks_is_continued_and_what_it_brought_is_kept(app: Running, model: ScriptedModelServer):
    model.script(resets("Half of it was"), reply(" there."))
    async with app.client() as ada:
        chapter_id = await story.new_chapter(ada)
        events = await story.watch(ada, await story.start(ada, chapter_id))
        assert story.shown_text(events) == "Half of it was there."
        assert (await story.chapter(ada, chapter_id))["currentVersion"]["text"] == "Half of it was there."


async def test_a_refused_key_fails_the_job_with_a_reason(app: Running, model: ScriptedModelServer):
    model.script(fails(401))
    async with app.client() as ada:
        chapter_id = await story.new_chapter(ada)
        job_id = await story.start(ada, chapter_id)
        events = await story.watch(ada, job_id)
        job = await story.job(ada, job_id)
    assert events[-1]["job"]["status"] == job["status"] == "FAILED"
    assert job["failure"]["retryable"] is False
    assert "key" in job["failure"]["message"].lower()
    assert job["usage"]["calls"] == 0
    assert len(model.calls) == 1


async def test_a_busy_model_is_asked_again(app: Running, model: ScriptedModelServer):
    model.script(fails(429, retry_after=0), fails(503))
    async with app.client() as ada:
        events = await story.watch(ada, await story.start(ada, await story.new_chapter(ada)))
    assert events[-1]["job"]["status"] == "SUCCEEDED"
    assert len(model.calls) == 3


async def test_a_failed_job_is_retried_behind_its_recorded_steps(app: Running, model: ScriptedModelServer):
    model.script(reply("The first half,", finish="length"), fails(400))
    async with app.client() as ada:
        chapter_id = await story.new_chapter(ada)
        job_id = await story.start(ada, chapter_id)
        await story.watch(ada, job_id)
        assert (await story.job(ada, job_id))["result"]["origin"] == "PARTIAL"
        model.script(reply(" the second half."))
        retry = "mutation($input: JobInput!) { retryJob(input: $input) { job { status } errors { message } } }"
        before = (await story.job(ada, job_id))["lastEventCursor"]
        await ada.change(retry, jobId=job_id)
        await story.watch(ada, job_id, after=before)
        assert (await story.chapter(ada, chapter_id))["currentVersion"]["text"] == "The first half, the second half."
    assert len(model.calls) == 3


async def test_a_text_the_author_saves_meanwhile_stays_current(app: Running, model: ScriptedModelServer):
    go_on = asyncio.Event()
    model.script(hold(go_on, "Drafted", " text."))
    save = "mutation($input: SaveChapterTextInput!) { saveChapterText(input: $input) { chapter { id } errors { message } } }"
    async with app.client() as ada:
        chapter_id = await story.new_chapter(ada)
        job_id = await story.start(ada, chapter_id)
        await story.watch(ada, job_id, until=story.has_text)
        await ada.change(save, chapterId=chapter_id, text="My own words.")
        go_on.set()
        await story.watch(ada, job_id)
        written = await story.chapter(ada, chapter_id)
    assert written["currentVersion"]["text"] == "My own words."
    assert {(version["origin"], version["text"]) for version in written["versions"]["nodes"]} == {
        ("AUTHOR", "My own words."),
        ("DRAFT", "Drafted text."),
    }


async def test_a_shutdown_hands_a_running_job_over_and_nothing_is_bought_twice(database_url: str, model: ScriptedModelServer):
    model.script(hold(asyncio.Event(), "Written before the shutdown,"), reply(" and after it."))
    async with running(database_url, model_url=model.url) as first, first.client() as ada:
        chapter_id = await story.new_chapter(ada)
        job_id = await story.start(ada, chapter_id)
        early = await story.watch(ada, job_id, until=story.has_text)
    async with running(database_url, model_url=model.url) as second, second.client() as ada:
        late = await story.watch(ada, job_id, after=early[-1]["cursor"])
        assert (await story.chapter(ada, chapter_id))["currentVersion"]["text"] == "Written before the shutdown, and after it."
    sequences = [event["sequence"] for event in early + late]
    assert sequences == list(range(1, len(sequences) + 1))
    assert story.shown_text(early + late) == "Written before the shutdown, and after it."
    assert len(model.calls) == 2


async def test_the_rehearsal_says_what_it_is_wherever_a_user_meets_it(database_url: str):
    async with running(database_url, rehearsal=True, model=None, openai_api_key=None) as served, served.client() as ada:
        chapter_id = await story.new_chapter(ada)
        job_id = await story.start(ada, chapter_id)
        events = await story.watch(ada, job_id)
        job, written = await story.job(ada, job_id), await story.chapter(ada, chapter_id)
    assert job["rehearsal"] is True
    assert written["currentVersion"]["rehearsal"] is True
    assert "rehearsal" in written["currentVersion"]["text"].splitlines()[0].lower()
    assert any("Rehears" in event.get("message", "") for event in events)
    assert job["usage"]["cost"] == "0.000000"


async def test_a_refusal_by_the_model_fails_the_job_and_is_on_the_bill(app: Running, model: ScriptedModelServer):
    model.script(refuses())
    async with app.client() as ada:
        job_id = await story.start(ada, await story.new_chapter(ada))
        await story.watch(ada, job_id)
        job = await story.job(ada, job_id)
    assert job["status"] == "FAILED"
    assert job["usage"]["calls"] == len(model.calls) == 1
    assert job["usage"]["promptTokens"] > 0
