"""The served schema over real resolvers and a real Postgres, asked as one user or another. No transport."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import uuid4

import pytest
import strawberry
from graphql import GraphQLError
from strawberry.types.graphql import OperationType

from domain.access import User, Viewer
from domain.assessing.assessment import Assessment, FoundIssue
from domain.assessing.keeping import keep_assessment
from domain.chapters import ChapterVersion, NewVersion, VersionOrigin
from domain.errors import Refusal
from domain.identifiers import uuid7
from domain.jobs.events import Event
from domain.jobs.job import Claim, Ending, JobLimits, JobStatus
from domain.llm.catalogue import ModelCatalogue
from domain.llm.prices import PriceBook
from domain.llm.tokens import TokenCounter
from domain.prompting.index.saved_text import NewText
from domain.prompting.memory import PromptMemory
from domain.prompting.receipts import Prompt
from persistence.database import Database
from persistence.job_desk import PostgresJobDesk
from persistence.library import PostgresLibrary
from persistence.wakeups import PostgresWakeups
from resolvers.context import RequestContext, Services
from resolvers.prompts import PromptRequest, preview
from schema.build import build_schema
from schema.edge.documents import Documents, InvalidDocument
from schema.edge.errors import RequestError
from schema.edge.limits import Limits
from schema.edge.masking import ErrorPresenter
from schema.edge.metering import Meter
from schema.edge.operation_request import OperationRequest
from schema.edge.operations import Operations, Prepared
from schema.execution.executing import Outcome
from schema.failures import explain
from schema.ids import decode, encode
from tests.claiming import claim_job
from tests.factories import NOON, ManualClock, an_assessment

MODEL = "gpt-4.1-mini"

GENEROUS = Limits(
    depth=100, fields=100_000, aliases=100_000, directives=1_000, root_fields=1_000, tokens=1_000_000, characters=10_000_000, cost=1 << 40
)
"""Tests may ask for everything at once."""

PROJECT = {"title": "The Lighthouse", "genre": "MYSTERY", "settings": {"maxRevisions": 0}}
"""Its drafts are measured and not judged: one call of a model writes a short chapter."""


class Refused(Exception):  # noqa: N818  - as the domain calls it
    """The request was answered with errors where data was expected."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors)
        self.errors = errors


