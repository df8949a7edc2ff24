"""A migrated database to measure on: the embedded Postgres, with its usual durability."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from commands.database import DatabaseUrls, embedded_urls
from persistence.embedded import EmbeddedPostgres
from persistence.migrate import upgrade


@contextmanager
def workbench() -> Iterator[str]:
    """The application's URL of a new database that is gone afterwards."""
    with workbench_urls() as urls:
        yield urls.application


@contextmanager
def workbench_urls() -> Iterator[DatabaseUrls]:
    folder = Path(tempfile.mkdtemp(prefix="scriptorium-bench-"))
    folder.chmod(0o755)
    postgres = EmbeddedPostgres(folder)
    try:
        urls = embedded_urls(postgres.start())
        upgrade(urls.owner, application_role=urls.login)
        yield urls
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
