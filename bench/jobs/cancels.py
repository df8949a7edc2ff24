"""From a cancel, sent to a server that runs no jobs, to the end of the model's open stream in a worker process of its own."""

import asyncio
import time

from bench.jobs.processes import worker
from bench.report import HEADING, row
from bench.workbench import workbench_urls
from commands.demo import documents
from commands.demo.client import Client
from tests.fakes.model_server import ScriptedModelServer, hold
from tests.server import story
from tests.server.running import running

ROUNDS = 20
LIMIT_SECONDS = 1.0


async def cancels() -> None:
    with workbench_urls() as urls:
        async with (
            ScriptedModelServer(default=hold(asyncio.Event(), "Once upon a time. ")) as model,
            running(urls.application, model_url=model.url, workers_in_process=0) as served,
            served.client() as ada,
        ):
            with worker(database_url=urls.owner, model_url=model.url):
                rounds = [await _round(ada, model, number) for number in range(1, ROUNDS + 1)]
    print("\nA cancel, from one process to the stream in another")
    print(HEADING)
    print(row("cancelJob, sent to answered", [answered for answered, _ in rounds]))
    print(row("cancelJob sent to the model's stream hung up", [hung_up for _, hung_up in rounds], limit=LIMIT_SECONDS))


async def _round(ada: Client, model: ScriptedModelServer, number: int) -> tuple[float, float]:
    """Seconds: until the mutation was answered; until the model saw its caller hang up."""
    job_id = await story.start(ada, await story.new_chapter(ada))
    await story.watch(ada, job_id, until=story.has_text)
    began, began_on_loop = time.perf_counter(), asyncio.get_running_loop().time()
    await ada.change(documents.CANCEL, jobId=job_id)
    answered = time.perf_counter() - began
    call = await model.disconnected(number)
    await story.watch(ada, job_id)
    assert call.disconnected_at is not None
    return answered, call.disconnected_at - began_on_loop
