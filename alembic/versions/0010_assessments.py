"""Assessments: what was measured of each version, what judges found in it, and what authors have dismissed; jobs that assess and revise.

- `assessment`: only ever added. The metrics are a document, since they are always read together. What the version's job, if it was one,
  has used for it is kept with it: the ledger knows steps, not assessments.
- `finding`: only ever added; `dismissal` says of one that its author has no use for it, and why.
- A chapter has one job at a time that writes it, as before; assessments write nothing, so there is one at a time for each version.
- A job may send prompts for several of its steps, so a receipt says for which.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TENANT_TABLES = ("assessment", "finding", "dismissal")

TABLES = """
CREATE TABLE assessment (
    id uuid CONSTRAINT assessment_pkey PRIMARY KEY,
    project_id uuid NOT NULL,
    chapter_id uuid NOT NULL,
    version_id uuid NOT NULL,
    job_id uuid,
    score double precision NOT NULL,
    score_low double precision NOT NULL,
    score_high double precision NOT NULL,
    dimensions jsonb NOT NULL,
    metrics jsonb NOT NULL,
    notes jsonb NOT NULL,
    judge text,
    rubric text,
    rehearsal boolean NOT NULL,
    usage jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT assessment_project_id_chapter_id_fkey
        FOREIGN KEY (project_id, chapter_id) REFERENCES chapter (project_id, id) ON DELETE CASCADE,
    CONSTRAINT assessment_chapter_id_version_id_fkey
        FOREIGN KEY (chapter_id, version_id) REFERENCES chapter_version (chapter_id, id) ON DELETE CASCADE,
    CONSTRAINT assessment_chapter_id_id_key UNIQUE (chapter_id, id)
);
CREATE INDEX assessment_project_id_chapter_id_idx ON assessment (project_id, chapter_id);
CREATE INDEX assessment_chapter_id_version_id_idx ON assessment (chapter_id, version_id);
CREATE INDEX assessment_job_id_idx ON assessment (job_id);
-- A judge's go before what was only measured, then the newest.
CREATE INDEX assessment_latest_of_version_idx ON assessment (version_id, (judge IS NULL), created_at DESC, id DESC);

CREATE TABLE finding (
    id uuid CONSTRAINT finding_pkey PRIMARY KEY,
    project_id uuid NOT NULL,
    chapter_id uuid NOT NULL,
    assessment_id uuid NOT NULL,
    position integer NOT NULL,
    issue jsonb NOT NULL,
    CONSTRAINT finding_chapter_id_assessment_id_fkey
        FOREIGN KEY (chapter_id, assessment_id) REFERENCES assessment (chapter_id, id) ON DELETE CASCADE,
    CONSTRAINT finding_assessment_id_position_key UNIQUE (assessment_id, position)
);
CREATE INDEX finding_chapter_id_assessment_id_idx ON finding (chapter_id, assessment_id);

CREATE TABLE dismissal (
    finding_id uuid CONSTRAINT dismissal_pkey PRIMARY KEY CONSTRAINT dismissal_finding_id_fkey REFERENCES finding ON DELETE CASCADE,
    project_id uuid NOT NULL,
    chapter_id uuid NOT NULL,
    user_id uuid CONSTRAINT dismissal_user_id_fkey REFERENCES app_user ON DELETE SET NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX dismissal_chapter_id_idx ON dismissal (chapter_id);
CREATE INDEX dismissal_user_id_idx ON dismissal (user_id);
"""

JOBS = """
ALTER TABLE job DROP CONSTRAINT job_kind_check;
ALTER TABLE job ADD CONSTRAINT job_kind_check CHECK (kind IN ('CHAPTER', 'REVISION', 'ASSESSMENT'));
ALTER TABLE job ADD COLUMN result_assessment_id uuid, ADD COLUMN remark text;
DROP INDEX job_active_chapter_idx;
CREATE UNIQUE INDEX job_active_chapter_idx ON job (chapter_id)
    WHERE status IN ('QUEUED', 'RUNNING', 'WAITING', 'CANCELLING') AND kind <> 'ASSESSMENT';
CREATE UNIQUE INDEX job_active_assessment_idx ON job ((request ->> 'version_id'))
    WHERE status IN ('QUEUED', 'RUNNING', 'WAITING', 'CANCELLING') AND kind = 'ASSESSMENT';

CREATE INDEX chapter_version_job_id_idx ON chapter_version (job_id) WHERE job_id IS NOT NULL;

ALTER TABLE prompt_receipt ADD COLUMN step text NOT NULL DEFAULT 'draft';
DROP INDEX prompt_receipt_job_id_idx;
CREATE UNIQUE INDEX prompt_receipt_job_id_step_idx ON prompt_receipt (job_id, step);
"""

POLICIES = """
CREATE POLICY app_selects ON {table} FOR SELECT TO scriptorium_app USING (project_id IN (SELECT accessible_projects('VIEWER')));
CREATE POLICY app_inserts ON {table} FOR INSERT TO scriptorium_app WITH CHECK (project_id IN (SELECT accessible_projects('EDITOR')));
"""

DISMISSING_AGAIN = """
CREATE POLICY app_updates ON dismissal FOR UPDATE TO scriptorium_app USING (project_id IN (SELECT accessible_projects('EDITOR')));
GRANT UPDATE (user_id, reason, at) ON dismissal TO scriptorium_app;
"""

REMOVE = """
DROP INDEX chapter_version_job_id_idx;

DROP INDEX prompt_receipt_job_id_step_idx;
DELETE FROM prompt_receipt WHERE step <> 'draft';
CREATE UNIQUE INDEX prompt_receipt_job_id_idx ON prompt_receipt (job_id);
ALTER TABLE prompt_receipt DROP COLUMN step;

DROP INDEX job_active_chapter_idx, job_active_assessment_idx;
DELETE FROM job WHERE kind <> 'CHAPTER';
CREATE UNIQUE INDEX job_active_chapter_idx ON job (chapter_id) WHERE status IN ('QUEUED', 'RUNNING', 'WAITING', 'CANCELLING');
ALTER TABLE job DROP COLUMN result_assessment_id, DROP COLUMN remark;
ALTER TABLE job DROP CONSTRAINT job_kind_check;
ALTER TABLE job ADD CONSTRAINT job_kind_check CHECK (kind IN ('CHAPTER'));

DROP TABLE dismissal, finding, assessment;
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(JOBS)
    for table in TENANT_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        op.execute(POLICIES.format(table=table))
        op.execute(f"GRANT SELECT, INSERT ON {table} TO scriptorium_app")
    op.execute(DISMISSING_AGAIN)
    op.execute("GRANT SELECT (kind) ON job TO scriptorium_worker")
    op.execute("GRANT UPDATE (result_assessment_id, remark) ON job TO scriptorium_worker")


def downgrade() -> None:
    op.execute("REVOKE SELECT (kind) ON job FROM scriptorium_worker")
    op.execute(REMOVE)
