"""Finding the database: the operator's own by DATABASE_URL, else the embedded Postgres."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote

from persistence.embedded import Address, EmbeddedPostgres
from persistence.migrate import upgrade
from settings import Settings

EMBEDDED_LOGIN = "scriptorium"


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """`owner` migrates; `application` serves. `login` is the role to be let in, None when it is the owner itself."""

    owner: str
    application: str
    login: str | None


@contextmanager
def database(settings: Settings) -> Iterator[DatabaseUrls]:
    """Addresses of a running database, embedded if need be. Blocks; raises EmbeddedPostgresError when none can be had."""
    if settings.database_url is not None:
        url = str(settings.database_url)
        yield DatabaseUrls(owner=url, application=url, login=None)
        return
    postgres = EmbeddedPostgres(settings.data_dir / "postgres")
    address = postgres.start()
    try:
        yield embedded_urls(address)
    finally:
        postgres.stop()


def embedded_urls(address: Address) -> DatabaseUrls:
    where = quote(str(address.socket_directory))
    return DatabaseUrls(
        owner=f"postgresql://{address.superuser}@/postgres?host={where}",
        application=f"postgresql://{EMBEDDED_LOGIN}@/postgres?host={where}",
        login=EMBEDDED_LOGIN,
    )


@contextmanager
def migrated_database(settings: Settings) -> Iterator[DatabaseUrls]:
    """As `database`, brought to the newest revision; raises what `upgrade` raises."""
    with database(settings) as urls:
        upgrade(urls.owner, application_role=urls.login)
        yield urls
