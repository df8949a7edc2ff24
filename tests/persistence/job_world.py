"""A small world to run jobs in: a user with a project of a few chapters, and somebody else who is a member of nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy import text

from domain.access import Membership, Role
from domain.jobs.events import Event, RecordedEvent, TextAppended
from domain.jobs.job import (
    CallIntent,
    CallResult,
    Claim,
    Ending,
    GenerationRequest,
    Job,
    JobKind,
    JobLimits,
    JobPriority,
    JobStage,
    JobStatus,
    JobStep,
)
from domain.llm.model import Message, TokenUsage
from domain.llm.model import Role as Speaker
from domain.prompting.receipts import Decision, Prompt, PromptItem, PromptReceipt, Reason, Source, SourceKind
from domain.spending import CostEstimate
from persistence.database import Database
from persistence.job_desk import PostgresJobDesk
from persistence.library import PostgresLibrary
from tests.claiming import claim_job
from tests.factories import NOON, add_chapters, add_project, add_user

NOW = NOON
LEASE = 30.0
RESERVE = Decimal("0.500000")
USED = TokenUsage(prompt_tokens=1000, cached_prompt_tokens=200, completion_tokens=300, estimated=False)
EXPECTED = TokenUsage(prompt_tokens=1000, cached_prompt_tokens=0, completion_tokens=900, estimated=True)
COST, EXPECTED_COST = Decimal("0.012345"), Decimal("0.030000")
RESULT = CallResult(text="It was a dark night.", finish="stop", usage=USED, cost=COST)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def text_of(words: str, *, offset: int = 0) -> TextAppended:
    return TextAppended("draft/1", offset, words)


def intent(step: str = "draft/1", request_hash: str = "a") -> CallIntent:
    """A new call each time."""
    return CallIntent(
        call_id=uuid4(), step=step, model="gpt-4.1", request_hash=request_hash, expected=EXPECTED, expected_cost=EXPECTED_COST, at=NOW
    )


def ending(status: JobStatus = JobStatus.SUCCEEDED) -> Ending:
    return Ending(status=status, at=later(60))


def prompt(words: str = "Write.") -> Prompt:
    item = PromptItem(
        source=Source(SourceKind.REFERENCE_FILE, uuid4()),
        label="The Captain",
        group="characters",
        decision=Decision.FULL,
        reason=Reason.MENTIONED,
        evidence=('"the Captain" in the brief',),
        score=0.75,
        tokens=12,
        tokens_in_full=12,
    )
    receipt = PromptReceipt(
        digest="d" * 64,
        model="gpt-4.1",
        tokenizer="o200k_base",
        tokenizer_exact=True,
        token_budget=8000,
        tokens_used=20,
        stable_prefix_tokens=8,
        items=(item,),
    )
    messages = (Message(Speaker.SYSTEM, "You are a novelist."), Message(Speaker.USER, f'{words} "Größe" — 龍 😀\n\t\\'))
    return Prompt(messages=messages, message_tokens=(8, 12), receipt=receipt)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobWorld:
    database: Database
    library: PostgresLibrary
    desk: PostgresJobDesk
    author: UUID
    stranger: UUID
    project_id: UUID
    chapter_ids: Sequence[UUID]

    def job(
        self,
        chapter: int | None = 0,
        *,
        at: datetime = NOW,
        by: UUID | None = None,
        project_id: UUID | None = None,
        chapter_id: UUID | None = None,
        priority: JobPriority = JobPriority.INTERACTIVE,
    ) -> Job:
        """A queued job for the chapter with this index."""
        return Job(
            id=uuid4(),
            project_id=project_id or self.project_id,
            chapter_id=chapter_id if chapter is None else self.chapter_ids[chapter],
            kind=JobKind.CHAPTER,
            status=JobStatus.QUEUED,
            stage=JobStage.QUEUED,
            progress=0.0,
            started_by=by or self.author,
            attempt=0,
            request=GenerationRequest(
                instructions="Darker.",
                include=(uuid4(),),
                exclude=(),
                model="gpt-4.1",
                token_budget=8000,
                temperature=0.7,
                base_version_id=None,
            ),
            rehearsal=False,
            cost_limit=Decimal("1.500000"),
            estimate=CostEstimate(model="gpt-4.1", prompt_tokens=1000, completion_tokens=900, low=Decimal("0.010000"), high=EXPECTED_COST),
            result_version_id=None,
            failure=None,
            last_sequence=0,
            created_at=at,
            started_at=None,
            finished_at=None,
            priority=priority,
        )

    async def create(self, job: Job, *, reserve: Decimal = RESERVE) -> Job:
        async with self.library.writing(job.started_by) as records:
            await records.jobs.create(job, reserve=reserve)
        return job

    async def queued(self, chapter: int | None = 0) -> Job:
        return await self.create(self.job(chapter))

    async def claimed(self, chapter: int | None = 0) -> Claim:
        return await self.claim((await self.queued(chapter)).id)

    async def claim(self, job_id: UUID, *, lease: float = LEASE) -> Claim:
        claim = await claim_job(self.database, job_id, lease_seconds=lease)
        assert isinstance(claim, Claim)
        return claim

    async def taken_over(self, claim: Claim) -> Claim:
        """The lease of `claim` runs out and another worker takes the job."""
        await self.desk.renew([claim], lease_seconds=-1)
        return await self.claim(claim.job_id)

    async def begun(self, claim: Claim, step: str = "draft/1", *, request_hash: str = "a", at: datetime = NOW) -> CallIntent:
        """A call that nothing was recorded of before."""
        call = replace(intent(step, request_hash), at=at)
        assert await self.desk.intend(claim, call) is None
        return call

    async def look(self, job_id: UUID) -> Job:
        async with self.library.reading(self.author) as records:
            return (await records.jobs.get_many([job_id]))[job_id]

    async def log(self, job_id: UUID) -> Sequence[RecordedEvent]:
        async with self.library.reading(self.author) as records:
            return await records.jobs.events_after(job_id, sequence=0, limit=100_000)

    async def events(self, job_id: UUID) -> list[Event]:
        return [recorded.event for recorded in await self.log(job_id)]

    async def steps(self, job_id: UUID) -> list[JobStep]:
        async with self.library.reading(self.author) as records:
            return list((await records.jobs.steps([job_id])).get(job_id, ()))

    async def reserved(self) -> Decimal:
        async with self.library.reading(self.author) as records:
            return (await records.projects.budgets([self.project_id]))[self.project_id].reserved

    async def messages(self, job_id: UUID) -> int:
        """How many messages of the engine wait to bring this job to a worker."""
        async with self.database.as_worker() as connection:
            counted = text("SELECT count(*) FROM procrastinate_jobs WHERE args ->> 'job_id' = :job_id AND status = 'todo'")
            return (await connection.execute(counted, {"job_id": str(job_id)})).scalar_one()

    async def waiting_messages(self) -> int:
        """How many messages of the engine wait, whichever job they name."""
        async with self.database.as_worker() as connection:
            return (await connection.execute(text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'"))).scalar_one()

    async def drop_messages(self) -> None:
        async with self.database.as_worker() as connection:
            await connection.execute(text("DELETE FROM procrastinate_jobs"))

    async def add_member(self, user_id: UUID, role: Role) -> None:
        async with self.library.writing(self.author) as records:
            await records.projects.add_member(Membership(project_id=self.project_id, user_id=user_id, role=role, joined_at=NOW))


async def build_world(database: Database, *, chapters: int = 3) -> JobWorld:
    library = PostgresLibrary(database)
    author, stranger = await add_user(library, "Ada"), await add_user(library, "Mallory")
    project = await add_project(library, author)
    return JobWorld(
        database=database,
        library=library,
        desk=PostgresJobDesk(database, worker="test", limits=JobLimits(), monthly_limit=None),
        author=author.id,
        stranger=stranger.id,
        project_id=project.id,
        chapter_ids=[chapter.id for chapter in await add_chapters(library, author, project, chapters)],
    )
