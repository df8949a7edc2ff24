"""Five hundred jobs in one worker process, each waiting for a model that thinks: what they cost in memory, and how soon all of them run."""

import asyncio
import time
from pathlib import Path

from bench.jobs.processes import worker
from bench.workbench import workbench_urls
from tests.fakes.model_server import ScriptedModelServer, hold
from tests.server import story
from tests.server.running import Running, running

JOBS, USERS = 500, 5
LIMIT_MEGABYTES = 250
WAIT_SECONDS = 180
PROJECTS_EACH = 10


async def sleeping() -> None:
    release = asyncio.Event()
    chosen = {
        "SCRIPTORIUM_WORKERS_IN_PROCESS": str(JOBS),
        "SCRIPTORIUM_JOBS_PER_USER": str(JOBS),
        "SCRIPTORIUM_JOBS_PER_PROJECT": str(JOBS),
    }
    with workbench_urls() as urls:
        async with (
            ScriptedModelServer(default=hold(release, "Once. ", "More.")) as model,
            running(urls.application, model_url=model.url, workers_in_process=0) as served,
        ):
            await asyncio.gather(*(_start_jobs(served, f"user{number}") for number in range(USERS)))
            with worker(database_url=urls.owner, model_url=model.url, **chosen) as pid:
                idle, began = _resident(pid), time.perf_counter()
                while len(model.calls) < JOBS:
                    await asyncio.sleep(0.05)
                    assert time.perf_counter() - began < WAIT_SECONDS, f"only {len(model.calls)} calls came"
                all_after = time.perf_counter() - began
                samples = [await _sample(pid) for _ in range(11)]
                release.set()
    low, middle, high = min(samples), sorted(samples)[len(samples) // 2], max(samples)
    verdict = "met" if high <= LIMIT_MEGABYTES else "MISSED"
    print(f"\n{JOBS} jobs asleep in one worker process")
    print(f"  {'megabytes resident':<52} {'min':>8} {'median':>8} {'max':>8}")
    print(f"  {'peer: the same worker without a job':<52} {idle:>26.1f}")
    print(f"  {'with all of them':<52} {low:>8.1f} {middle:>8.1f} {high:>8.1f}   limit {LIMIT_MEGABYTES}: {verdict}")
    print(f"  {'all of them had called the model after, seconds':<52} {all_after:>26.1f}")


async def _start_jobs(served: Running, user: str) -> None:
    async with served.client(user) as client:
        for _ in range(JOBS // USERS):
            await story.start(client, await story.new_chapter(client))


async def _sample(pid: int) -> float:
    await asyncio.sleep(0.2)
    return _resident(pid)


def _resident(pid: int) -> float:
    """Megabytes, as Linux tells."""
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024
