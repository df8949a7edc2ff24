"""The job engine's own tables, as procrastinate 3.10 ships them, and the one door through which jobs come to it.

The SQL is kept here, so that a newer version of the library never changes what this revision does.
"""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SCHEMA = Path(__file__).with_suffix(".sql")

DELIVER_JOB = """
CREATE FUNCTION deliver_job(job_id uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$
    SELECT public.procrastinate_defer_jobs_v1(ARRAY[
        ROW('jobs', 'run_job', 0, NULL, NULL, jsonb_build_object('job_id', job_id), NULL)::public.procrastinate_job_to_defer_v1
    ])
$$;
REVOKE EXECUTE ON FUNCTION deliver_job FROM PUBLIC;
GRANT EXECUTE ON FUNCTION deliver_job TO scriptorium_app, scriptorium_worker;
"""

PRIVILEGES = """
GRANT SELECT, INSERT, UPDATE, DELETE
    ON procrastinate_jobs, procrastinate_events, procrastinate_workers, procrastinate_periodic_defers TO scriptorium_worker;
GRANT USAGE
    ON SEQUENCE procrastinate_jobs_id_seq, procrastinate_events_id_seq, procrastinate_periodic_defers_id_seq TO scriptorium_worker;
"""

REMOVE = """
DROP FUNCTION deliver_job;
DROP TABLE procrastinate_periodic_defers, procrastinate_events, procrastinate_jobs, procrastinate_workers CASCADE;
DO $$
DECLARE remaining regprocedure;
BEGIN
    FOR remaining IN SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'procrastinate\\_%' LOOP
        EXECUTE 'DROP FUNCTION ' || remaining;
    END LOOP;
END
$$;
DROP TYPE procrastinate_job_to_defer_v1, procrastinate_job_event_type, procrastinate_job_status;
"""


def upgrade() -> None:
    # As it stands, per cent signs and all.
    op.get_bind().exec_driver_sql(SCHEMA.read_text(encoding="utf-8"), execution_options={"no_parameters": True})
    op.execute(DELIVER_JOB)
    op.execute(PRIVILEGES)


def downgrade() -> None:
    op.execute(REMOVE)
