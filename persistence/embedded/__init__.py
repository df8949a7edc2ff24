"""The database that comes along: a Postgres server of this checkout's own, for whoever has not set DATABASE_URL."""

from persistence.embedded.binaries import Binaries, find_binaries
from persistence.embedded.cluster import Address, EmbeddedPostgres
from persistence.embedded.errors import EmbeddedPostgresError

__all__ = ["Address", "Binaries", "EmbeddedPostgres", "EmbeddedPostgresError", "find_binaries"]
