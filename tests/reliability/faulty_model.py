"""A running application before a model that fails as it is told to, for the tests of what happens then."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from commands.demo.client import Client
from domain.jobs.timing import Pauses
from domain.llm.model import Completed, CompletionRequest, TextDelta
from domain.llm.openai_model import OpenAIModel
from domain.llm.tokens import TokenCounter
from tests.api import uuid_of
from tests.conftest import APPLICATION_LOGIN
from tests.factories import Cluster
from tests.fakes.model_server import ScriptedModelServer, reply
from tests.reliability.model_faults import Fault, Paid, Where
from tests.server import story
from tests.server.caller import Caller
from tests.server.running import running

QUICK = Pauses(between_attempts=0.005, circuit=0.05, longest_circuit=0.1, turns=0.002)
DEADLINE_SECONDS = 0.2
LEDGER = "SELECT prompt_tokens, completion_tokens, cost, estimated FROM ledger_entry WHERE job_id = %s ORDER BY at"
HELD = "SELECT reserved FROM job WHERE id = %s"


class Switchboard:
    """The model of the application under test: one after the other its calls go where they are put through, and else to the server."""

    rehearsal = False

    def __init__(self, models: dict[object, OpenAIModel]) -> None:
        self._models = models
        self.calls = 0
        self.lines: deque[object] = deque()

    async def prepare(self) -> None:
        """The models behind it prepare themselves with their first call."""

    @asynccontextmanager
    async def stream(self, request: CompletionRequest) -> AsyncIterator[AsyncIterator[TextDelta | Completed]]:
        self.calls += 1
        async with self._models[self.lines.popleft() if self.lines else "server"].stream(request) as items:
            yield items

    async def aclose(self) -> None:
        for model in self._models.values():
            await model.aclose()


@dataclass(frozen=True)
class Entry:
    """Of the ledger: `tokens` of the prompt and of the completion."""

    tokens: tuple[int, int]
    cost: Decimal
    paid: Paid


@dataclass
class World:
    """A running application, its model, and its database as its owner sees it."""

    ada: Client
    server: ScriptedModelServer
    switchboard: Switchboard
    database: psycopg.Connection
    chapter_id: str = ""
    job_id: str = ""
    asked: int = 0
    heard: int = 0

    def script(self, fault: Fault, times: int) -> None:
        for _ in range(times):
            if isinstance(fault.cause, Where):
                self.switchboard.lines.append(fault.cause)
            else:
                self.switchboard.lines.append("in haste" if fault.hasty else "server")
                self.server.script(fault.cause)

    def script_well(self, text: str, *, finish: str = "stop") -> None:
        self.switchboard.lines.append("server")
        self.server.script(reply(text, finish=finish))

    async def write(self) -> dict[str, Any]:
        """A new chapter's job, at its end."""
        self.asked, self.heard = self.switchboard.calls, len(self.server.calls)
        self.chapter_id = await story.new_chapter(self.ada)
        self.job_id = await story.start(self.ada, self.chapter_id)
        return await self._finished()

    async def assess(self, text: str) -> dict[str, Any]:
        """The job that assesses a new chapter's text, at its end."""
        self.chapter_id = await story.new_chapter(self.ada)
        await Caller(self.ada).change("saveChapterText", chapterId=self.chapter_id, text=text)
        version = (await story.chapter(self.ada, self.chapter_id))["currentVersion"]["id"]
        self.asked, self.heard = self.switchboard.calls, len(self.server.calls)
        self.job_id = (await Caller(self.ada).payload("startAssessment", versionId=version))["job"]["id"]
        return await self._finished()

    async def try_again(self) -> dict[str, Any]:
        """The same job, retried."""
        self.asked = self.switchboard.calls
        await self.ada.change(
            "mutation($input: JobInput!) { retryJob(input: $input) { job { id } errors { message } } }", jobId=self.job_id
        )
        return await self._finished()

    async def _finished(self) -> dict[str, Any]:
        events = await story.watch(self.ada, self.job_id)
        job = await story.job(self.ada, self.job_id)
        assert events[-1]["__typename"] == "JobFinished"
        assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
        assert story.shown_text(events) == job["text"]
        return job

    @property
    def calls(self) -> int:
        return self.switchboard.calls - self.asked

    def held(self) -> Decimal:
        row = self.database.execute(HELD, (uuid_of(self.job_id),)).fetchone()
        assert row is not None
        return Decimal(row[0])

    def ledger(self) -> list[Entry]:
        rows = self.database.execute(LEDGER, (uuid_of(self.job_id),))
        return [
            Entry((prompt, completion), cost, Paid.COUNTED if estimated else Paid.REPORTED) for prompt, completion, cost, estimated in rows
        ]


