"""SIGTERM to a process in the middle of its work: it is gone in time, tells its followers to come back, and another goes on with its jobs."""

import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest

from domain.jobs.events import StatusChanged
from domain.jobs.job import JobStatus
from tests.reliability.chaos.fleet import Duty
from tests.reliability.chaos.plan import ChapterPlan, Whim, plan_of
from tests.reliability.chaos.records import EventRow
from tests.reliability.chaos.report import lines
from tests.reliability.chaos.storm import Outcome, Scene, Weather, storm

JOBS, FOLLOWERS = 20, 8
DRAINED_SECONDS = 30
LEASE_SECONDS = 30
PATIENCE_SECONDS = 60
WORKING = Weather(
    seed=37,
    runs=JOBS,
    servers=1,
    workers=0,
    in_flight=JOBS,
    lease_seconds=LEASE_SECONDS,
    # Some calls end by themselves meanwhile, others are cut off.
    drain_seconds=1,
    chunk_seconds=0.25,
    settings={
        "SCRIPTORIUM_WORKERS_IN_PROCESS": f"{JOBS}",
        "SCRIPTORIUM_JOBS_PER_USER": f"{JOBS}",
        "SCRIPTORIUM_JOBS_PER_PROJECT": f"{JOBS}",
    },
)


def steady_authors() -> list[ChapterPlan]:
    plans = plan_of(WORKING.seed, WORKING.runs)
    return [replace(plan, whim=Whim.NONE, thrifty=False, sent_times=1, followed=at < FOLLOWERS) for at, plan in enumerate(plans)]


async def replace_the_server_while_all_are_being_written(scene: Scene) -> None:
    fleet = scene.misfortune.fleet
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(scene.model.calls) < JOBS:  # noqa: ASYNC110  - the server's own wait is shorter than it takes to start so many
            await asyncio.sleep(0.01)
    (server,) = fleet.sound(Duty.SERVE)
    await fleet.terminate(server)


def seconds_handed_over(rows: list[EventRow]) -> list[float]:
    """From each time the job was given back to when it was taken up."""
    changes = [(row.at, row.event.status) for row in rows if isinstance(row.event, StatusChanged)]
    return [(later - at).total_seconds() for (at, status), (later, _) in pairwise(changes[1:]) if status is JobStatus.QUEUED]


@pytest.mark.timeout(240)
async def test_a_process_told_to_stop_hands_its_jobs_and_its_followers_over():
    outcome: Outcome = await storm(WORKING, plans=steady_authors(), harm=replace_the_server_while_all_are_being_written)
    told = "\n".join(lines(outcome))
    assert not outcome.violations, told
    assert [job.status for job in outcome.evidence.jobs.values()] == [JobStatus.SUCCEEDED] * JOBS
    (drained,) = outcome.drains
    assert drained < DRAINED_SECONDS
    assert outcome.troubles["subscription: closed with 1012"] == FOLLOWERS, told
    handed_over = [seconds for rows in outcome.evidence.events.values() for seconds in seconds_handed_over(list(rows))]
    assert len(handed_over) == JOBS
    assert max(handed_over) < LEASE_SECONDS
