"""Logs that are written once and do not grow for ever: numbered appends, compaction of what is long over, expiry of idempotency keys.

Workers may compact a log, but still not read it: the function that does so runs as the tables' owner, who is bound by row security too
and hence has policies of its own.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE job
    ADD COLUMN appended_epoch integer NOT NULL DEFAULT 0,
    ADD COLUMN appended_number integer NOT NULL DEFAULT 0,
    ADD COLUMN compacted_until timestamptz;
CREATE INDEX job_finished_at_idx ON job (finished_at) WHERE compacted_until IS DISTINCT FROM finished_at;
ALTER TABLE job_event ADD COLUMN covers integer NOT NULL DEFAULT 1;
CREATE INDEX idempotency_key_at_idx ON idempotency_key (at);
"""

# What stays of a log is the last event of each step, the last change of the job's status, and its end; each stands for the positions
# since the one before it. Where text was written in those, the event becomes one that replaces.
#
# Why any follower ends with the right text: a position's `settled` is the least offset at which text is written behind it. Up to there a
# follower who stands at this position shows what the finished text has, for nothing behind touches it. An event that replaces from the
# `settled` of the first position it stands for, by the finished text up to that of its own position, is right for a follower at any of
# them, and leaves the next event the same to rely on.
COMPACT_JOB_LOG = """
CREATE FUNCTION compact_job_log(finished_job uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    entry record;
    shown integer := 0;  -- how much text a follower shows who has come this far
    sequences integer[] := '{}';
    starts integer[] := '{}';  -- where the text of each of these was put
BEGIN
    PERFORM FROM public.job WHERE id = finished_job AND status IN ('SUCCEEDED', 'FAILED', 'CANCELLED') FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;

    FOR entry IN
        SELECT sequence, kind, (body ->> 'offset')::integer AS start, char_length(body ->> 'text') AS length
        FROM public.job_event WHERE job_id = finished_job AND kind IN ('TextAppended', 'TextReplaced') ORDER BY sequence
    LOOP
        IF entry.kind = 'TextReplaced' THEN
            shown := least(shown, entry.start);
        END IF;
        sequences := sequences || entry.sequence;
        starts := starts || shown;
        shown := shown + entry.length;
    END LOOP;

    WITH put AS (
        SELECT sequence, start, coalesce(
            min(start) OVER (ORDER BY sequence DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), shown) AS settled
        FROM unnest(sequences, starts) AS text (sequence, start)
    ), piece AS (
        SELECT sequence, least(start, settled) AS start, left(body ->> 'text', greatest(settled - start, 0)) AS text
        FROM put JOIN public.job_event USING (sequence) WHERE job_id = finished_job
    ), last AS (
        SELECT DISTINCT ON (coalesce(body ->> 'step', kind)) sequence
        FROM public.job_event WHERE job_id = finished_job AND kind <> 'Progressed'
        ORDER BY coalesce(body ->> 'step', kind), sequence DESC
    ), kept AS (
        SELECT sequence, lag(sequence, 1, 0) OVER (ORDER BY sequence) AS previous FROM last
    ), compacted AS (
        SELECT kept.sequence, kept.sequence - kept.previous AS covers, min(start) AS start,
               string_agg(text, '' ORDER BY piece.sequence) AS text
        FROM kept LEFT JOIN piece ON piece.sequence > kept.previous AND piece.sequence <= kept.sequence
        GROUP BY kept.sequence, kept.previous
    ), gone AS (
        DELETE FROM public.job_event WHERE job_id = finished_job AND sequence NOT IN (SELECT sequence FROM last)
    )
    UPDATE public.job_event AS event SET
        covers = compacted.covers,
        kind = CASE WHEN text IS NULL THEN event.kind ELSE 'TextReplaced' END,
        body = CASE WHEN text IS NULL THEN event.body ELSE jsonb_build_object('step', body -> 'step', 'offset', start, 'text', text) END
    FROM compacted WHERE event.job_id = finished_job AND event.sequence = compacted.sequence;

    UPDATE public.job SET compacted_until = finished_at WHERE id = finished_job;
    RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION compact_job_log FROM PUBLIC;
GRANT EXECUTE ON FUNCTION compact_job_log TO scriptorium_worker;
"""

OWNERS_POLICIES = """
CREATE POLICY owner_selects ON job FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY owner_updates ON job FOR UPDATE TO CURRENT_USER USING (true);
CREATE POLICY owner_selects ON job_event FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY owner_updates ON job_event FOR UPDATE TO CURRENT_USER USING (true);
CREATE POLICY owner_deletes ON job_event FOR DELETE TO CURRENT_USER USING (true);
"""

# A key is good for 24 hours by the clock of whoever is asked; the clocks of several servers need not agree to the second.
EXPIRED_KEYS = """
CREATE POLICY worker_selects ON idempotency_key FOR SELECT TO scriptorium_worker USING (at < now() - interval '25 hours');
CREATE POLICY worker_deletes ON idempotency_key FOR DELETE TO scriptorium_worker USING (at < now() - interval '25 hours');
GRANT SELECT (user_id, key, at), DELETE ON idempotency_key TO scriptorium_worker;
"""

PRIVILEGES = """
GRANT SELECT (appended_epoch, appended_number, compacted_until), UPDATE (appended_epoch, appended_number) ON job TO scriptorium_worker;
"""

REMOVE = """
DROP FUNCTION compact_job_log;
DROP POLICY owner_selects ON job;
DROP POLICY owner_updates ON job;
DROP POLICY owner_selects ON job_event;
DROP POLICY owner_updates ON job_event;
DROP POLICY owner_deletes ON job_event;
DROP POLICY worker_selects ON idempotency_key;
DROP POLICY worker_deletes ON idempotency_key;
REVOKE ALL ON idempotency_key FROM scriptorium_worker;
DROP INDEX idempotency_key_at_idx;
ALTER TABLE job_event DROP COLUMN covers;
DROP INDEX job_finished_at_idx;
ALTER TABLE job DROP COLUMN appended_epoch, DROP COLUMN appended_number, DROP COLUMN compacted_until;
"""


def upgrade() -> None:
    op.execute(COLUMNS)
    op.execute(COMPACT_JOB_LOG)
    op.execute(OWNERS_POLICIES)
    op.execute(EXPIRED_KEYS)
    op.execute(PRIVILEGES)


def downgrade() -> None:
    op.execute(REMOVE)
