"""Every named point x every kind of job x first and second attempt: the process dies there, and another finishes what it had begun."""

import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from commands.demo.client import Client
from domain.jobs.job import JobKind
from domain.jobs.ports import JobDesk
from domain.ports import Jobs
from tests.api import Api, api
from tests.fakes.model_server import ScriptedModelServer, reply
from tests.reliability.chaos.records import read_records
from tests.reliability.crashes.circumstances import ONCE, SPECIAL, TWICE_IN_FLIGHT, Circumstance, circumstance
from tests.reliability.crashes.dying import Child, Orders
from tests.reliability.crashes.points import COMMITTED, MID_STREAM, all_points, methods_of
from tests.reliability.crashes.stage import WORKLOADS, Stage, stage
from tests.server import story
from tests.server.caller import Caller
from tests.server.running import running, token_for

__all__ = ["api"]

ASKED_BY = {
    "create": "startChapterGeneration",
    "request_cancel": "cancelJob",
    "retry": "retryJob",
    "change_cost_limit": "changeJobCostLimit",
}
"""What a server commits for a user who waits for the answer, and the mutation that asks for it."""

POINTS_OF_WORKERS = [point for point in all_points() if point.split()[-1] not in ASKED_BY]
POINTS_OF_SERVERS = [point for point in all_points() if point.split()[-1] in ASKED_BY]
CASES = [(point, kind, deaths) for point in POINTS_OF_WORKERS for kind in JobKind for deaths in ((1,) if point in ONCE else (1, 2))]
TEXT = "The lamp burned low."
READING = {
    *(
        "active_count",
        "active_on",
        "count_of_user",
        "counts_of_chapters",
        "counts_of_projects",
        "event_counts",
        "event_pages",
        "events_after",
        "get_many",
    ),
    *("last_messages", "page_of_user", "pages_of_chapters", "pages_of_projects", "prompt_of", "recall_key", "receipts", "steps", "texts"),
}
PARTS = {"add_prompt", "remember_key"}
"""Committed together with a change that has a point of its own."""
FROZEN_AT = ("after intend", MID_STREAM, "before record", "before append")


