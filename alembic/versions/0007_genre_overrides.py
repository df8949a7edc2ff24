"""A project's own word on how its genre fills a prompt; null, as in every project so far, leaves it to the genre."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE project ADD COLUMN genre_override jsonb")


def downgrade() -> None:
    op.execute("ALTER TABLE project DROP COLUMN genre_override")
