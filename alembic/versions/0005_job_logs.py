"""Logs that are written once: the job's row remembers the last numbered append."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE job
    ADD COLUMN appended_epoch integer NOT NULL DEFAULT 0,
    ADD COLUMN appended_number integer NOT NULL DEFAULT 0;
"""

PRIVILEGES = """
GRANT SELECT (appended_epoch, appended_number), UPDATE (appended_epoch, appended_number) ON job TO scriptorium_worker;
"""


def upgrade() -> None:
    op.execute(COLUMNS)
    op.execute(PRIVILEGES)


def downgrade() -> None:
    op.execute("ALTER TABLE job DROP COLUMN appended_epoch, DROP COLUMN appended_number")
