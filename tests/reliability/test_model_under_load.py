"""Many jobs and a model that misbehaves: all of them come to an end, nobody calls too often, and there is never a crowd at the door."""

import asyncio
import json
import logging
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

import psycopg
import pytest

from commands.demo.client import Client
from domain.jobs.attempts import ATTEMPTS
from domain.jobs.timing import Pauses
from domain.llm.failures import ModelFailure
from domain.llm.model import Completed, CompletionRequest, TextDelta
from domain.llm.openai_model import OpenAIModel
from domain.llm.tokens import TokenCounter
from tests.fakes.model_server import Call, Hold, Script, ScriptedModelServer, Text, fails, reply
from tests.reliability.model_faults import FAULTS, Fault, Where
from tests.server import story
from tests.server.running import MODEL, running

SEED = 20261125
JOBS = 150
SHARE_OF_FAULTS = 0.3
CONCURRENCY = 8
PROSE = "Mara waited for the tide to turn."
WELL = Fault(what="nothing", cause=reply(PROSE), does="", calls=1, failure=None, paid=FAULTS[0].paid, text=PROSE)
POSSIBLE = [fault for fault in FAULTS if not isinstance(fault.cause, Where) and not fault.shuts_out]
QUICK = Pauses(between_attempts=0.01, circuit=0.05, longest_circuit=0.2, turns=0.005)
LEFT_HELD = "SELECT count(*) FROM job WHERE reserved <> 0"
PAID_CALLS = "SELECT coalesce(sum(calls), 0) FROM ledger_entry"


@dataclass
class WatchedModel:
    """A real one, and how many calls of it are under way; `has_failed` is set as soon as the application knows."""

    model: OpenAIModel
    in_flight: int = 0
    most_in_flight: int = 0
    has_failed: asyncio.Event = field(default_factory=asyncio.Event)
    rehearsal = False

    async def prepare(self) -> None:
        """The models behind it prepare themselves with their first call."""

    @asynccontextmanager
    async def stream(self, request: CompletionRequest) -> AsyncIterator[AsyncIterator[TextDelta | Completed]]:
        self.in_flight += 1
        self.most_in_flight = max(self.in_flight, self.most_in_flight)
        try:
            async with self.model.stream(request) as items:
                yield items
        except ModelFailure:
            self.has_failed.set()
            raise
        finally:
            self.in_flight -= 1

    async def aclose(self) -> None:
        await self.model.aclose()


@pytest.fixture
async def server() -> AsyncIterator[ScriptedModelServer]:
    async with ScriptedModelServer(default=reply(PROSE)) as server:
        yield server


def watched(server: ScriptedModelServer) -> WatchedModel:
    deadlines = {"first_token_timeout": 1.5, "chunk_timeout": 1.5}
    return WatchedModel(OpenAIModel(api_key="sk-test", base_url=server.url, tokens=TokenCounter(), **deadlines))


@pytest.fixture
def model(server: ScriptedModelServer) -> WatchedModel:
    return watched(server)


async def new_chapters(ada: Client, count: int) -> dict[str, str]:
    """By a name that the prompt of each contains."""
    return {f"Chapter-{number:03}-": await story.new_chapter(ada, brief=f"Chapter-{number:03}- is written.") for number in range(count)}


async def start_jobs(ada: Client, count: int) -> dict[str, str]:
    return {name: await story.start(ada, chapter_id) for name, chapter_id in (await new_chapters(ada, count)).items()}


async def ended(ada: Client, jobs: dict[str, str]) -> dict[str, dict[str, Any]]:
    for job_id in jobs.values():
        await story.watch(ada, job_id)
    return {name: await story.job(ada, job_id) for name, job_id in jobs.items()}


class Chance:
    """What goes wrong with which call, the same for the same seed in whatever order they come."""

    def __init__(self) -> None:
        self.drawn: defaultdict[str, list[Fault]] = defaultdict(list)

    def __call__(self, call: Call) -> Script:
        name = next(word for word in call.prompt.split() if word.startswith("Chapter-"))
        draw = Random(f"{SEED} {name} {len(self.drawn[name])}")
        fault = draw.choice(POSSIBLE) if draw.random() < SHARE_OF_FAULTS else WELL
        self.drawn[name].append(fault)
        assert not isinstance(fault.cause, Where)
        return fault.cause(call)


