"""How a chapter's job ends when it cannot be written: on a real Postgres, without a model being asked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from domain.identifiers import uuid7
from domain.jobs.endpoints import Endpoints
from domain.jobs.event_log import EventLog
from domain.jobs.job import Claim
from domain.jobs.means import Means
from domain.jobs.model_calls import ModelCalls
from domain.jobs.run import JobRun, StopReason
from domain.jobs.workflow import MAXIMUM_STUMBLES, Workflow
from domain.llm.catalogue import ModelCatalogue
from domain.llm.model import REHEARSAL
from tests.api import MODEL, Api, uuid_of
from tests.claiming import claim_job
from tests.domain.jobs.manual_time import ManualTime
from tests.persistence.job_world import intent

JOB = "query($id: ID!) { job(id: $id) { status attempt failure { code message retryable } steps { name } } }"

USAGE = "query($id: ID!) { job(id: $id) { status usage { calls uncertainCalls } steps { name status uncertain } } }"


class NoModel:
    """Fails the test that calls it."""

    rehearsal = False

    async def prepare(self) -> None:
        pass

    def stream(self, request: object) -> Any:
        pytest.fail("the model was called")

    async def aclose(self) -> None:
        pass


@asynccontextmanager
async def claimed(api: Api, job: str) -> AsyncIterator[JobRun]:
    claim = await claim_job(api.database, uuid_of(job))
    assert isinstance(claim, Claim)
    events = EventLog(api.desk, api.clock, on_written=lambda _: None, on_lost=lambda _: None)
    writing = asyncio.create_task(events.run())
    try:
        yield JobRun(claim, events.open(claim))
    finally:
        writing.cancel()
        await asyncio.wait({writing})


async def work(api: Api, job: str, *, rehearsal: bool = False, then: Callable[[JobRun], None] = lambda _: None) -> Any:
    """The job after a run; `then` is done to the run when it is about to begin."""
    services = api.services
    timing = ManualTime().timing()
    calls = ModelCalls(
        desk=api.desk,
        model=NoModel(),
        tokens=services.tokens,
        prices=services.prices,
        clock=api.clock,
        ids=uuid7,
        endpoints=Endpoints("nowhere", rates=None, timing=timing),
        timing=timing,
    )
    write = Workflow(
        Means(
            library=services.library,
            desk=api.desk,
            calls=calls,
            tokens=services.tokens,
            memory=services.prompt_memory,
            clock=api.clock,
            ids=uuid7,
            rehearsal=rehearsal,
        )
    )
    async with asyncio.timeout(20), claimed(api, job) as run:
        then(run)
        await write(run)
    return (await api.ask(JOB, id=job))["job"]


async def test_a_job_with_which_too_many_workers_have_vanished_fails_and_says_so(api: Api):
    job = await api.job(await api.chapter(await api.project()))
    for _ in range(MAXIMUM_STUMBLES + 1):
        async with claimed(api, job) as run:
            await api.desk.renew([run.claim], lease_seconds=-1)
    ended = await work(api, job)
    assert (ended["status"], ended["attempt"]) == ("FAILED", MAXIMUM_STUMBLES + 2)
    assert (ended["failure"]["code"], ended["failure"]["retryable"]) == ("TOO_MANY_ATTEMPTS", False)


async def test_a_job_cancelled_after_its_worker_died_in_mid_call_counts_that_call(api: Api):
    job = await api.job(await api.chapter(await api.project()))
    claim = await claim_job(api.database, uuid_of(job))
    assert isinstance(claim, Claim)
    await api.desk.intend(claim, intent())
    await api.desk.renew([claim], lease_seconds=-1)
    await api.mutate("cancelJob", "id", jobId=job)
    await work(api, job)
    ended = (await api.ask(USAGE, id=job))["job"]
    assert (ended["status"], ended["usage"]["calls"], ended["usage"]["uncertainCalls"]) == ("CANCELLED", 1, 1)
    assert ended["steps"] == [{"name": "draft/1", "status": "FAILED", "uncertain": True}]


@pytest.mark.parametrize("loss", ["role", "membership"])
async def test_a_job_of_somebody_who_may_no_longer_write_here_fails(api: Api, loss: str):
    project = await api.project()
    ben = await api.member(project, "EDITOR")
    job = await ben.job(await api.chapter(project))
    if loss == "role":
        await api.mutate("changeProjectMemberRole", "id", projectId=project, userId=await own_id(ben), role="VIEWER")
    else:
        await api.mutate("removeProjectMember", "id", projectId=project, userId=await own_id(ben))
    ended = await work(api, job)
    assert ended["status"] == "FAILED"
    assert ended["failure"]["code"] == ("FORBIDDEN" if loss == "role" else "NOT_FOUND")


async def own_id(api: Api) -> str:
    return str((await api.ask("{ viewer { user { id } } }"))["viewer"]["user"]["id"])


@pytest.mark.parametrize("started_as_rehearsal", [True, False])
async def test_a_job_never_goes_on_with_another_kind_of_model_than_it_was_started_for(api: Api, started_as_rehearsal: bool):
    default = REHEARSAL if started_as_rehearsal else MODEL
    models = ModelCatalogue(default=default, prices=api.services.prices, rehearsal=started_as_rehearsal)
    then = replace(api, services=replace(api.services, models=models, default_model=default))
    job = await then.job(await then.chapter(await then.project()))
    ended = await work(api, job, rehearsal=not started_as_rehearsal)
    assert (ended["status"], ended["failure"]["code"]) == ("FAILED", "MODEL_MISCONFIGURED")
    assert "Start it anew" in ended["failure"]["message"]


async def test_a_shutdown_during_the_context_step_hands_the_job_over_behind_it(api: Api):
    job = await api.job(await api.chapter(await api.project()))
    ended = await work(api, job, then=lambda run: asyncio.get_running_loop().call_later(0, run.interrupt, StopReason.HANDED_OVER))
    assert (ended["status"], [step["name"] for step in ended["steps"]]) == ("QUEUED", ["context"])
    assert isinstance(await claim_job(api.database, uuid_of(job)), Claim)
