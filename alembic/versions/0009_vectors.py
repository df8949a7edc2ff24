"""Vectors of passages and briefs, for prompts that look for what is close in meaning; and a ledger that knows calls without a job.

- `passage_vector`: by the model and by the sha256 of exactly the text that was embedded. Members read them, only workers add any. Within
  a project `number` rises in the order of commits, so that a reader may ask for what has come since.
- `embedded_chapter`: of which version, as of which change and in which format of passages all of a chapter is embedded. `embedding_turn`: until when a project is
  left alone by everybody but the process that set this time.
- To find out whose chapters lack vectors, workers see when chapters changed, and may ask for the owner who has been there longest. They
  still see no text, but read it on behalf of this owner, under row security; and the owner is who pays.
- Calls for vectors belong to no job: such entries of the ledger have no `job_id`, and the step says what they were for.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TENANT_TABLES = ("passage_vector", "embedded_chapter", "embedding_turn")

TABLES = """
CREATE TABLE passage_vector (
    project_id uuid NOT NULL CONSTRAINT passage_vector_project_id_fkey REFERENCES project ON DELETE CASCADE,
    model text NOT NULL,
    sha256 bytea NOT NULL CONSTRAINT passage_vector_sha256_check CHECK (octet_length(sha256) = 32),
    number bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    dims integer NOT NULL,
    vector bytea NOT NULL,
    CONSTRAINT passage_vector_pkey PRIMARY KEY (project_id, model, sha256),
    CONSTRAINT passage_vector_vector_check CHECK (octet_length(vector) = 4 * dims)
);
-- Floating-point numbers hardly get smaller by compression.
ALTER TABLE passage_vector ALTER COLUMN vector SET STORAGE EXTERNAL;
CREATE INDEX passage_vector_project_id_model_number_idx ON passage_vector (project_id, model, number);

CREATE TABLE embedded_chapter (
    chapter_id uuid NOT NULL,
    model text NOT NULL,
    project_id uuid NOT NULL,
    version_id uuid,
    changed_at timestamptz NOT NULL,
    format integer NOT NULL,
    CONSTRAINT embedded_chapter_pkey PRIMARY KEY (chapter_id, model),
    CONSTRAINT embedded_chapter_project_id_chapter_id_fkey
        FOREIGN KEY (project_id, chapter_id) REFERENCES chapter (project_id, id) ON DELETE CASCADE
);
CREATE INDEX embedded_chapter_project_id_chapter_id_idx ON embedded_chapter (project_id, chapter_id);

CREATE TABLE embedding_turn (
    project_id uuid NOT NULL CONSTRAINT embedding_turn_pkey PRIMARY KEY
        CONSTRAINT embedding_turn_project_id_fkey REFERENCES project ON DELETE CASCADE,
    held_until timestamptz NOT NULL
);

ALTER TABLE ledger_entry ALTER COLUMN job_id DROP NOT NULL;
ALTER TABLE ledger_entry ADD CONSTRAINT ledger_entry_job_id_check CHECK (job_id IS NOT NULL OR step = 'embedding');
"""

POLICIES = """
CREATE POLICY app_selects ON passage_vector FOR SELECT TO scriptorium_app USING (project_id IN (SELECT accessible_projects('VIEWER')));

CREATE POLICY worker_selects ON passage_vector FOR SELECT TO scriptorium_worker USING (true);
CREATE POLICY worker_inserts ON passage_vector FOR INSERT TO scriptorium_worker WITH CHECK (true);
CREATE POLICY worker_selects ON embedded_chapter FOR SELECT TO scriptorium_worker USING (true);
CREATE POLICY worker_inserts ON embedded_chapter FOR INSERT TO scriptorium_worker WITH CHECK (true);
CREATE POLICY worker_updates ON embedded_chapter FOR UPDATE TO scriptorium_worker USING (true);
CREATE POLICY worker_selects ON embedding_turn FOR SELECT TO scriptorium_worker USING (true);
CREATE POLICY worker_inserts ON embedding_turn FOR INSERT TO scriptorium_worker WITH CHECK (true);
CREATE POLICY worker_updates ON embedding_turn FOR UPDATE TO scriptorium_worker USING (true);
CREATE POLICY worker_selects ON chapter FOR SELECT TO scriptorium_worker USING (true);
"""

# Workers need not see who else is a member.
FUNCTION = """
CREATE FUNCTION owner_who_pays(for_project uuid) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$
    SELECT user_id FROM public.project_member WHERE project_id = for_project AND role = 'OWNER' ORDER BY joined_at, user_id LIMIT 1
$$;
REVOKE EXECUTE ON FUNCTION owner_who_pays FROM PUBLIC;
GRANT EXECUTE ON FUNCTION owner_who_pays TO scriptorium_worker;
"""

PRIVILEGES = """
GRANT SELECT ON passage_vector TO scriptorium_app;
GRANT SELECT (project_id, model, sha256), INSERT ON passage_vector TO scriptorium_worker;
GRANT SELECT, INSERT, UPDATE ON embedded_chapter, embedding_turn TO scriptorium_worker;
GRANT SELECT (id, project_id, current_version_id, updated_at) ON chapter TO scriptorium_worker;
GRANT SELECT (archived_at) ON project TO scriptorium_worker;
"""

REMOVE = """
REVOKE SELECT (archived_at) ON project FROM scriptorium_worker;
REVOKE SELECT (id, project_id, current_version_id, updated_at) ON chapter FROM scriptorium_worker;
DROP FUNCTION owner_who_pays;
DROP POLICY worker_selects ON chapter;
ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_job_id_check;
DELETE FROM ledger_entry WHERE job_id IS NULL;
ALTER TABLE ledger_entry ALTER COLUMN job_id SET NOT NULL;
DROP TABLE embedding_turn, embedded_chapter, passage_vector;
"""


def upgrade() -> None:
    op.execute(TABLES)
    for table in TENANT_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    op.execute(POLICIES)
    op.execute(FUNCTION)
    op.execute(PRIVILEGES)


def downgrade() -> None:
    op.execute(REMOVE)