@pytest.mark.timeout(120)
async def test_with_faults_at_random_every_job_comes_to_its_documented_end(
    database_url: str, owner_url: str, server: ScriptedModelServer, model: WatchedModel, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    chance = server.default = Chance()
    async with (
        running(database_url, model_url=server.url, model=model, pauses=QUICK, workers_in_process=CONCURRENCY) as app,
        app.client() as ada,
    ):
        jobs = await ended(ada, await start_jobs(ada, JOBS))
    for name, job in jobs.items():
        assert_within_policy(job, chance.drawn[name])
    outcomes = Counter(job["status"] for job in jobs.values())
    assert outcomes["SUCCEEDED"] + outcomes["FAILED"] == JOBS
    assert outcomes["SUCCEEDED"] > outcomes["FAILED"] > 0
    assert 1 < model.most_in_flight <= CONCURRENCY
    with psycopg.connect(owner_url) as connection:
        assert connection.execute(LEFT_HELD).fetchone() == (0,)
        assert connection.execute(PAID_CALLS).fetchone() == (sum(call.billed for call in server.calls),)
    assert [record.getMessage() for record in caplog.records if record.exc_info or "crashed" in record.getMessage()] == []


def assert_within_policy(job: dict[str, Any], drawn: Sequence[Fault]) -> None:
    """The calls that were made are those that the table allows, the last one decided, and all text there was is kept."""
    in_a_row = 0
    for fault in drawn[:-1]:
        assert fault is WELL or fault.failure is None or fault.calls > 1, f"{fault.what} was asked again"
        in_a_row = in_a_row + 1 if fault.failure else 0
        assert in_a_row < ATTEMPTS
    last = drawn[-1]
    if job["status"] == "FAILED":
        assert last.failure is not None
        assert job["failure"]["code"] == last.failure.code
        assert last.calls == 1 or in_a_row == ATTEMPTS - 1
    else:
        assert last.failure is None
    assert job["text"] == "".join(fault.text for fault in drawn)
    assert (job["result"]["text"] if job["result"] else "") == job["text"]


async def test_nobody_comes_before_a_provider_wants_it_and_then_not_all_at_once(
    database_url: str, server: ScriptedModelServer, model: WatchedModel
):
    retry_after, turns = 0.8, 0.05
    go_on = asyncio.Event()
    waiting = [lambda _: Script([Hold(go_on), *reply(PROSE)(Call(0, {}, {}, 0.0)).steps])] * (CONCURRENCY - 1)
    server.script(fails(429, retry_after=retry_after), *waiting)
    pauses = Pauses(between_attempts=0.01, turns=turns)
    async with (
        running(database_url, model_url=server.url, model=model, pauses=pauses, workers_in_process=CONCURRENCY) as app,
        app.client() as ada,
    ):
        jobs = await start_jobs(ada, 3 * CONCURRENCY)
        await server.wait_for_calls(CONCURRENCY)
        await model.has_failed.wait()
        go_on.set()
        assert {job["status"] for job in (await ended(ada, jobs)).values()} == {"SUCCEEDED"}
    told = server.calls[0].arrived_at
    held_back = [call.arrived_at - told for call in server.calls[CONCURRENCY:]]
    assert len(held_back) == 2 * CONCURRENCY + 1
    assert held_back[0] >= retry_after
    assert held_back[CONCURRENCY - 2] - held_back[0] > turns / 2 * (CONCURRENCY - 2) * 0.8


async def test_a_model_that_is_down_is_only_looked_at_and_not_run_over_when_it_is_back(
    database_url: str, server: ScriptedModelServer, model: WatchedModel
):
    pauses = Pauses(between_attempts=0.01, circuit=0.3, longest_circuit=0.4, turns=0.05)
    go_on = asyncio.Event()
    broken = b"data: " + json.dumps({"error": {"message": "Out of memory.", "code": 500}}).encode() + b"\n\n"
    server.script(*[lambda _: Script([Hold(go_on), Text(broken)])] * CONCURRENCY)
    server.default = fails(503)
    looks = 3
    async with (
        running(database_url, model_url=server.url, model=model, pauses=pauses, workers_in_process=CONCURRENCY) as app,
        app.client() as ada,
    ):
        jobs = await start_jobs(ada, 3 * CONCURRENCY)
        await server.wait_for_calls(CONCURRENCY)
        go_on.set()
        await server.wait_for_calls(CONCURRENCY + looks)
        server.default = reply(PROSE)
        statuses = Counter(job["status"] for job in (await ended(ada, jobs)).values())
    assert statuses["SUCCEEDED"] >= len(jobs) - 1, "at most one was so unlucky as to look every time"
    looked = [call.arrived_at for call in server.calls[CONCURRENCY : CONCURRENCY + looks + 1]]
    assert all(later - earlier >= pauses.circuit for earlier, later in pairwise(looked))
    back = [call.arrived_at for call in server.calls[CONCURRENCY + looks :]]
    assert back[CONCURRENCY - 1] - back[0] > pauses.turns / 2 * (CONCURRENCY - 2) * 0.8


async def test_processes_share_the_allowance_of_a_minute(database_url: str, owner_url: str, server: ScriptedModelServer):
    per_minute, jobs, in_debt = 240, 8, 12
    models = [watched(server), watched(server)]
    settings: dict[str, Any] = {"model_url": server.url, "workers_in_process": jobs // 2, "model_requests_per_minute": per_minute}
    one, other = (running(database_url, model=model, **settings) for model in models)
    async with one as application, other, application.client() as ada:
        chapters = await new_chapters(ada, jobs)
        began = asyncio.get_running_loop().time()
        with psycopg.connect(owner_url) as connection:  # so much of it is gone that all jobs are there when the first may call
            connection.execute("INSERT INTO model_rate VALUES (%s, %s, 0, clock_timestamp())", (f"{MODEL} at {server.url}", -in_debt))
        started = {name: await story.start(ada, chapter_id) for name, chapter_id in chapters.items()}
        assert {job["status"] for job in (await ended(ada, started)).values()} == {"SUCCEEDED"}
    assert all(model.most_in_flight for model in models), "both processes took part"
    assert len(server.calls) == jobs
    too_early = [call.number for call in server.calls if call.arrived_at < began + (in_debt + call.number) * 60 / per_minute]
    assert too_early == []


async def test_a_shutdown_does_not_wait_for_those_who_wait_for_a_model(database_url: str, server: ScriptedModelServer, model: WatchedModel):
    patient = 20.0
    server.script(fails(429, retry_after=60))
    async with running(database_url, model_url=server.url, model=model, drain_seconds=patient) as app, app.client() as ada:
        jobs = await start_jobs(ada, 2)
        await story.watch(ada, jobs["Chapter-000-"], until=lambda event: "Going on in about" in event.get("message", ""))
        stopping = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - stopping < patient / 2
    async with running(database_url, model_url=server.url) as next_one, next_one.client() as ada:
        assert {job["status"] for job in (await ended(ada, jobs)).values()} == {"SUCCEEDED"}
