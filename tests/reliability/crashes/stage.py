"""One job on a database of its own: what is needed to bring it about, to finish it when others have died over it, and to look at the rest."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from commands.demo import documents
from domain.jobs.job import JobKind
from domain.llm.openai_model import OpenAIModel
from persistence.wakeups import WORKERS_LOCK
from server import Scriptorium, World
from tests.api import Api, token_counter, uuid_of
from tests.fakes.model_server import ScriptedModelServer
from tests.reliability.chaos.audit import Violation, audit
from tests.reliability.chaos.records import BudgetSeen, Evidence, Witness, calls_heard, read_records
from tests.reliability.chaos.writer import Writer, code_for, instructions_for, whole_text
from tests.reliability.crashes.dying import Child, Orders
from tests.reliability.crashes.points import WatchedDesk, WatchedLibrary, WatchedModel
from tests.server.running import TEST_SETTINGS
from tests.server.story import shown_text

FOLLOWING_SECONDS = 45
CODE = code_for(1, 3)
POLISHED_CODE = code_for(1, 1)
REVISIONS = 2
FINDINGS = "query($id: ID!) { chapter(id: $id) { currentVersion { id assessment { findings { id quote replacement } } } } }"
CHOSEN = 2
BUDGET = "5.00"
STATE = "query($id: ID!) { job(id: $id) { status text remark failure { code } } }"
WAIT = "DO $$ BEGIN WHILE NOT ({condition}) LOOP PERFORM pg_sleep(0.02); END LOOP; END $$"
LEASE_IS_OVER = "EXISTS (SELECT FROM job WHERE lease_until < clock_timestamp() - interval '2 seconds')"
NO_MESSAGE_WAITS = "NOT EXISTS (SELECT FROM procrastinate_jobs WHERE status = 'todo')"
NO_MESSAGE_IS_LEFT = "NOT EXISTS (SELECT FROM procrastinate_jobs WHERE status IN ('todo', 'doing'))"
MONEY = "query($id: ID!) { project(id: $id) { budget { spent reserved } } }"


@dataclass(kw_only=True)
class Stage:
    """`author` started the job. `events` is what a follower has seen of it, `passed` the points that healthy workers came by."""

    api: Api
    owner_url: str
    database_url: str
    model: ScriptedModelServer
    writer: Writer
    log: Path
    project: str
    author: Api
    job: str = ""
    chapter: str = ""
    code: str = CODE
    events: list[dict[str, Any]] = field(default_factory=list)
    passed: set[str] = field(default_factory=set)

    async def start_chapter(self) -> None:
        words = len(whole_text(self.code).split())
        self.chapter = await self.api.chapter(self.project, title=self.code, targetWordCount=words)
        self.job = await self.author.job(self.chapter, instructions=instructions_for(self.code), idempotencyKey="once")

    async def start_polished_chapter(self) -> None:
        """Written in one part, and revised as often as it may be: no judge is ever content."""
        self.code = POLISHED_CODE
        await self.api.mutate("updateProject", "id", id=self.project, settings={"maxRevisions": REVISIONS})
        await self.start_chapter()

    async def start_revision(self) -> None:
        version = await self._written()
        found = [each["id"] for each in version["assessment"]["findings"] if each["quote"] and each["replacement"] is None]
        chosen = found[:CHOSEN]
        self.job = (
            await self.author.mutate(
                "startChapterRevision", "id", versionId=version["id"], findingIds=chosen, instructions="Dim it.", idempotencyKey="once"
            )
        )["id"]

    async def start_assessment(self) -> None:
        version = await self._written()
        self.job = (await self.author.mutate("startAssessment", "id", versionId=version["id"], idempotencyKey="once"))["id"]

    async def _written(self) -> Any:
        """The version of a chapter that its author has written."""
        self.chapter = await self.api.chapter(self.project, title=self.code)
        await self.author.mutate("saveChapterText", "id", chapterId=self.chapter, text=whole_text(self.code))
        return await self._current()

    async def _current(self) -> Any:
        return (await self.author.ask(FINDINGS, id=self.chapter))["chapter"]["currentVersion"]

    async def dismiss_all_findings(self) -> None:
        """Of the latest assessment of the chapter's current version."""
        for found in (await self._current())["assessment"]["findings"]:
            await self.author.mutate("dismissFinding", "id", findingId=found["id"], reason="It is meant to be like that.")

    def child(self, **orders: Any) -> Child:
        return Child(Orders(database_url=self.database_url, model_url=self.model.url, log=self.log, **orders))

    @asynccontextmanager
    async def healthy_worker(self) -> AsyncIterator[Scriptorium]:
        settings = replace(TEST_SETTINGS, openai_base_url=self.model.url, workers_in_process=1)
        world = World(
            tokens=token_counter(),
            model=WatchedModel(OpenAIModel(api_key="sk-test", base_url=self.model.url, tokens=token_counter()), self.passed.add),
            desk=lambda desk: WatchedDesk(desk, self.passed.add),
            library=lambda library: WatchedLibrary(library, self.passed.add),
        )
        scriptorium = Scriptorium(settings, self.database_url, world=world)
        try:
            await scriptorium.start()
            yield scriptorium
        finally:
            await scriptorium.stop()

    async def until_the_lease_is_over(self) -> None:
        """By as much as it takes until somebody else is sent for the job."""
        await self.execute(WAIT.format(condition=LEASE_IS_OVER))

    async def until_no_message_waits(self) -> None:
        """With a worker there is somebody for each; of several about one job, the spare ones are taken a moment after its end."""
        await self.execute(WAIT.format(condition=NO_MESSAGE_WAITS))

    async def until_no_message_is_left(self) -> None:
        """Somebody has taken what was left lying, found nothing to do, and done away with it."""
        async with self.healthy_worker():
            await self.execute(WAIT.format(condition=NO_MESSAGE_IS_LEFT))

    async def bury(self) -> None:
        """Until nobody works: a dead process's connections are closed a moment after it. And what it was to deliver is overdue."""
        await self.execute(f"SELECT pg_advisory_lock({WORKERS_LOCK})")
        await self.execute("UPDATE job SET queued_at = queued_at - interval '1 minute'")

    async def execute(self, statement: str) -> None:
        """As somebody whom nothing binds: for what a test need not bring about as a user would."""
        connection = await psycopg.AsyncConnection.connect(self.owner_url, autocommit=True)
        async with connection:
            await connection.execute(statement)  # type: ignore[arg-type]

    async def follow(self, *, until: str = "") -> None:
        """On from the last event seen to the job's end, or to this status of it."""
        after = self.events[-1]["cursor"] if self.events else None
        async with asyncio.timeout(FOLLOWING_SECONDS):
            async for data in self.author.follow(documents.EVENTS, jobId=self.job, after=after):
                self.events.append(data["jobEvents"])
                if until and self.events[-1].get("status") == until:
                    return

    async def state(self) -> dict[str, Any]:
        return dict((await self.author.ask(STATE, id=self.job))["job"])

    async def evidence(self) -> Evidence:
        stored = await asyncio.to_thread(read_records, self.owner_url)
        budget = (await self.api.ask(MONEY, id=self.project))["project"]["budget"]
        witness = Witness(
            code=self.code,
            answered=[uuid_of(self.job)],
            sequences=[event["sequence"] for event in self.events],
            text=shown_text(self.events),
        )
        return stored.with_testimony(
            calls=calls_heard(self.writer.heard),
            witnesses=[witness],
            texts={uuid_of(self.job): (await self.state())["text"]},
            budgets={uuid_of(self.project): BudgetSeen(spent=Decimal(budget["spent"]), reserved=Decimal(budget["reserved"]))},
        )

    async def violations(self) -> list[Violation]:
        return audit(await self.evidence())


@dataclass(frozen=True)
class Workload:
    """How a job is started that is of this kind, and how many calls it takes when nothing goes wrong."""

    kind: JobKind
    start: Callable[[Stage], Awaitable[None]]
    calls: int


WORKLOADS: Mapping[str, Workload] = {
    "chapter": Workload(JobKind.CHAPTER, Stage.start_chapter, calls=3),
    "polished chapter": Workload(JobKind.CHAPTER, Stage.start_polished_chapter, calls=5 + 7 * REVISIONS),
    "revision": Workload(JobKind.REVISION, Stage.start_revision, calls=7),
    "assessment": Workload(JobKind.ASSESSMENT, Stage.start_assessment, calls=4),
}


@asynccontextmanager
async def stage(api: Api, *, owner_url: str, database_url: str, log: Path) -> AsyncIterator[Stage]:
    writer = Writer(time.time, delay=0.002)
    async with ScriptedModelServer(default=writer) as model:
        project = await api.project(budgetLimit=BUDGET)
        yield Stage(
            api=api,
            owner_url=owner_url,
            database_url=database_url,
            model=model,
            writer=writer,
            log=log,
            project=project,
            author=await api.member(project, "EDITOR"),
        )
