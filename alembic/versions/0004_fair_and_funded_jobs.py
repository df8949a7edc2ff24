"""Jobs that take turns, wait for money, and can be matched call by call with what a provider bills.

- A worker's slot takes the job whose turn it is: `priority`, `claimed_at` (when a worker last took it) and `made_way_at` (when a running
  job last stepped aside for it) say whose that is. `stumbles` counts workers that vanished with it.
- `waiting` says which limit a WAITING job has reached. To decide that, workers see the amounts of limits, and nothing else of a project.
- Each call has an id, which the provider is told too. It makes entries in the ledger unique, so that none is made twice.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE job
    ADD COLUMN priority integer NOT NULL DEFAULT 0,
    ADD COLUMN claimed_at timestamptz,
    ADD COLUMN made_way_at timestamptz,
    ADD COLUMN stumbles integer NOT NULL DEFAULT 0,
    ADD COLUMN waiting jsonb;
CREATE INDEX job_turn_idx ON job (started_by, priority DESC, queued_at, id) WHERE status = 'QUEUED';
CREATE INDEX job_waiting_idx ON job (project_id) WHERE status = 'WAITING';
CREATE INDEX job_started_by_claimed_at_idx ON job (started_by, claimed_at);
DROP INDEX job_queued_at_idx;

ALTER TABLE job_step ADD COLUMN call_id uuid;
ALTER TABLE ledger_entry ADD COLUMN call_id uuid;
CREATE UNIQUE INDEX ledger_entry_call_id_uncertain_calls_idx ON ledger_entry (call_id, uncertain, calls);

GRANT SELECT (priority, claimed_at, made_way_at, stumbles, waiting, cost_limit) ON job TO scriptorium_worker;
GRANT UPDATE (claimed_at, made_way_at, stumbles, waiting) ON job TO scriptorium_worker;
GRANT SELECT (id, budget_limit) ON project TO scriptorium_worker;
CREATE POLICY worker_selects ON project FOR SELECT TO scriptorium_worker USING (true);
"""

DOWNGRADE = """
DROP POLICY worker_selects ON project;
REVOKE SELECT (id, budget_limit) ON project FROM scriptorium_worker;
DROP INDEX ledger_entry_call_id_uncertain_calls_idx;
ALTER TABLE ledger_entry DROP COLUMN call_id;
ALTER TABLE job_step DROP COLUMN call_id;
CREATE INDEX job_queued_at_idx ON job (queued_at) WHERE status = 'QUEUED';
DROP INDEX job_started_by_claimed_at_idx, job_waiting_idx, job_turn_idx;
ALTER TABLE job
    DROP COLUMN priority, DROP COLUMN claimed_at, DROP COLUMN made_way_at, DROP COLUMN stumbles, DROP COLUMN waiting;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
