"""A process that dies by SIGKILL while it writes: the next one finishes the chapter, and buys only what is missing."""

import asyncio
from pathlib import Path

from commands.demo.client import Client
from tests.fakes.model_server import ScriptedModelServer, hold, reply
from tests.reliability.processes import served
from tests.server import story
from tests.server.running import token_for


async def test_a_job_killed_mid_draft_is_finished_by_the_next_start(owner_url: str, tmp_path: Path):
    first_part, lost, second_part = "The lamp was lit,", " and then it w", " and Mara counted the steps."
    async with ScriptedModelServer(reply(first_part, finish="length"), hold(asyncio.Event(), lost), reply(second_part)) as model:
        async with served(tmp_path, database_url=owner_url, model_url=model.url) as process:
            ada = Client(process.address, token_for("ada"))
            chapter_id = await story.new_chapter(ada)
            job_id = await story.start(ada, chapter_id)
            early = await story.watch(ada, job_id, until=lambda event: story.has_text(event) and event["text"] == lost)
            await process.kill()
            await ada.aclose()
        async with served(tmp_path, database_url=owner_url, model_url=model.url) as process:
            ada = Client(process.address, token_for("ada"))
            async with asyncio.timeout(20):
                late = await story.watch(ada, job_id, after=early[-1]["cursor"])
            job, written = await story.job(ada, job_id), await story.chapter(ada, chapter_id)
            await ada.aclose()

    whole = first_part + second_part
    assert late[-1]["job"]["status"] == "SUCCEEDED"
    assert written["currentVersion"]["text"] == job["text"] == whole
    sequences = [event["sequence"] for event in early + late]
    assert sequences == list(range(1, len(sequences) + 1))
    assert story.shown_text(early + late) == whole
    # The first part, the call that died with its process, and that call once more: nothing else was bought.
    assert len(model.calls) == 3
    assert model.calls[1].body["messages"] == model.calls[2].body["messages"]
    uncertain = {step["name"]: step["uncertain"] for step in job["steps"]}
    assert uncertain == {"context": False, "draft/1": False, "draft/2": True, "save": False}


async def test_a_worker_of_its_own_takes_jobs_of_a_server_that_runs_none(owner_url: str, tmp_path: Path):
    async with (
        ScriptedModelServer(default=reply("Written elsewhere.")) as model,
        served(tmp_path, database_url=owner_url, model_url=model.url, SCRIPTORIUM_WORKERS_IN_PROCESS="0") as api,
        served(tmp_path, database_url=owner_url, model_url=model.url),
    ):
        ada = Client(api.address, token_for("ada"))
        job_id = await story.start(ada, await story.new_chapter(ada))
        async with asyncio.timeout(20):
            events = await story.watch(ada, job_id)
        await ada.aclose()
    assert events[-1]["job"]["status"] == "SUCCEEDED"
    assert story.shown_text(events) == "Written elsewhere."
