"""A migrated database to measure on: the embedded Postgres, with its usual durability."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from commands.database import embedded_urls
from persistence.embedded import EmbeddedPostgres
from persistence.migrate import upgrade


@asynccontextmanager
async def workbench() -> AsyncIterator[str]:
    """The application's URL of a new database that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="scriptorium-bench-"))
    folder.chmod(0o755)
    postgres = EmbeddedPostgres(folder)
    try:
        urls = embedded_urls(await asyncio.to_thread(postgres.start))
        await asyncio.to_thread(upgrade, urls.owner, application_role=urls.login)
        yield urls.application
    finally:
        await asyncio.to_thread(postgres.stop)
        shutil.rmtree(folder, ignore_errors=True)
