"""Texts are kept with their indexes, so that a prompt need not make them.

What was saved before has none: it is indexed when a prompt is made of it. The bytes are compressed already, so Postgres need not try.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = ("chapter_version", "reference_file")


def upgrade() -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ADD COLUMN text_index bytea")
        op.execute(f"ALTER TABLE {table} ALTER COLUMN text_index SET STORAGE EXTERNAL")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.execute(f"ALTER TABLE {table} DROP COLUMN text_index")