@asynccontextmanager
async def serving(cluster: Cluster, name: str) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(ScriptedModelServer())
        plain = await stack.enter_async_context(await asyncio.start_server(answer_in_the_clear, "127.0.0.1", 0))
        tokens = TokenCounter()

        def model(url: str, deadline: float = 20.0, key: str = "sk-test") -> OpenAIModel:
            return OpenAIModel(api_key=key, base_url=url, tokens=tokens, first_token_timeout=deadline, chunk_timeout=deadline)

        switchboard = Switchboard(
            {
                "server": model(server.url),
                "in haste": model(server.url, DEADLINE_SECONDS),
                Where.NOBODY_LISTENS: model("http://127.0.0.1:1/v1"),
                Where.NO_SUCH_HOST: model("http://no-such-host.invalid/v1"),
                Where.UNSENDABLE_KEY: model(server.url, key="kéy"),
                Where.NO_TLS: model(f"https://127.0.0.1:{plain.sockets[0].getsockname()[1]}/v1"),
            }
        )
        address = cluster.url(name, login=APPLICATION_LOGIN)
        application = await stack.enter_async_context(running(address, model_url=server.url, model=switchboard, pauses=QUICK))
        ada = await stack.enter_async_context(application.client())
        database = stack.enter_context(psycopg.connect(cluster.url(name), autocommit=True))
        yield World(ada, server, switchboard, database)


async def answer_in_the_clear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    writer.close()


@pytest.fixture(scope="module")
async def shared_world(cluster: Cluster, template: str, database_names: Iterator[str]) -> AsyncIterator[World]:
    name = next(database_names)
    cluster.create_database(name, template=template)
    async with serving(cluster, name) as world:
        yield world
    cluster.drop_database(name)


@pytest.fixture
async def world(request: pytest.FixtureRequest, shared_world: World) -> AsyncIterator[World]:
    """One for all, but for the fault that would shut out the others."""
    if not request.node.callspec.params["fault"].shuts_out:
        yield shared_world
        return
    databases = request.getfixturevalue("databases")
    with databases.borrow() as name:
        async with serving(request.getfixturevalue("cluster"), name) as world:
            yield world


@pytest.fixture(autouse=True)
def nothing_crashed(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.INFO)
    yield
    assert [record.getMessage() for record in caplog.get_records("call") if record.exc_info or record.levelno >= logging.ERROR] == []
    assert not any("crashed" in record.getMessage() for record in caplog.get_records("call"))


def assert_settled(world: World, job: dict[str, Any], fault: Fault, calls: list[Paid]) -> None:
    """Each call that was begun is in the ledger once, as the server told it or else by our estimate, and no money is held any more."""
    entries = world.ledger()
    assert [entry.paid for entry in entries] == [paid for paid in calls if paid is not Paid.NOTHING]
    billed = [call for call in world.server.calls[world.heard :] if call.billed]
    for entry, call in zip(entries, billed, strict=True):
        if entry.paid is Paid.REPORTED:
            assert entry.tokens in {(call.prompt_tokens, call.completion_tokens), fault.lie}
        else:
            assert entry.tokens[0] > 0
            assert bool(entry.tokens[1]) is bool(call.completion_tokens)
    assert fault.lie is None or fault.lie in {entry.tokens for entry in entries}
    assert world.held() == 0
    assert (job["usage"]["calls"], job["usage"]["unpricedCalls"]) == (len(entries), 0)
    assert Decimal(job["usage"]["cost"]) == sum(entry.cost for entry in entries)
    assert {step["status"] for step in job["steps"]} <= {"SUCCEEDED", "FAILED"}
    assert not any(step["uncertain"] for step in job["steps"])
