"""How Alembic reaches the database: on the connection that persistence.migrate hands it, or for its own command line on a new one."""

from alembic import context
from persistence import migrate
from persistence.tables.metadata import metadata
from settings import read_settings

if context.is_offline_mode():
    raise SystemExit("Migrations look at the database they run on: there is no offline mode.")

connection = context.config.attributes.get("connection")
if connection is not None:
    migrate.run_revisions(connection, metadata)
else:
    url = read_settings().database_url
    if url is None:
        raise SystemExit("Set DATABASE_URL, or use `scriptorium migrate` for the embedded Postgres.")
    with migrate.exclusive_connection(str(url)) as connection:
        migrate.run_revisions(connection, metadata)
