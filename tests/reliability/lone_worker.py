"""One worker of one job at a time, whose database a test can break: the real manager and workflow, and a model in the same process."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from domain.identifiers import uuid7
from domain.jobs.endpoints import Endpoints
from domain.jobs.job import Job, JobLimits, JobStatus
from domain.jobs.means import Means
from domain.jobs.model_calls import ModelCalls
from domain.jobs.task_manager import TaskManager
from domain.jobs.timing import Pauses, Timing
from domain.jobs.workflow import Workflow
from domain.llm.model import Completed, CompletionRequest, FinishReason, Role, TextDelta, TokenUsage
from domain.llm.prices import PriceBook
from domain.prompting.memory import PromptMemory
from persistence.database import Database
from persistence.job_desk import PostgresJobDesk
from persistence.library import PostgresLibrary
from tests.api import token_counter
from tests.factories import NOON
from tests.persistence.job_world import JobWorld
from tests.persistence.legal_state import Books

SECONDS = 20
FIRST, SECOND = "The lamp was lit,", " and Mara counted the steps."
USED = TokenUsage(prompt_tokens=100, cached_prompt_tokens=0, completion_tokens=10, estimated=False)


@dataclass
class TwoParts:
    """A model that is cut short by its length once."""

    rehearsal = False
    asked: list[CompletionRequest] = field(default_factory=list)

    async def prepare(self) -> None:
        pass

    @asynccontextmanager
    async def stream(self, request: CompletionRequest) -> AsyncIterator[AsyncIterator[TextDelta | Completed]]:
        self.asked.append(request)
        goes_on = any(message.role is Role.ASSISTANT and message.text == FIRST for message in request.messages)
        yield self._parts(*((SECOND, FinishReason.STOP) if goes_on else (FIRST, FinishReason.LENGTH)))

    async def _parts(self, text: str, finish: FinishReason) -> AsyncIterator[TextDelta | Completed]:
        for piece in (text[:5], text[5:]):
            yield TextDelta(piece)
        yield Completed(finish=finish, usage=USED, request_id=None)

    async def aclose(self) -> None:
        pass


class ByHand:
    """Deliveries that a test makes itself."""

    async def work(self, run: Callable[[UUID], Awaitable[bool]]) -> None:
        await asyncio.Event().wait()

    async def pause(self) -> None:
        pass


class Silence:
    """Wakeups of a worker that is not the only one, when nobody has anything to say."""

    def notify_local(self, job_ids: object) -> None:
        pass

    @asynccontextmanager
    async def joining_workers(self) -> AsyncIterator[bool]:
        yield False

    @asynccontextmanager
    async def cancel_requests(self) -> AsyncIterator[AsyncIterator[UUID]]:
        yield self._none()

    async def _none(self) -> AsyncIterator[UUID]:
        await asyncio.Event().wait()
        yield UUID(int=0)


@dataclass
class LoneWorker:
    """`world` is what others see of the database, who are not troubled."""

    world: JobWorld
    manager: TaskManager
    model: TwoParts
    books: Books

    async def new_job(self) -> Job:
        plain = self.world.job()
        self.model.asked.clear()
        return await self.world.create(replace(plain, request=replace(plain.request, include=())))

    async def bring_to_its_end(self, job: Job) -> None:
        """Deliver it as often as it takes; what is left in between is legal, and in the end it is written, and was bought once."""
        async with asyncio.timeout(SECONDS):
            while not (await self.world.look(job.id)).status.is_final:
                with suppress(DBAPIError):
                    await self.manager.deliver(job.id)
                self.books.assert_legal(job.id)
                await self.world.desk.expire_leases()
        assert (await self.world.look(job.id)).status is JobStatus.SUCCEEDED
        versions = self.books.rows("SELECT text FROM chapter_version WHERE job_id = %s", job.id)
        assert [version["text"] for version in versions] == [FIRST + SECOND]
        finished = [event["body"]["step"] for event in self.books.log(job.id) if event["kind"] == "StepFinished"]
        assert finished == ["context", "draft/1", "draft/2", "save"]
        certain = [entry["call_id"] for entry in self.books.paid(job.id) if not entry["uncertain"]]
        assert sorted(certain) == sorted(request.call_id for request in self.model.asked if request.call_id)
        assert len(self.model.asked) == 2
        assert await self.world.reserved() == 0


@asynccontextmanager
async def lone_worker(world: JobWorld, database: Database, books: Books) -> AsyncIterator[LoneWorker]:
    """Its database is `database`."""
    model = TwoParts()
    manager = _manager(database, model)
    await manager.start()
    try:
        yield LoneWorker(world, manager, model, books)
    finally:
        await manager.stop(0.1)


def _manager(database: Database, model: TwoParts) -> TaskManager:
    desk = PostgresJobDesk(database, worker="lone", limits=JobLimits(), monthly_limit=None)
    tokens, clock = token_counter(), lambda: NOON
    timing = Timing(pauses=Pauses(), now=time.monotonic, sleep=asyncio.sleep, draw=lambda: 0.0)
    calls = ModelCalls(
        desk=desk,
        model=model,
        tokens=tokens,
        prices=PriceBook(clock=clock),
        clock=clock,
        ids=uuid7,
        endpoints=Endpoints("http://models.example/v1", rates=None, timing=timing),
        timing=timing,
    )
    workflow = Workflow(
        Means(
            library=PostgresLibrary(database),
            desk=desk,
            calls=calls,
            tokens=tokens,
            memory=PromptMemory(64_000_000),
            clock=clock,
            ids=uuid7,
            rehearsal=False,
        )
    )
    return TaskManager(desk=desk, deliveries=ByHand(), wakeups=Silence(), workflow=workflow, clock=clock, lease_seconds=30)