@pytest.fixture
async def set_up(api: Api, owner_url: str, database_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(api, owner_url=owner_url, database_url=database_url, log=tmp_path / "children.log") as made:
        yield made


@pytest.mark.parametrize(("point", "kind", "deaths"), CASES)
async def test_a_job_survives_the_death_of_its_process(set_up: Stage, point: str, kind: JobKind, deaths: int):
    setting = circumstance(point)
    await WORKLOADS[kind](set_up)
    await setting.before(set_up)
    set_up.passed.clear()
    set_up.writer.moods = [setting.mood] * deaths
    for _ in range(deaths):
        assert await death(set_up, point, setting) == -signal.SIGKILL, set_up.log.read_text()
    await setting.behind(set_up)
    await finish(set_up, lost_twice=deaths == 2 and point in TWICE_IN_FLIGHT)
    assert (await set_up.state())["status"] == setting.ends
    assert [str(violation) for violation in await set_up.violations()] == []
    assert point not in ONCE & set_up.passed


async def death(stage: Stage, point: str, setting: Circumstance) -> int | None:
    child = stage.child(die_at=point, **setting.orders)
    await setting.beside(stage)
    status = await child.end()
    await stage.bury()
    return status


async def finish(stage: Stage, *, lost_twice: bool) -> None:
    async with stage.healthy_worker():
        await stage.follow()
        assert ((await stage.state())["failure"] == {"code": "CALLS_LOST"}) is lost_twice
        if lost_twice:
            await stage.author.mutate("retryJob", "id", jobId=stage.job)
            await stage.follow()


@pytest.mark.parametrize("point", ["after intend", MID_STREAM, "before record"])
@pytest.mark.parametrize("kind", JobKind)
async def test_a_job_cancelled_behind_the_death_of_its_process_counts_the_call_that_died_with_it(set_up: Stage, point: str, kind: JobKind):
    await WORKLOADS[kind](set_up)
    assert await death(set_up, point, circumstance(point)) == -signal.SIGKILL, set_up.log.read_text()
    await set_up.author.mutate("cancelJob", "id", jobId=set_up.job)
    await finish(set_up, lost_twice=False)
    assert (await set_up.state())["status"] == "CANCELLED"
    assert [str(violation) for violation in await set_up.violations()] == []


@pytest.mark.parametrize("point", FROZEN_AT)
@pytest.mark.parametrize("kind", JobKind)
async def test_a_process_frozen_past_its_lease_finds_its_job_done_and_does_nothing(set_up: Stage, point: str, kind: JobKind):
    await WORKLOADS[kind](set_up)
    frozen = set_up.child(freeze_at=point, lease_seconds=1)
    await set_up.until_the_lease_is_over()
    heard_before = len(set_up.writer.heard)
    async with set_up.healthy_worker():
        await set_up.follow()
    heard = len(set_up.writer.heard)
    assert heard == heard_before + 3
    for number in (signal.SIGCONT, signal.SIGTERM):
        frozen.signal(number)
    assert await frozen.end() == 0, set_up.log.read_text()
    await set_up.until_no_message_is_left()
    assert (await set_up.state())["status"] == "SUCCEEDED"
    assert len(set_up.writer.heard) == heard
    assert [str(violation) for violation in await set_up.violations()] == []


@pytest.mark.parametrize(
    ("point", "deaths"), [(point, deaths) for point in POINTS_OF_SERVERS for deaths in ((1,) if point in ONCE else (1, 2))]
)
async def test_a_request_survives_the_death_of_the_server_that_was_to_answer_it(
    owner_url: str, database_url: str, tmp_path: Path, point: str, deaths: int
):
    async with (
        ScriptedModelServer(default=reply(TEXT)) as model,
        running(database_url, model_url=model.url, workers_in_process=0) as healthy,
        healthy.client() as ada,
    ):
        job_id, mutation, values = await about_to_ask(ada, point)
        for _ in range(deaths):
            with socket.create_server(("127.0.0.1", 0)) as listener:
                address = "http://{}:{}".format(*listener.getsockname())
                child = Child(Orders(database_url, model.url, tmp_path / "children.log", die_at=point, listener=listener))
            await ask_in_vain(address, mutation, values)
            assert await child.end() == -signal.SIGKILL
        payload = await Caller(ada).payload(mutation, **values)
        job_id = job_id or payload["job"]["id"]
        async with running(database_url, model_url=model.url):
            await story.watch(ada, job_id)
        job = await story.job(ada, job_id)
    assert (job["status"], job["text"]) == (("CANCELLED", "") if mutation == "cancelJob" else ("SUCCEEDED", TEXT))
    assert len(read_records(owner_url).jobs) == 1
    assert len(model.calls) == (0 if mutation == "cancelJob" else 1)


async def about_to_ask(ada: Client, point: str) -> tuple[str | None, str, dict[str, str]]:
    """The job, if it is there already, and what is to be asked: a mutation and its input."""
    chapter, mutation = await story.new_chapter(ada), ASKED_BY[point.rsplit(maxsplit=1)[-1]]
    if mutation == "startChapterGeneration":
        return None, mutation, {"chapterId": chapter, "idempotencyKey": "once"}
    job = await story.start(ada, chapter)
    if mutation == "retryJob":
        await Caller(ada).payload("cancelJob", jobId=job)
    limit = {"costLimit": "1.00"} if mutation == "changeJobCostLimit" else {}
    return job, mutation, {"jobId": job, **limit}


async def ask_in_vain(address: str, mutation: str, values: dict[str, str]) -> None:
    client = Client(address, token_for("ada"))
    with pytest.raises(httpx2.TransportError):
        await Caller(client).payload(mutation, **values)
    await client.aclose()


def test_every_kind_of_job_has_a_workload():
    assert set(WORKLOADS) == set(JobKind)


def test_every_point_lies_on_the_way_of_a_worker_or_of_a_server():
    assert {*POINTS_OF_WORKERS, *POINTS_OF_SERVERS} == set(all_points())
    assert set(SPECIAL) <= set(methods_of(JobDesk))
    assert not (ONCE | TWICE_IN_FLIGHT) - set(all_points())


def test_nothing_else_changes_a_job():
    """Whoever adds a method to this port says here that it only reads, or is part of a change that has a point; or makes it one."""
    assert set(methods_of(Jobs)) - set(COMMITTED) == READING | PARTS
