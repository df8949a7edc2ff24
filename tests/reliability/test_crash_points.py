"""Every named point x every kind of job x first and second attempt: the process dies there, and another finishes what it had begun."""

import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
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
from tests.reliability.chaos.writer import whole_text
from tests.reliability.crashes.circumstances import OFTEN, ONCE, ORDINARY, SPECIAL, TWICE_IN_FLIGHT, Circumstance, circumstance
from tests.reliability.crashes.dying import Child, Orders
from tests.reliability.crashes.points import COMMITTED, MID_STREAM, TAKEN_UP, all_points, methods_of
from tests.reliability.crashes.stage import WORKLOADS, Stage, stage
from tests.server import story
from tests.server.caller import Caller
from tests.server.judging import CONCERNS
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


@dataclass(frozen=True)
class Deaths:
    """So many processes die over a job as there are `visits`, each when it reaches the point for so many a time."""

    workload: str
    point: str
    visits: tuple[int, ...] = (1,)

    @property
    def calls_are_lost(self) -> bool:
        return self.visits == (1, 1) and self.point in TWICE_IN_FLIGHT

    @property
    def is_passed_once(self) -> bool:
        return self.point in ONCE and (self.workload in {"chapter", "assessment"} or self.point not in OFTEN)

    def __str__(self) -> str:
        return f"{self.workload}, {self.point}, {self.visits}"


OF_CHAPTERS = [point for point in POINTS_OF_WORKERS if point.split()[-1] != TAKEN_UP]
ONCE_EACH = [point for point in OF_CHAPTERS if point.startswith("after") or "commit" in point or point in {MID_STREAM, "before record"}]
"""Right behind what was done, which is where most can be done twice, and where it costs most."""

CASES = [
    *(Deaths("chapter", point, (1,) * deaths) for point in OF_CHAPTERS for deaths in ((1,) if point in ONCE else (1, 2))),
    *(Deaths(workload, point) for workload in ("revision", "assessment") for point in ONCE_EACH),
    *(Deaths(workload, MID_STREAM, (1, 1)) for workload in ("revision", "assessment")),
    *(Deaths("revision", "after intend", (visit,)) for visit in (2, 7)),
    # In the order in which it is polished: saved, assessed, revised, compared, assessed, taken up, and all of it once more.
    *(Deaths("polished chapter", "after commit of complete_step", (visit,)) for visit in (2, 3, 4, 5)),
    *(Deaths("polished chapter", "after record", (visit,)) for visit in (6, 7, 15)),
    *(Deaths("polished chapter", f"{when} commit of {TAKEN_UP}", (visit,)) for when in ("before", "after") for visit in (1, 2)),
    *(Deaths("polished chapter", f"{when} commit of finish") for when in ("before", "after")),
]
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


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_job_survives_the_death_of_its_process(set_up: Stage, case: Deaths):
    setting = circumstance(case.point, case.workload)
    await WORKLOADS[case.workload].start(set_up)
    await setting.before(set_up)
    set_up.passed.clear()
    set_up.writer.moods = [setting.mood] * len(case.visits)
    for visit in case.visits:
        assert await death(set_up, case.point, setting, visit=visit) == -signal.SIGKILL, set_up.log.read_text()
    await setting.behind(set_up)
    await finish(set_up, lost_twice=case.calls_are_lost)
    state = await set_up.state()
    assert (state["status"], state["remark"]) == (setting.ends, None)
    assert [str(violation) for violation in await set_up.violations()] == []
    assert not (case.is_passed_once and case.point in set_up.passed)


async def test_a_draft_outlives_the_calls_of_its_judge(set_up: Stage):
    """The first of them is lost with two processes: nobody asks for a third, and the draft is there all the same."""
    await set_up.start_polished_chapter()
    for visit in (2, 1):
        assert await death(set_up, "after intend", ORDINARY, visit=visit) == -signal.SIGKILL, set_up.log.read_text()
    await finish(set_up, lost_twice=False)
    state = await set_up.state()
    assert (state["status"], state["text"]) == ("SUCCEEDED", whole_text(set_up.code))
    assert "lost with its worker" in state["remark"]
    assert [str(violation) for violation in await set_up.violations()] == []


async def test_a_call_that_nobody_has_to_ask_again_is_counted_all_the_same(set_up: Stage):
    """It was to revise the draft when its process died, and then the author has dismissed what it was to see to."""
    await set_up.start_polished_chapter()
    assert await death(set_up, "after intend", ORDINARY, visit=2 + CONCERNS) == -signal.SIGKILL, set_up.log.read_text()
    await set_up.dismiss_all_findings()
    await finish(set_up, lost_twice=False)
    state = await set_up.state()
    assert (state["status"], state["remark"], state["text"]) == ("SUCCEEDED", None, whole_text(set_up.code))
    assert [str(violation) for violation in await set_up.violations()] == []


async def death(stage: Stage, point: str, setting: Circumstance, *, visit: int = 1) -> int | None:
    child = stage.child(die_at=point, visit=visit, **setting.orders)
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
        await stage.until_no_message_waits()


@pytest.mark.parametrize(
    ("workload", "point"),
    [
        *(("chapter", point) for point in ("after intend", MID_STREAM, "before record")),
        ("revision", MID_STREAM),
        ("assessment", MID_STREAM),
    ],
)
async def test_a_job_cancelled_behind_the_death_of_its_process_counts_the_call_that_died_with_it(set_up: Stage, workload: str, point: str):
    await WORKLOADS[workload].start(set_up)
    assert await death(set_up, point, circumstance(point, workload)) == -signal.SIGKILL, set_up.log.read_text()
    await set_up.author.mutate("cancelJob", "id", jobId=set_up.job)
    await finish(set_up, lost_twice=False)
    assert (await set_up.state())["status"] == "CANCELLED"
    assert [str(violation) for violation in await set_up.violations()] == []


@pytest.mark.parametrize(
    ("workload", "point"), [*(("chapter", point) for point in FROZEN_AT), ("revision", "before record"), ("assessment", MID_STREAM)]
)
async def test_a_process_frozen_past_its_lease_finds_its_job_done_and_does_nothing(set_up: Stage, workload: str, point: str):
    await WORKLOADS[workload].start(set_up)
    frozen = set_up.child(freeze_at=point, lease_seconds=1)
    await set_up.until_the_lease_is_over()
    heard_before = len(set_up.writer.heard)
    async with set_up.healthy_worker():
        await set_up.follow()
    heard = len(set_up.writer.heard)
    assert heard == heard_before + WORKLOADS[workload].calls
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
    assert {workload.kind for workload in WORKLOADS.values()} == set(JobKind)
    assert {case.workload for case in CASES} == set(WORKLOADS)


def test_every_point_lies_on_the_way_of_a_worker_or_of_a_server():
    assert {*POINTS_OF_WORKERS, *POINTS_OF_SERVERS} == set(all_points())
    assert {case.point for case in CASES} == set(POINTS_OF_WORKERS)
    for workload in ("revision", "assessment"):
        assert {case.point.split()[-1] for case in CASES if case.workload == workload} >= {*methods_of(JobDesk), "complete_step"}
    assert set(SPECIAL) <= set(methods_of(JobDesk))
    assert not (ONCE | TWICE_IN_FLIGHT) - set(all_points())


def test_nothing_else_changes_a_job():
    """Whoever adds a method to this port says here that it only reads, or is part of a change that has a point; or makes it one."""
    assert set(methods_of(Jobs)) - set(COMMITTED) == READING | PARTS
