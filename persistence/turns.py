"""Whose turn it is: which job a free slot takes up next, and whether a running job should step aside between two of its steps.

First come jobs whose worker has vanished. Then, by priority, the first job of each user in turn: users with the fewest running jobs
first, of those whoever was served longest ago. A user or a project that has as many running as it may is passed over. So however many
jobs somebody queues, they delay another user's first by no more than the step that a slot has begun.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.jobs.job import Claim, JobLimits
from persistence import job_transitions

# Two workers that count at the same time would both see room for one more.
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('scriptorium: whose turn it is'))")
_FIRST_OF_EACH_USER = """
    busy AS MATERIALIZED (
        SELECT started_by, project_id FROM job WHERE status IN ('RUNNING', 'CANCELLING') AND lease_until > now()
    ), user_load AS (
        SELECT started_by, count(*) AS jobs FROM busy GROUP BY started_by
    ), project_load AS (
        SELECT project_id, count(*) AS jobs FROM busy GROUP BY project_id
    ), first_of_user AS (
        SELECT DISTINCT ON (job.started_by) job.id, job.started_by, job.priority, job.queued_at, job.made_way_at,
               coalesce(user_load.jobs, 0) AS load
        FROM job LEFT JOIN user_load ON user_load.started_by = job.started_by
                 LEFT JOIN project_load ON project_load.project_id = job.project_id
        WHERE job.status = 'QUEUED' AND coalesce(user_load.jobs, 0) < :per_user AND coalesce(project_load.jobs, 0) < :per_project
        ORDER BY job.started_by, job.priority DESC, job.queued_at, job.id
    ), in_turn AS (
        SELECT *, (SELECT max(claimed_at) FROM job AS served WHERE served.started_by = first_of_user.started_by) AS served_at
        FROM first_of_user
    )
"""
_IN_TURN = "priority DESC, load, served_at NULLS FIRST, queued_at, id"
_ABANDONED = "SELECT id FROM job WHERE status IN ('RUNNING', 'CANCELLING') AND lease_until <= now() ORDER BY lease_until, id"
_NEXT = text(f"""
    WITH abandoned AS ({_ABANDONED} LIMIT 1), {_FIRST_OF_EACH_USER}, next AS (SELECT id FROM in_turn ORDER BY {_IN_TURN} LIMIT 1)
    SELECT id FROM (SELECT id, 1 AS place FROM abandoned UNION ALL SELECT id, 2 FROM next) AS candidate ORDER BY place LIMIT 1
""")  # noqa: S608  - put together from the constants above, as are the next two
# A job for which somebody has stepped aside is taken up in a moment: nobody else need do so meanwhile.
_STEP_ASIDE = text(f"""
    WITH {_FIRST_OF_EACH_USER}, mine AS (
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
    WITH abandoned AS ({_ABANDONED}), {_FIRST_OF_EACH_USER}
    SELECT job.id FROM job
    WHERE (id IN (SELECT id FROM abandoned) AND lease_until < now() - interval '2 seconds'
           OR id IN (SELECT id FROM in_turn) AND queued_at < now() - interval '5 seconds')
      AND NOT EXISTS (SELECT FROM procrastinate_jobs WHERE status = 'todo')
    ORDER BY id
""")  # noqa: S608
ATTEMPTS = 5


async def claim_next(connection: AsyncConnection, limits: JobLimits, *, worker: str, lease_seconds: float) -> Claim | None:
    """None when no job can be taken up: there is none, or whose turn it would be has as many running as they may."""
    await connection.execute(_ONE_AT_A_TIME)
    for _ in range(ATTEMPTS):  # each time but the last, somebody has cancelled the job meanwhile
        job_id = await connection.scalar(_NEXT, _bounds(limits))
        if job_id is None:
            return None
        if (claim := await job_transitions.claim(connection, job_id, worker=worker, lease_seconds=lease_seconds)) is not None:
            return claim
    return None


async def should_step_aside(connection: AsyncConnection, limits: JobLimits, claim: Claim) -> bool:
    """Whether somebody waits who should not: a job of higher priority, or one of a user who has none running.

    Of several running jobs only one steps aside for each that waits.
    """
    parameters = {**_bounds(limits), "job_id": claim.job_id, "epoch": claim.epoch}
    return (await connection.execute(_STEP_ASIDE, parameters)).first() is not None


async def undelivered(connection: AsyncConnection, limits: JobLimits) -> list[UUID]:
    """Jobs that could be taken up, but that no message will bring to a worker."""
    return list((await connection.scalars(_UNDELIVERED, _bounds(limits))).all())


def _bounds(limits: JobLimits) -> dict[str, Any]:
    return {"per_user": limits.per_user, "per_project": limits.per_project}
