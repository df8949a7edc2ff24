"""Whose turn it is: which job a free slot takes up next, and whether a running job should step aside between two of its steps.

First come jobs whose worker has vanished. Then, by priority, the first job of each user in turn: users with the fewest running jobs
first, of those whoever was served longest ago. A user or a project that has as many running as it may is passed over. So however many
jobs somebody queues, they delay another user's first by no more than the step that a slot has begun.

Workers claim at the same time: each holds the row it is about to take, which the others pass over, and counts what its user and its
project have running while nobody else can take a job of either.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.jobs.job import Claim, JobLimits, JobStatus
from persistence import job_transitions
from persistence.connection import Connection, Row

# One look into the index for each user who waits, however many jobs they have queued: hence the recursion.
_FIRST_OF_EACH_USER = """
    busy AS MATERIALIZED (
        SELECT started_by, project_id FROM job WHERE status IN ('RUNNING', 'CANCELLING') AND lease_until > now()
    ), user_load AS MATERIALIZED (
        SELECT started_by, count(*) AS jobs FROM busy GROUP BY started_by
    ), full_projects AS MATERIALIZED (
        SELECT array(SELECT project_id FROM busy GROUP BY project_id HAVING count(*) >= :per_project) AS ids
    ), waiting_user AS (
        (SELECT started_by FROM job WHERE status = 'QUEUED' ORDER BY started_by LIMIT 1)
        UNION ALL
        SELECT (SELECT job.started_by FROM job WHERE job.status = 'QUEUED' AND job.started_by > waiting_user.started_by
                ORDER BY job.started_by LIMIT 1)
        FROM waiting_user WHERE waiting_user.started_by IS NOT NULL
    ), in_turn AS (
        SELECT first.*, waiting_user.started_by, coalesce(user_load.jobs, 0) AS load,
               (SELECT max(claimed_at) FROM job AS served WHERE served.started_by = waiting_user.started_by) AS served_at
        FROM waiting_user LEFT JOIN user_load ON user_load.started_by = waiting_user.started_by, LATERAL (
            SELECT id, priority, queued_at, made_way_at FROM job
            WHERE status = 'QUEUED' AND job.started_by = waiting_user.started_by
              AND job.project_id <> ALL ((SELECT ids FROM full_projects)::uuid[])
            ORDER BY priority DESC, queued_at, id LIMIT 1
        ) AS first
        WHERE coalesce(user_load.jobs, 0) < :per_user
    )
"""
_IN_TURN = "priority DESC, load, served_at NULLS FIRST, queued_at, id"
_ABANDONED = "status IN ('RUNNING', 'CANCELLING') AND lease_until <= now()"
_NEXT = f"""
    WITH RECURSIVE {_FIRST_OF_EACH_USER}, abandoned AS (
        SELECT id, lease_until FROM job WHERE {_ABANDONED} ORDER BY lease_until LIMIT 50
    ), candidate AS (
        SELECT id, 1 AS place, row_number() OVER (ORDER BY lease_until) AS rank FROM abandoned
        UNION ALL SELECT id, 2, row_number() OVER (ORDER BY {_IN_TURN}) FROM in_turn
    )
    SELECT job.id, job.status, job.started_by, job.project_id FROM candidate JOIN job ON job.id = candidate.id
    WHERE job.status = 'QUEUED' OR ({_ABANDONED}) ORDER BY place, rank LIMIT 1
"""  # noqa: S608  - put together from the constants above, as are the others
_NEXT_UNTOUCHED = text(f"{_NEXT} FOR NO KEY UPDATE OF job SKIP LOCKED")
_NEXT_OF_ALL = text(f"{_NEXT} FOR NO KEY UPDATE OF job")
_ANY = text(f"SELECT EXISTS ({_NEXT})")
# Always the user first: of two who want both, one waits for the other with nothing in hand that the other wants.
_NOBODY_ELSE_CLAIMS = text("""
    SELECT pg_advisory_xact_lock(hashtextextended('claims of user ' || CAST(CAST(:user_id AS uuid) AS text), 0)),
           pg_advisory_xact_lock(hashtextextended('claims of project ' || CAST(CAST(:project_id AS uuid) AS text), 0))
