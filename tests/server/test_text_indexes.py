"""What a job writes is saved with its index, and a process remembers texts for its jobs and its previews."""

import asyncio

import psycopg
import pytest

from commands.demo import documents
from domain.prompting.index.saved_text import NewText
from tests.fakes.model_server import ScriptedModelServer, hold, reply
from tests.server import story
from tests.server.running import running

PROSE = "Mara found the letter under the lamp. She did not open it."
SAVED = "SELECT origin, text, text_index FROM chapter_version"


@pytest.mark.parametrize("way", ["DRAFT", "PARTIAL"])
async def test_a_text_that_a_job_writes_is_saved_with_its_index(database_url: str, owner_url: str, way: str):
    async with ScriptedModelServer(default=reply(PROSE)) as model, running(database_url, model_url=model.url) as app, app.client() as ada:
        if way == "PARTIAL":
            model.script(hold(asyncio.Event(), PROSE))
        job = await story.start(ada, await story.new_chapter(ada))
        if way == "PARTIAL":
            await story.watch(ada, job, until=story.has_text)
            await ada.change(documents.CANCEL, jobId=job)
        await story.watch(ada, job)
    with psycopg.connect(owner_url) as connection:
        assert connection.execute(SAVED).fetchall() == [(way, PROSE, NewText.of(PROSE).index)]


async def test_both_previews_and_jobs_are_remembered_by_the_process_that_makes_them(database_url: str):
    async with (
        ScriptedModelServer(default=reply(PROSE)) as model,
        running(database_url, model_url=model.url, workers_in_process=0) as serving,
        running(database_url, model_url=model.url) as working,
        serving.client() as ada,
    ):
        chapter = await story.new_chapter(ada)
        await ada.ask(documents.PREVIEW, input={"chapterId": chapter})
        assert (serving.scriptorium.prompt_memory.size > 0, working.scriptorium.prompt_memory.size) == (True, 0)
        await story.watch(ada, await story.start(ada, chapter))
        assert working.scriptorium.prompt_memory.size > 0


async def test_a_process_that_may_remember_nothing_writes_all_the_same(database_url: str):
    async with (
        ScriptedModelServer(default=reply(PROSE)) as model,
        running(database_url, model_url=model.url, prompt_memory_mb=0) as app,
        app.client() as ada,
    ):
        chapter = await story.new_chapter(ada)
        await story.watch(ada, await story.start(ada, chapter))
        assert (await story.chapter(ada, chapter))["currentVersion"]["text"] == PROSE
        assert app.scriptorium.prompt_memory.size == 0
