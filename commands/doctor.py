"""`scriptorium doctor`: is this installation fit to work, and if not, what is to be done."""

import asyncio
import platform
import shutil
from collections.abc import Iterator

import httpx2

from commands.database import migrated_database
from domain.llm.tokens import TokenCounter
from persistence.database import Database
from persistence.diagnosis import Finding, diagnose
from persistence.embedded.errors import EmbeddedPostgresError
from persistence.migrate import DatabaseUnreachable
from persistence.roles import RolesMissing
from persistence.urls import InvalidDatabaseUrl
from settings import Settings

ANSWER_SECONDS = 10
LEAST_FREE_BYTES = 1 << 30


def doctor(settings: Settings) -> int:
    """Print one line a finding; the exit code is 1 when something needs doing."""
    bad = 0
    for finding in _findings(settings):
        print(f"  {'!' if finding.advice else '✓'} {finding.subject}" + (f": {finding.advice}" if finding.advice else ""))
        bad += bool(finding.advice)
    return 1 if bad else 0


def _findings(settings: Settings) -> Iterator[Finding]:
    yield Finding(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    yield _disk(settings)
    yield _tokens()
    yield _model(settings)
    yield from _database(settings)


def _disk(settings: Settings) -> Finding:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.data_dir).free
    return Finding(f"{free >> 30} GiB free", "" if free > LEAST_FREE_BYTES else "Less than 1 GiB is left for the data.")


def _tokens() -> Finding:
    try:
        TokenCounter().count("A word.", model="gpt-4.1-mini")
    except (OSError, ValueError) as error:
        return Finding("tokenizer", f"{error} Restore the checkout's domain/llm/ranks.")
    return Finding("tokenizer")


def _model(settings: Settings) -> Finding:
    """Asking for the list of models costs nothing anywhere."""
    if settings.rehearsal:
        return Finding("model: rehearsal (no language model is called; set OPENAI_API_KEY for one)")
    address = (settings.openai_base_url or "https://api.openai.com/v1").rstrip("/")
    headers = {"Authorization": f"Bearer {settings.openai_api_key}"} if settings.openai_api_key else {}
    subject = f"model: {settings.default_model} at {address}"
    try:
        response = httpx2.get(f"{address}/models", headers=headers, timeout=ANSWER_SECONDS)
        known = {model["id"] for model in response.json().get("data", [])} if response.is_success else set()
    except (httpx2.HTTPError, ValueError, KeyError, AttributeError, TypeError):
        return Finding(subject, "It does not answer: check OPENAI_BASE_URL, and that the server runs.")
    if response.status_code in {401, 403}:
        return Finding(subject, "It refuses the key: check OPENAI_API_KEY.")
    if known and settings.default_model not in known:
        return Finding(subject, "It does not list this model: check SCRIPTORIUM_MODEL.")
    return Finding(subject)


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        with migrated_database(settings) as urls:
            yield from asyncio.run(_diagnose(urls.application))
    except (EmbeddedPostgresError, DatabaseUnreachable, RolesMissing, InvalidDatabaseUrl) as error:
        yield Finding("database", str(error))


async def _diagnose(url: str) -> list[Finding]:
    database = Database(url, pool_size=2)
    try:
        return await diagnose(database)
    finally:
        await database.close()
