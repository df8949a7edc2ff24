"""From the mutation that starts a job to the moment at which a worker has it, in one process as `make run` has it.

Measured on a socket that follows the job's log: the clock stops when its RUNNING arrives. The peer is a bare procrastinate worker on the
same Postgres: from the commit of its message to the start of its task.
"""

import asyncio
import time

from bench.jobs.bare_engine import bare_engine
from bench.report import HEADING, row
from bench.workbench import workbench
from commands.demo import documents
from commands.demo.client import Client
from tests.fakes.model_server import ScriptedModelServer, reply
from tests.server import story
from tests.server.running import running

ROUNDS, WARM_UP = 60, 5
LIMIT_SECONDS = 0.03


async def starts() -> None:
    with workbench() as url:
        bare = await bare_engine(url, rounds=ROUNDS)
        async with (
            ScriptedModelServer(default=reply("Mara found the letter.")) as model,
            running(url, model_url=model.url) as served,
            served.client() as ada,
        ):
            rounds = [await _round(ada) for _ in range(WARM_UP + ROUNDS)][WARM_UP:]
    print("\nA job begins")
    print(HEADING)
    print(row("mutation, sent to answered", [answered for answered, _ in rounds]))
    print(row("answered to RUNNING on a follower's socket", [running_at for _, running_at in rounds], limit=LIMIT_SECONDS))
    print(row("sent to RUNNING on a follower's socket", [sum(both) for both in rounds]))
    print(row("peer: a bare engine, message to task", bare))


async def _round(ada: Client) -> tuple[float, float]:
    """Seconds: the mutation; from its answer to RUNNING."""
    chapter_id = await story.new_chapter(ada)
    began = time.perf_counter()
    job_id = await story.start(ada, chapter_id)
    answered = time.perf_counter()
    async with ada.follow(documents.EVENTS, jobId=job_id) as events:
        async for event in events:
            if event["jobEvents"].get("status") == "RUNNING":
                break
        running_at = time.perf_counter()
        async for _ in events:
            pass
    await asyncio.sleep(0)
    return answered - began, running_at - answered
