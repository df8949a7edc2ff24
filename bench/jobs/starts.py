"""From the mutation that starts a job to the moment at which a worker has it, in one process as `make run` has it.

Measured on a socket that follows the job's log: the clock stops when its RUNNING arrives. The peer is a bare procrastinate worker on the
same Postgres: from the commit of its message to the start of its task.
"""

import time

from bench.follower import Follower
from bench.jobs.bare_engine import bare_engine
from bench.report import HEADING, row
from bench.workbench import workbench
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
            Follower(served.address) as follower,
        ):
            rounds = [await _round(ada, follower) for _ in range(WARM_UP + ROUNDS)][WARM_UP:]
    print("\nA job begins")
    print(HEADING)
    print(row("mutation, sent to answered", [answered for answered, _ in rounds]))
    print(row("answered to RUNNING on a follower's socket", [running_at for _, running_at in rounds], limit=LIMIT_SECONDS))
    print(row("sent to RUNNING on a follower's socket", [sum(both) for both in rounds]))
    print(row("peer: a bare engine, message to task", bare))


async def _round(ada: Client, follower: Follower) -> tuple[float, float]:
    """Seconds: the mutation; from its answer to RUNNING."""
    chapter_id = await story.new_chapter(ada)
    began = time.perf_counter()
    job_id = await story.start(ada, chapter_id)
    answered = time.perf_counter()
    await follower.subscribe(job_id)
    while (event := await follower.event()) is not None and event.get("status") != "RUNNING":
        pass
    running_at = time.perf_counter()
    while (await follower.event()) is not None:
        pass
    return answered - began, running_at - answered
