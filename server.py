"""The composition root: settings and a database's address in, the running application out. Tests call the same functions."""

import asyncio
import logging
import os
import random
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from domain.access import Viewer
from domain.identifiers import uuid7
from domain.jobs import embedding
from domain.jobs.endpoints import Endpoints
from domain.jobs.job import JobLimits
from domain.jobs.means import Means
from domain.jobs.model_calls import ModelCalls
from domain.jobs.ports import JobDesk
from domain.jobs.task_manager import TaskManager
from domain.jobs.timing import Pauses, Timing
from domain.jobs.upkeep import Upkeep
from domain.jobs.workflow import Workflow
from domain.llm.catalogue import OFFERED, ModelCatalogue
from domain.llm.model import LanguageModel
from domain.llm.openai_model import OPENAI_URL, OpenAIEmbeddings, OpenAIModel
from domain.llm.prices import PriceBook
from domain.llm.rehearsal_model import RehearsalModel
from domain.llm.tokens import TokenCounter
from domain.ports import Clock, Ids, Library
from domain.prompting.memory import PromptMemory
from persistence.database import Database
from persistence.deliveries import ProcrastinateDeliveries
from persistence.diagnosis import is_away, is_reachable
from persistence.embedding_desk import PostgresEmbeddingDesk
from persistence.job_archive import PostgresJobArchive
from persistence.job_desk import PostgresJobDesk
from persistence.library import PostgresLibrary
from persistence.model_rates import PostgresModelRates
from persistence.wakeups import PostgresWakeups
from resolvers.authentication import Authenticator, issue_development_token, issuer_authenticator, local_authenticator
from resolvers.context import RequestContext, Services
from resolvers.remembered_tokens import RememberedTokens
from resolvers.signing_keys import PublishedKeys, SigningKeysUnavailable, key_set_fetcher
from resolvers.viewers import Viewers
from schema.build import build_schema
from schema.edge.allowance import Allowances
from schema.edge.app import GraphQLEdge
from schema.edge.errors import Unavailable
from schema.edge.limits import Limits
from schema.edge.trusted_documents import TrustedDocuments
from schema.failures import explain
from schema.graphiql import graphiql_routes
from schema.story import read_story
from settings import Settings

logger = logging.getLogger(__name__)

LIMITS = Limits()
BUCKETS_KEPT = 10_000
DEVELOPMENT_TOKEN_LIFE = timedelta(days=7)