@dataclass(frozen=True, kw_only=True)
class Api:
    """What one user gets for their documents. `as_user` is the same server for somebody else."""

    schema: strawberry.Schema
    services: Services
    database: Database
    clock: ManualClock
    desk: PostgresJobDesk
    user: User
    limits: Limits = GENEROUS

    async def newcomer(self, name: str = "Ben", *, email: str | None = None) -> "Api":
        return replace(self, user=await _add_user(self.services, name, email))

    def context(self) -> RequestContext:
        return RequestContext.for_viewer(self.services, self.viewer)

    @property
    def operations(self) -> Operations[Viewer]:
        return operations(self.services, self.limits)

    @property
    def viewer(self) -> Viewer:
        return Viewer(user=self.user, expires_at=self.clock() + timedelta(hours=1))

    def prepare(self, document: str, variables: dict[str, Any]) -> Prepared:
        """Raises Refused for what is not executed at all."""
        try:
            return self.operations.prepare(OperationRequest(document, variables), self.viewer, tuple(OperationType))
        except InvalidDocument as invalid:
            raise Refused(list(invalid.errors)) from invalid

    async def execute(self, document: str, **variables: Any) -> Outcome:
        try:
            return await self.operations.outcome(self.prepare(document, variables))
        except Refused as refused:
            return Outcome(None, refused.errors)
        except RequestError as error:
            return Outcome(None, [GraphQLError(str(error), original_error=error)])

    async def ask(self, document: str, **variables: Any) -> Any:
        """The data. Raises Refused for any error."""
        result = await self.execute(document, **variables)
        if result.errors:
            raise Refused(result.errors)
        return result.data

    async def error(self, document: str, **variables: Any) -> BaseException:
        """The exception behind the only error."""
        result = await self.execute(document, **variables)
        assert result.errors, result.data
        (error,) = result.errors
        return error.original_error or error

    async def mutate(self, name: str, selection: str | None, /, **values: Any) -> Any:
        """What the mutation changed, with `selection` of it."""
        payload = await self.payload(name, selection, **values)
        assert payload["errors"] == [], payload["errors"]
        return next(value for field, value in payload.items() if field != "errors")

    async def refusal(self, name: str, /, **values: Any) -> Any:
        """The only error of the mutation's payload, which has nothing else."""
        payload = await self.payload(name, None, **values)
        (error,) = payload["errors"]
        assert all(value is None for field, value in payload.items() if field != "errors")
        return error

    async def payload(self, name: str, selection: str | None, /, **values: Any) -> Any:
        field, input_type = self._result_of(name)
        chosen = field if field == "deletedId" else f"{field} {{ {selection or 'id'} }}"
        document = f"mutation M($input: {input_type}!) {{ {name}(input: $input) {{ {chosen} errors {{ {ERROR} }} }} }}"
        return (await self.ask(document, input=values))[name]

    async def follow(self, document: str, **variables: Any) -> AsyncGenerator[Any, None]:
        """The data of each event. Raises Refused where the stream ends with an error."""
        try:
            async for outcome in self.operations.outcomes(self.prepare(document, variables)):
                if outcome.errors:
                    raise Refused(outcome.errors)
                yield outcome.data
        except (RequestError, Refusal, GraphQLError) as error:
            raise Refused([GraphQLError(str(error), original_error=error)]) from error

    async def project(self, **values: Any) -> str:
        return (await self.mutate("createProject", "id", **{**PROJECT, **values}))["id"]

    async def chapter(self, project: str, **values: Any) -> str:
        return (await self.mutate("createChapter", "id", **{"projectId": project, "title": "Low water", **values}))["id"]

    async def reference_file(self, project: str, **values: Any) -> str:
        given = {"projectId": project, "name": "Mara", "kind": "CHARACTER", "content": "Mara keeps the light."}
        return (await self.mutate("createReferenceFile", "id", **{**given, **values}))["id"]

    async def job(self, chapter: str, **values: Any) -> str:
        return (await self.mutate("startChapterGeneration", "id", chapterId=chapter, **values))["id"]

    async def draft(self, chapter: str, prompt: Prompt | None = None) -> str:
        """A version that a job has written from this prompt, or from the one that would be sent now."""
        request = PromptRequest(chapter_id=uuid_of(chapter), include=(), exclude=(), model=None)
        sent = prompt or (await preview(self.context(), request)).prompt
        claim = await self.work(await self.job(chapter))
        receipt_id = self.services.ids()
        version = NewVersion(
            id=self.services.ids(),
            chapter_id=uuid_of(chapter),
            text=NewText.of("It rained."),
            word_count=2,
            token_count=3,
            origin=VersionOrigin.DRAFT,
            created_at=self.clock(),
            job_id=claim.job_id,
            receipt_id=receipt_id,
        )
        async with self.services.library.writing(self.user.id) as records:
            await records.jobs.add_prompt(sent, receipt_id=receipt_id, job_id=claim.job_id, chapter_id=version.chapter_id, at=self.clock())
            await records.versions.add(version, make_current=True)
        await self.finish(claim)
        return encode(ChapterVersion, version.id)

    async def current_version(self, chapter: str) -> str:
        found = await self.ask("query($id: ID!) { chapter(id: $id) { currentVersion { id } } }", id=chapter)
        return found["chapter"]["currentVersion"]["id"]

    async def assessment(self, version: str, *issues: FoundIssue, **changes: Any) -> str:
        """One that a judge has made of this version, with these findings."""
        of = uuid_of(version)
        async with self.services.library.writing(self.user.id) as records:
            found = (await records.versions.get_many([of]))[of]
            fields = {"id": self.services.ids(), "judge": MODEL, "created_at": self.clock(), **changes}
            made = an_assessment(found, **fields)
            await keep_assessment(records, made, issues, ids=self.services.ids)
        return encode(Assessment, made.id)

    async def findings(self, assessment: str) -> list[str]:
        """The ids of what it found, in order."""
        found = await self.ask("query($id: ID!) { node(id: $id) { ... on Assessment { findings { id } } } }", id=assessment)
        return [finding["id"] for finding in found["node"]["findings"]]

    async def member(self, project: str, role: str) -> "Api":
        """Somebody else who has this role in the project."""
        email = f"{uuid4()}@example.org"
        other = await self.newcomer(role.title(), email=email)
        await self.mutate("addProjectMember", "id", projectId=project, email=email, role=role)
        return other

    async def work(self, job: str, *events: Event) -> Claim:
        """A worker takes the job up and logs these events."""
        claim = await claim_job(self.database, uuid_of(job))
        assert isinstance(claim, Claim)
        await self.log(claim, *events)
        return claim

    async def log(self, claim: Claim, *events: Event) -> None:
        await self.desk.append([(claim, events)], at=self.clock())
        self.services.wakeups.notify_local([claim.job_id])

    async def finish(self, claim: Claim, status: JobStatus = JobStatus.SUCCEEDED) -> None:
        await self.desk.finish(claim, Ending(status=status, at=self.clock()))
        self.services.wakeups.notify_local([claim.job_id])

    def _result_of(self, mutation: str) -> tuple[str, str]:
        field = self.schema._schema.mutation_type.fields[mutation]
        (result,) = (name for name in field.type.fields if name != "errors")
        return result, field.args["input"].type.of_type.name


