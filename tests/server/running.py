"""The whole application on a real socket, with a scripted model behind it and clients in front."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvicorn
from starlette.datastructures import Secret

from commands.demo.client import Client
from commands.http_server import server_config
from domain.jobs import embedding
from domain.jobs.timing import Pauses
from domain.llm.model import LanguageModel
from domain.ports import Clock
from resolvers.authentication import issue_development_token
from server import LIMITS, Scriptorium, World, utc_now
from settings import LOCAL_AUDIENCE, LOCAL_ISSUER, Settings

SECRET = "tests-only-secret-of-at-least-32-bytes"
MODEL = "gpt-4.1-mini"

TEST_SETTINGS = Settings(
    production=False,
    host="127.0.0.1",
    port=0,
    data_dir=Path("/nonexistent"),
    database_url=None,
    log_retention_days=7,
    prompt_memory_mb=64,
    openai_api_key=Secret("sk-test"),
    openai_base_url=None,
    model=MODEL,
    assessor_model=None,
    embedding_model=None,
    embedding_base_url=None,
    model_first_token_seconds=20,
    model_silence_seconds=20,
    model_requests_per_minute=None,
    model_tokens_per_minute=None,
    rehearsal=False,
    rehearsal_words_per_second=None,
    jwt_issuer=LOCAL_ISSUER,
    jwt_audience=LOCAL_AUDIENCE,
    jwt_jwks_url=None,
    jwt_secret=Secret(SECRET),
    allowed_origins=(),
    cost_per_minute=0,
    trusted_documents=None,
    trusted_documents_only=False,
    graphiql=True,
    workers_in_process=8,
    jobs_per_user=8,
    jobs_per_project=8,
    monthly_limit=None,
    drain_seconds=0.2,
    lease_seconds=30,
)


@dataclass(frozen=True)
class Running:
    """A server that can be reached at `address`."""

    address: str
    scriptorium: Scriptorium

    @asynccontextmanager
    async def client(self, user: str = "ada", *, token: str | None = None) -> AsyncIterator[Client]:
        client = Client(self.address, token or token_for(user))
        try:
            yield client
        finally:
            await client.aclose()


def token_for(user: str, *, ttl: timedelta = timedelta(hours=1), clock: Clock = utc_now) -> str:
    return issue_development_token(SECRET, subject=user, name=user.title(), email=f"{user}@example.com", ttl=ttl, now=clock())


@asynccontextmanager
async def running(
    database_url: str,
    *,
    model_url: str | None = None,
    model: LanguageModel | None = None,
    clock: Clock = utc_now,
    pauses: Pauses | None = None,
    embedding_pauses: embedding.Pauses | None = None,
    **changes: Any,
) -> AsyncIterator[Running]:
    """Serve until the context ends, then shut down as SIGTERM would."""
    settings = replace(TEST_SETTINGS, openai_base_url=model_url, **changes)
    world = World(model=model, clock=clock, pauses=pauses or Pauses(), embedding_pauses=embedding_pauses or embedding.Pauses())
    scriptorium = Scriptorium(settings, database_url, world=world)
    config = server_config(scriptorium.app, LIMITS, port=0, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    serving = asyncio.create_task(server._serve())
    try:
        async with asyncio.timeout(20):
            while not server.started:
                if serving.done():
                    serving.result()
                await asyncio.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Running(f"http://127.0.0.1:{port}", scriptorium)
    finally:
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(serving, 30)