def utc_now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  - the one clock, passed to everything else


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What differs between a test and the real thing. `desk` and `library` put something around these ports, `tokens` spares loading."""

    clock: Clock = utc_now
    ids: Ids = uuid7
    model: LanguageModel | None = None
    tokens: TokenCounter | None = None
    desk: Callable[[JobDesk], JobDesk] = lambda desk: desk
    library: Callable[[Library], Library] = lambda library: library
    pauses: Pauses = field(default_factory=Pauses)
    embedding_pauses: embedding.Pauses = field(default_factory=embedding.Pauses)


class Scriptorium:
    """Everything, wired. `start` and `stop` the parts that live; `app` is what an ASGI server serves, made when one asks for it."""

    def __init__(self, settings: Settings, database_url: str, *, world: World | None = None) -> None:
        world = world or World()
        self.settings = settings
        self.tokens = world.tokens or TokenCounter()
        self.prompt_memory = PromptMemory(settings.prompt_memory_mb * 1_000_000, embedding_model=settings.embedding_model)
        self.prices = PriceBook(clock=world.clock)
        self.model = world.model or _model(settings, self.tokens)
        self._embeddings = _embeddings(settings)
        self.database = Database(database_url)
        self.library = world.library(PostgresLibrary(self.database))
        self.wakeups = PostgresWakeups(self.database)
        self._worker = f"{socket.gethostname()}:{os.getpid()}"
        self._desk = world.desk(
            PostgresJobDesk(
                self.database,
                worker=self._worker,
                limits=JobLimits(per_user=settings.jobs_per_user, per_project=settings.jobs_per_project),
                monthly_limit=settings.monthly_limit,
            )
        )
        self._http = httpx2.AsyncClient()
        self._world = world
        self._manager = self._task_manager() if settings.workers_in_process else None

    async def start(self) -> None:
        """Call `stop` afterwards in any case."""
        await self.wakeups.start()
        if self._manager is not None:
            await self._manager.start()

    async def stop(self) -> None:
        async with AsyncExitStack() as parts:  # lets go of all of them, from the last one on, whichever fails
            parts.push_async_callback(self.database.close)
            parts.push_async_callback(self._http.aclose)
            parts.push_async_callback(self.model.aclose)
            if self._embeddings is not None:
                parts.push_async_callback(self._embeddings.aclose)
            parts.push_async_callback(self.wakeups.stop)
            if self._manager is not None:
                parts.push_async_callback(self._manager.stop, self.settings.drain_seconds)

    def _task_manager(self) -> TaskManager:
        timing = Timing(pauses=self._world.pauses, now=time.monotonic, sleep=asyncio.sleep, draw=random.random)
        calls = ModelCalls(
            desk=self._desk,
            model=self.model,
            tokens=self.tokens,
            prices=self.prices,
            clock=self._world.clock,
            ids=self._world.ids,
            endpoints=Endpoints((self.settings.openai_base_url or OPENAI_URL).rstrip("/"), rates=self._model_rates(), timing=timing),
            timing=timing,
        )
        means = Means(
            library=self.library,
            desk=self._desk,
            calls=calls,
            tokens=self.tokens,
            memory=self.prompt_memory,
            clock=self._world.clock,
            ids=self._world.ids,
            rehearsal=self.model.rehearsal,
        )
        return TaskManager(
            desk=self._desk,
            deliveries=ProcrastinateDeliveries(
                self.database.dsn_for_engine(), concurrency=self.settings.workers_in_process, name=self._worker
            ),
            wakeups=self.wakeups,
            workflow=Workflow(means),
            clock=self._world.clock,
            lease_seconds=self.settings.lease_seconds,
            further_duties={"upkeep": self._upkeep().run, **({"embedding": duty.run} if (duty := self._embedding()) else {})},
        )

    def _embedding(self) -> embedding.Embedding | None:
        if self._embeddings is None:
            return None
        return embedding.Embedding(
            desk=PostgresEmbeddingDesk(self.database, monthly_limit=self.settings.monthly_limit),
            library=self.library,
            model=self._embeddings,
            books=embedding.Books(tokens=self.tokens, prices=self.prices, clock=self._world.clock, ids=self._world.ids),
            rates=self._model_rates(),
            address=(self.settings.embedding_base_url or OPENAI_URL).rstrip("/"),
            pauses=self._world.embedding_pauses,
        )

    def _model_rates(self) -> PostgresModelRates | None:
        requests, tokens = self.settings.model_requests_per_minute, self.settings.model_tokens_per_minute
        if self.model.rehearsal or (requests is None and tokens is None):
            return None
        return PostgresModelRates(self.database, requests_per_minute=requests, tokens_per_minute=tokens)

    def _upkeep(self) -> Upkeep:
        days = self.settings.log_retention_days
        return Upkeep(PostgresJobArchive(self.database), log_retention=timedelta(days=days) if days else None)

    def end_streams(self) -> None:
        """Call this when the server that serves `app` begins to shut down, before it waits for open responses."""
        self._edge.end_streams()

    @cached_property
    def app(self) -> Starlette:
        routes: list[BaseRoute] = [
            Route("/healthz", _alive),
            Route("/readyz", self._ready),
            Route("/graphql", self._edge),
            WebSocketRoute("/graphql", self._edge),
            *(self._graphiql() if self.settings.graphiql else ()),
        ]
        return Starlette(routes=routes, lifespan=self._lifespan)

    @cached_property
    def _edge(self) -> GraphQLEdge[Viewer]:
        services = Services(
            library=self.library,
            wakeups=self.wakeups,
            tokens=self.tokens,
            prompt_memory=self.prompt_memory,
            prices=self.prices,
            models=self._catalogue(),
            default_model=self.settings.default_model,
            default_assessor_model=self.settings.assessor_model or self.settings.default_model,
            monthly_limit=self.settings.monthly_limit,
            clock=self._world.clock,
            ids=self._world.ids,
        )
        viewers = Viewers(
            authenticator=RememberedTokens(self._authenticator(), now=self._world.clock),
            library=self.library,
            clock=self._world.clock,
            ids=self._world.ids,
        )

        async def authenticate(token: str) -> Viewer:
            try:
                return await viewers.authenticate(token)
            except Exception as error:
                if not (isinstance(error, SigningKeysUnavailable) or is_away(error)):
                    raise
                logger.warning("graphql.unavailable", extra={"error": type(error).__name__})
                raise Unavailable from error

        return GraphQLEdge(
            build_schema(),
            authenticate=authenticate,
            context=lambda viewer: RequestContext.for_viewer(services, viewer),
            identify=lambda viewer: str(viewer.user.id),
            allowances=_allowances(self.settings),
            limits=LIMITS,
            development=not self.settings.production,
            allowed_origins=self.settings.allowed_origins,
            now=self._world.clock,
            explain=explain,
            documents=TrustedDocuments(
                self.settings.trusted_documents or {},
                only=self.settings.trusted_documents_only,
                most_characters=LIMITS.remembered_characters,
            ),
        )

    def _catalogue(self) -> ModelCatalogue:
        settings = self.settings
        # Another server has models of its own, whose names only its operator knows.
        offered = () if settings.openai_base_url else OFFERED
        return ModelCatalogue(default=settings.default_model, prices=self.prices, rehearsal=self.model.rehearsal, offered=offered)

    def _graphiql(self) -> list[Route]:
        token = None if self.settings.jwt_secret is None else self.development_token
        return [Route("/", _to_graphiql), *graphiql_routes(endpoint="/graphql", tabs=read_story(), development_token=token)]

    def development_token(self) -> str:
        assert self.settings.jwt_secret is not None
        return issue_development_token(
            str(self.settings.jwt_secret),
            subject="author",
            name="Author",
            email="author@example.com",
            ttl=DEVELOPMENT_TOKEN_LIFE,
            now=self._world.clock(),
        )

    def _authenticator(self) -> Authenticator:
        settings, clock = self.settings, self._world.clock
        if settings.jwt_jwks_url is None:
            return local_authenticator(str(settings.jwt_secret), now=clock)
        keys = PublishedKeys(key_set_fetcher(settings.jwt_jwks_url, self._http), now=clock)
        return issuer_authenticator(keys, issuer=settings.jwt_issuer, audience=settings.jwt_audience, now=clock)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        try:
            await self.start()
            yield
        finally:
            await self.stop()

    async def _ready(self, _: Request) -> Response:
        return PlainTextResponse("ready\n") if await is_reachable(self.database) else PlainTextResponse("no database\n", 503)


async def _alive(_: Request) -> Response:
    return PlainTextResponse("alive\n")


async def _to_graphiql(_: Request) -> Response:
    return RedirectResponse("/graphiql")


def _allowances(settings: Settings) -> Allowances | None:
    points = settings.cost_per_minute
    return Allowances(points=points, refill_per_second=points / 60, now=time.monotonic, most_viewers=BUCKETS_KEPT) if points else None


def _model(settings: Settings, tokens: TokenCounter) -> LanguageModel:
    if settings.rehearsal:
        return RehearsalModel(words_per_second=settings.rehearsal_words_per_second, tokens=tokens)
    return OpenAIModel(
        api_key=str(settings.openai_api_key) if settings.openai_api_key else None,
        base_url=settings.openai_base_url,
        tokens=tokens,
        first_token_timeout=settings.model_first_token_seconds,
        chunk_timeout=settings.model_silence_seconds,
    )


def _embeddings(settings: Settings) -> OpenAIEmbeddings | None:
    if settings.embedding_model is None:
        return None
    return OpenAIEmbeddings(
        settings.embedding_model,
        api_key=str(settings.openai_api_key) if settings.openai_api_key else None,
        base_url=settings.embedding_base_url,
    )
