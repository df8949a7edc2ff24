"""How often models are called, by all processes together: token buckets, kept by workers alone.

Nobody's data is in there, so there is no tenant to keep apart; the application's role may not even look.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE model_rate (
    endpoint text CONSTRAINT model_rate_pkey PRIMARY KEY,
    requests double precision NOT NULL,
    tokens double precision NOT NULL,
    refilled_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON model_rate TO scriptorium_worker;
"""


def upgrade() -> None:
    op.execute(TABLE)


def downgrade() -> None:
    op.execute("DROP TABLE model_rate")