""")
_HAS_ROOM = text("""
    SELECT count(*) FILTER (WHERE started_by = :user_id) < :per_user AND count(*) FILTER (WHERE project_id = :project_id) < :per_project
    FROM job WHERE status IN ('RUNNING', 'CANCELLING') AND lease_until > now()
""")
# A job for which somebody has stepped aside is taken up in a moment: nobody else need do so meanwhile.
_STEP_ASIDE = text(f"""
    WITH RECURSIVE {_FIRST_OF_EACH_USER}, mine AS (
        SELECT started_by AS my_user, priority AS my_priority FROM job WHERE id = :job_id AND epoch = :epoch AND status = 'RUNNING'
    ), waiting AS (
        SELECT id FROM in_turn, mine
        WHERE queued_at < now() - interval '1 second' AND (made_way_at IS NULL OR made_way_at < now() - interval '10 seconds')
          AND (priority > my_priority OR priority = my_priority AND started_by <> my_user AND load = 0)
        ORDER BY {_IN_TURN} LIMIT 1
    )
    UPDATE job SET made_way_at = now() FROM waiting WHERE job.id = waiting.id AND job.status = 'QUEUED'
    RETURNING job.id
""")  # noqa: S608
# A lease may be renewed a little late, and a message be about to bring its job. While any message waits, every slot is taken, and each
# goes on with whoever's turn it is when it has done what it does.
_UNDELIVERED = text(f"""
    WITH RECURSIVE {_FIRST_OF_EACH_USER}
    SELECT id FROM job
    WHERE (({_ABANDONED}) AND lease_until < now() - interval '2 seconds'
           OR id IN (SELECT id FROM in_turn) AND queued_at < now() - interval '5 seconds')
      AND NOT EXISTS (SELECT FROM procrastinate_jobs WHERE status = 'todo')
    ORDER BY id
""")  # noqa: S608


class Overtaken(Exception):  # noqa: N818  - look again in a new transaction
    """Whoever claimed at the same time has taken what was chosen."""


async def claim_next(connection: Connection, limits: JobLimits, *, worker: str, lease_seconds: float) -> Claim | None:
    """None when no job can be taken up: there is none, or whose turn it would be has as many running as they may. Raises Overtaken."""
    chosen = await _choose(connection, limits)
    if chosen is None:
        return None
    if chosen.status == JobStatus.QUEUED:
        about = {"user_id": chosen.started_by, "project_id": chosen.project_id}
        await connection.execute(_NOBODY_ELSE_CLAIMS, about)
        if not await connection.scalar(_HAS_ROOM, {**about, **_bounds(limits)}):
            raise Overtaken
    claim = await job_transitions.claim(connection, chosen.id, worker=worker, lease_seconds=lease_seconds)
    if claim is None:
        raise Overtaken
    return claim


async def _choose(connection: Connection, limits: JobLimits) -> Row | None:
    """The job whose turn it is, of those that nobody else is about to take. Where all of them are being taken, we wait for that."""
    bounds = _bounds(limits)
    if (chosen := (await connection.execute(_NEXT_UNTOUCHED, bounds)).first()) is not None:
        return chosen
    if not await connection.scalar(_ANY, bounds):
        return None
    chosen = (await connection.execute(_NEXT_OF_ALL, bounds)).first()
    if chosen is None:
        raise Overtaken
    return chosen


async def should_step_aside(connection: Connection, limits: JobLimits, claim: Claim) -> bool:
    """Whether somebody waits who should not: a job of higher priority, or one of a user who has none running.

    Of several running jobs only one steps aside for each that waits.
    """
    parameters = {**_bounds(limits), "job_id": claim.job_id, "epoch": claim.epoch}
    return (await connection.execute(_STEP_ASIDE, parameters)).first() is not None


async def undelivered(connection: Connection, limits: JobLimits) -> list[UUID]:
    """Jobs that could be taken up, but that no message will bring to a worker."""
    return await connection.scalars(_UNDELIVERED, _bounds(limits))


def _bounds(limits: JobLimits) -> dict[str, Any]:
    return {"per_user": limits.per_user, "per_project": limits.per_project}