ERROR = """
    __typename code message path
    ... on NotFoundError { id }
    ... on ForbiddenError { requiredRole }
    ... on VersionConflictError { current { id number text } }
    ... on JobConflictError { job { id status } }
    ... on IdempotencyConflictError { job { id } }
    ... on BudgetExceededError { limit required limitName }
    ... on UnpricedModelError { model }
    ... on PromptTooSmallError { tokenBudget tokensRequired parts { label tokens } }
    ... on LimitExceededError { limitName maximum: limit }
"""


def uuid_of(text: str) -> Any:
    decoded = decode(text)
    assert decoded is not None
    return decoded[1]


def usd(text: str | None) -> Decimal:
    assert text is not None
    return Decimal(text)


@cache
def served_schema() -> strawberry.Schema:
    """One for all: making it would take most of a test's time."""
    return build_schema()


@cache
def documents() -> Documents:
    """One for all, so that what other tests have asked is not checked again."""
    return Documents(served_schema(), GENEROUS)


def operations(services: Services, limits: Limits) -> Operations[Viewer]:
    """As the server executes them."""
    present = ErrorPresenter(development=True, explain=explain)
    made = Operations(
        served_schema(),
        context=lambda viewer: RequestContext.for_viewer(services, viewer),
        identify=lambda viewer: str(viewer.user.id),
        meter=Meter(limit=limits.cost, allowances=None, now=lambda: NOON),
        present=present,
        limits=limits,
        development=True,
    )
    made._documents = documents()
    return made


@cache
def token_counter() -> TokenCounter:
    """One for all: the first use of each loads an encoding."""
    return TokenCounter()


@asynccontextmanager
async def serving(database: Database) -> AsyncIterator[Api]:
    """A server without workers, and its first user, Ada."""
    clock = ManualClock()
    prices = PriceBook(clock=lambda: NOON)
    wakeups = PostgresWakeups(database)
    services = Services(
        monthly_limit=None,
        library=PostgresLibrary(database),
        wakeups=wakeups,
        tokens=token_counter(),
        prompt_memory=PromptMemory(64_000_000),
        models=ModelCatalogue(default=MODEL, prices=prices, rehearsal=False),
        prices=prices,
        default_model=MODEL,
        default_assessor_model=MODEL,
        clock=clock,
        ids=uuid7,
    )
    await wakeups.start()
    yield Api(
        schema=served_schema(),
        services=services,
        database=database,
        clock=clock,
        desk=PostgresJobDesk(database, worker="test", limits=JobLimits(), monthly_limit=None),
        user=await _add_user(services, "Ada", "ada@example.org"),
    )
    await wakeups.stop()


@pytest.fixture
async def api(database: Database) -> AsyncIterator[Api]:
    async with serving(database) as api:
        yield api


async def _add_user(services: Services, name: str, email: str | None) -> User:
    return await services.library.user_seen(
        issuer="tests", subject=str(uuid4()), name=name, email=email, new_id=uuid4(), at=services.clock()
    )
