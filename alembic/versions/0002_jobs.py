"""Jobs: their steps and logs, prompt receipts, the ledger of paid calls, and idempotency keys.

The worker's role keeps the books of all tenants' jobs; it sees the results of their steps, but no request, prompt, log or version.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TENANT_TABLES = ("job", "job_step", "job_event", "prompt_receipt", "ledger_entry", "idempotency_key")

TABLES = """
CREATE TABLE job (
    id uuid CONSTRAINT job_pkey PRIMARY KEY,
    project_id uuid NOT NULL CONSTRAINT job_project_id_fkey REFERENCES project ON DELETE CASCADE,
    chapter_id uuid,
    kind text NOT NULL CONSTRAINT job_kind_check CHECK (kind IN ('CHAPTER')),
    status text NOT NULL CONSTRAINT job_status_check CHECK (status IN (
        'QUEUED', 'RUNNING', 'WAITING', 'CANCELLING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
    stage text NOT NULL CONSTRAINT job_stage_check CHECK (stage IN (
        'QUEUED', 'CONTEXT', 'PLANNING', 'DRAFTING', 'CHECKING', 'ASSESSING', 'REVISING', 'SETTLING', 'RENDERING', 'DONE')),
    progress double precision NOT NULL,
    started_by uuid NOT NULL CONSTRAINT job_started_by_fkey REFERENCES app_user,
    attempt integer NOT NULL,
    request jsonb NOT NULL,
    rehearsal boolean NOT NULL,
    cost_limit numeric(12, 6),
    estimate jsonb NOT NULL,
    result_version_id uuid,
    failure jsonb,
    last_sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    queued_at timestamptz NOT NULL DEFAULT now(),
    epoch integer NOT NULL DEFAULT 0,
    lease_until timestamptz,
    worker text,
    cancel_requested boolean NOT NULL DEFAULT false,
    reserved numeric(12, 6) NOT NULL,
    CONSTRAINT job_project_id_chapter_id_fkey
        FOREIGN KEY (project_id, chapter_id) REFERENCES chapter (project_id, id) ON DELETE CASCADE
) WITH (fillfactor = 70);
CREATE INDEX job_project_id_created_at_id_idx ON job (project_id, created_at, id);
CREATE INDEX job_chapter_id_created_at_id_idx ON job (chapter_id, created_at, id);
CREATE INDEX job_started_by_created_at_id_idx ON job (started_by, created_at, id);
CREATE UNIQUE INDEX job_active_chapter_idx ON job (chapter_id) WHERE status IN ('QUEUED', 'RUNNING', 'WAITING', 'CANCELLING');
CREATE INDEX job_active_started_by_idx ON job (started_by) WHERE status IN ('QUEUED', 'RUNNING', 'WAITING', 'CANCELLING');
CREATE INDEX job_queued_at_idx ON job (queued_at) WHERE status = 'QUEUED';
CREATE INDEX job_lease_until_idx ON job (lease_until) WHERE status IN ('RUNNING', 'CANCELLING');

CREATE TABLE job_step (
    job_id uuid NOT NULL CONSTRAINT job_step_job_id_fkey REFERENCES job ON DELETE CASCADE,
    name text NOT NULL,
    project_id uuid NOT NULL,
    status text NOT NULL CONSTRAINT job_step_status_check CHECK (status IN (
        'QUEUED', 'RUNNING', 'WAITING', 'CANCELLING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
    tries integer NOT NULL,
    epoch integer NOT NULL,
    asked_since integer NOT NULL,
    model text,
    request_hash text,
    expected jsonb,
    expected_cost numeric(12, 6),
    result jsonb,
    uncertain boolean NOT NULL DEFAULT false,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT job_step_pkey PRIMARY KEY (job_id, name)
);

CREATE TABLE job_event (
    job_id uuid NOT NULL CONSTRAINT job_event_job_id_fkey REFERENCES job ON DELETE CASCADE,
    sequence integer NOT NULL,
    project_id uuid NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    body jsonb NOT NULL,
    CONSTRAINT job_event_pkey PRIMARY KEY (job_id, sequence)
);

CREATE TABLE prompt_receipt (
    id uuid CONSTRAINT prompt_receipt_pkey PRIMARY KEY,
    project_id uuid NOT NULL,
    job_id uuid NOT NULL CONSTRAINT prompt_receipt_job_id_fkey REFERENCES job ON DELETE CASCADE,
    chapter_id uuid NOT NULL,
    at timestamptz NOT NULL,
    messages jsonb NOT NULL,
    message_tokens jsonb NOT NULL,
    receipt jsonb NOT NULL,
    CONSTRAINT prompt_receipt_project_id_chapter_id_fkey
        FOREIGN KEY (project_id, chapter_id) REFERENCES chapter (project_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX prompt_receipt_job_id_idx ON prompt_receipt (job_id);
CREATE INDEX prompt_receipt_chapter_id_at_idx ON prompt_receipt (chapter_id, at);
CREATE INDEX prompt_receipt_project_id_chapter_id_idx ON prompt_receipt (project_id, chapter_id);

CREATE TABLE ledger_entry (
    id uuid DEFAULT gen_random_uuid() CONSTRAINT ledger_entry_pkey PRIMARY KEY,
    at timestamptz NOT NULL,
    user_id uuid NOT NULL CONSTRAINT ledger_entry_user_id_fkey REFERENCES app_user,
    project_id uuid CONSTRAINT ledger_entry_project_id_fkey REFERENCES project ON DELETE SET NULL,
    job_id uuid NOT NULL,
    step text NOT NULL,
    epoch integer NOT NULL,
    model text NOT NULL,
    calls integer NOT NULL,
    prompt_tokens integer NOT NULL,
    cached_prompt_tokens integer NOT NULL,
    completion_tokens integer NOT NULL,
    cost numeric(12, 6),
    estimated boolean NOT NULL,
    uncertain boolean NOT NULL
);
CREATE INDEX ledger_entry_project_id_at_idx ON ledger_entry (project_id, at);
CREATE INDEX ledger_entry_user_id_at_idx ON ledger_entry (user_id, at);
CREATE INDEX ledger_entry_job_id_step_idx ON ledger_entry (job_id, step);

CREATE TABLE idempotency_key (
    user_id uuid NOT NULL CONSTRAINT idempotency_key_user_id_fkey REFERENCES app_user ON DELETE CASCADE,
    key text NOT NULL,
    request_hash text NOT NULL,
    job_id uuid NOT NULL CONSTRAINT idempotency_key_job_id_fkey REFERENCES job ON DELETE CASCADE,
    at timestamptz NOT NULL,
    CONSTRAINT idempotency_key_pkey PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_key_job_id_idx ON idempotency_key (job_id);
"""

MEMBERS_POLICIES = """
CREATE POLICY app_selects ON {table} FOR SELECT TO scriptorium_app USING (project_id IN (SELECT accessible_projects('VIEWER')));
CREATE POLICY app_inserts ON {table} FOR INSERT TO scriptorium_app WITH CHECK (project_id IN (SELECT accessible_projects('EDITOR')));
"""

CHANGING_POLICIES = """
CREATE POLICY app_updates ON {table} FOR UPDATE TO scriptorium_app USING (project_id IN (SELECT accessible_projects('EDITOR')));
"""

OWN_POLICIES = """
CREATE POLICY app_selects ON ledger_entry FOR SELECT TO scriptorium_app
    USING (user_id = (SELECT acting_user()) OR project_id IN (SELECT accessible_projects('VIEWER')));

CREATE POLICY app_selects ON idempotency_key FOR SELECT TO scriptorium_app USING (user_id = (SELECT acting_user()));
CREATE POLICY app_inserts ON idempotency_key FOR INSERT TO scriptorium_app WITH CHECK (user_id = (SELECT acting_user()));
CREATE POLICY app_updates ON idempotency_key FOR UPDATE TO scriptorium_app USING (user_id = (SELECT acting_user()));
"""

WORKERS_POLICIES = """
CREATE POLICY worker_selects ON job FOR SELECT TO scriptorium_worker USING (true);
CREATE POLICY worker_updates ON job FOR UPDATE TO scriptorium_worker USING (true);
CREATE POLICY worker_selects ON job_step FOR SELECT TO scriptorium_worker USING (true);
CREATE POLICY worker_inserts ON job_step FOR INSERT TO scriptorium_worker WITH CHECK (true);
CREATE POLICY worker_updates ON job_step FOR UPDATE TO scriptorium_worker USING (true);
CREATE POLICY worker_inserts ON job_event FOR INSERT TO scriptorium_worker WITH CHECK (true);
CREATE POLICY worker_selects ON ledger_entry FOR SELECT TO scriptorium_worker USING (true);
CREATE POLICY worker_inserts ON ledger_entry FOR INSERT TO scriptorium_worker WITH CHECK (true);
"""

PRIVILEGES = """
GRANT SELECT, INSERT, UPDATE ON job, job_step, idempotency_key TO scriptorium_app;
-- Logs, receipts and the ledger are only ever added to; the ledger by workers alone, who have made the calls.
GRANT SELECT, INSERT ON job_event, prompt_receipt TO scriptorium_app;
GRANT SELECT ON ledger_entry TO scriptorium_app;

GRANT SELECT (id, project_id, started_by, status, stage, progress, attempt, last_sequence, queued_at, started_at, finished_at, epoch,
              lease_until, worker, cancel_requested, reserved) ON job TO scriptorium_worker;
GRANT UPDATE (status, stage, progress, attempt, result_version_id, failure, last_sequence, queued_at, started_at, finished_at, epoch,
              lease_until, worker, cancel_requested, reserved) ON job TO scriptorium_worker;
GRANT SELECT, INSERT, UPDATE ON job_step TO scriptorium_worker;
GRANT INSERT ON job_event TO scriptorium_worker;
GRANT SELECT, INSERT ON ledger_entry TO scriptorium_worker;
"""


def upgrade() -> None:
    op.execute(TABLES)
    for table in TENANT_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    for table in ("job", "job_step", "job_event", "prompt_receipt"):
        op.execute(MEMBERS_POLICIES.format(table=table))
    for table in ("job", "job_step"):
        op.execute(CHANGING_POLICIES.format(table=table))
    op.execute(OWN_POLICIES)
    op.execute(WORKERS_POLICIES)
    op.execute(PRIVILEGES)


def downgrade() -> None:
    op.execute("DROP TABLE job, job_step, job_event, prompt_receipt, ledger_entry, idempotency_key")
