"""How a job's row changes hands and state: every legal transition, with its events, in the caller's transaction.

A job leaves its worker by an epoch of its own, so that nothing can be written under the old one once it is released or finished.
Leases are compared with the database's clock only: processes need not agree on the time.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import orjson
from sqlalchemy import text

from domain.jobs.events import Event, Finished, StatusChanged
from domain.jobs.job import Claim, Ending, JobKind, JobStatus, LeaseLost, Waiting
from persistence.connection import Connection
from persistence.documents import to_document
from persistence.events import CANCELS_CHANNEL, EVENTS_CHANNEL, append_events

_HOLD = text("SELECT lease_until > now() AS leased FROM job WHERE id = :job_id AND epoch = :epoch FOR NO KEY UPDATE")
# Writes its one event itself: the way to a chapter's first text begins here, and is as short as can be.
_CLAIM = text(f"""
    WITH claimed AS (
        UPDATE job SET epoch = epoch + 1, attempt = attempt + 1, worker = :worker, lease_until = now() + make_interval(secs => :lease),
                       started_at = coalesce(started_at, now()), claimed_at = now(),
                       stumbles = stumbles + CASE WHEN worker IS NULL THEN 0 ELSE 1 END,
                       status = CASE status WHEN 'CANCELLING' THEN status ELSE 'RUNNING' END,
                       last_sequence = CASE status WHEN 'CANCELLING' THEN last_sequence ELSE last_sequence + 1 END
        WHERE id = :job_id AND (status = 'QUEUED' OR (status IN ('RUNNING', 'CANCELLING') AND lease_until <= now()))
        RETURNING id, kind, project_id, started_by, epoch, attempt, cancel_requested, stumbles, progress, reserved, cost_limit,
                  status, last_sequence
    ), told AS (
        INSERT INTO job_event (job_id, sequence, project_id, at, kind, body)
        SELECT id, last_sequence, project_id, now(), :kind, CAST(:body AS jsonb) FROM claimed WHERE status = 'RUNNING'
    )
    SELECT id AS job_id, kind, project_id, started_by AS user_id, epoch, attempt, cancel_requested, stumbles, progress,
           least(reserved, cost_limit - (SELECT coalesce(sum(cost), 0) FROM ledger_entry WHERE job_id = claimed.id)) AS funds,
           CASE status WHEN 'RUNNING' THEN pg_notify('{EVENTS_CHANNEL}', CAST(id AS text)) END
    FROM claimed
""")  # noqa: S608
_CLAIMED = StatusChanged(JobStatus.RUNNING)
_RELEASE = text("""
    UPDATE job SET epoch = epoch + 1, worker = NULL, lease_until = now(),
                   status = CASE status WHEN 'RUNNING' THEN 'QUEUED' ELSE status END
    WHERE id = :job_id AND epoch = :epoch AND status IN ('RUNNING', 'CANCELLING')
    RETURNING epoch, status, now() AS at
""")
_FINISH = text("""
    UPDATE job SET epoch = epoch + 1, worker = NULL, lease_until = NULL, reserved = 0, cancel_requested = false, status = :status,
                   stage = CASE :status WHEN 'SUCCEEDED' THEN 'DONE' ELSE stage END,
                   progress = CASE :status WHEN 'SUCCEEDED' THEN 1 ELSE progress END,
                   result_version_id = :result_version_id, result_assessment_id = :result_assessment_id,
                   remark = :remark, failure = CAST(:failure AS jsonb), finished_at = :at
    WHERE id = :job_id AND epoch = :epoch AND status IN ('RUNNING', 'CANCELLING')
    RETURNING epoch, started_by, project_id
""")
# This end makes room for one more of this user and one more of this project, and the worker's own slot takes up only one of the two.
_HAND_ON = text("""
    SELECT deliver_job(id) FROM job WHERE status = 'QUEUED' AND (started_by = :started_by OR project_id = :project_id) LIMIT 1
""")
_WAIT = text("""
    UPDATE job SET epoch = epoch + 1, worker = NULL, lease_until = NULL, reserved = 0, status = 'WAITING', waiting = CAST(:waiting AS jsonb)
    WHERE id = :job_id AND epoch = :epoch AND status = 'RUNNING'
    RETURNING epoch, started_by, project_id, now() AS at
""")
_RESUME = text("""
    UPDATE job SET status = 'QUEUED', waiting = NULL, reserved = :reserve WHERE id = :job_id AND status = 'WAITING'
    RETURNING epoch, now() AS at
""")
_LOCK = text("SELECT status, epoch, attempt FROM job WHERE id = :job_id FOR NO KEY UPDATE")
_CANCEL_QUEUED = text("UPDATE job SET status = 'CANCELLED', reserved = 0, finished_at = :at WHERE id = :job_id")
_CANCEL_BEGUN = text("""
    UPDATE job SET status = 'CANCELLING', cancel_requested = true, lease_until = now(), waiting = NULL WHERE id = :job_id
""")
_CANCEL_RUNNING = text(f"""
    UPDATE job SET status = 'CANCELLING', cancel_requested = true WHERE id = :job_id
    RETURNING pg_notify('{CANCELS_CHANNEL}', CAST(id AS text))
""")  # noqa: S608
_REQUEUE = text("""
    UPDATE job SET status = 'QUEUED', stage = 'QUEUED', queued_at = now(), reserved = :reserve, stumbles = 0,
                   result_version_id = NULL, result_assessment_id = NULL, remark = NULL, failure = NULL, finished_at = NULL
    WHERE id = :job_id AND status IN ('FAILED', 'CANCELLED')
    RETURNING epoch
""")
_DELIVER = text("SELECT deliver_job(:job_id)")


async def hold(connection: Connection, claim: Claim, *, leased: bool = False) -> None:
    """Keep the claim from being lost until the transaction ends. Raises LeaseLost when it is lost already.

    With `leased`, also when it could be lost any moment: a worker that wakes up with its lease over must not begin what costs money.
    """
    row = (await connection.execute(_HOLD, {"job_id": claim.job_id, "epoch": claim.epoch})).first()
    if row is None or (leased and not row.leased):
        raise LeaseLost


async def claim(connection: Connection, job_id: UUID, *, worker: str, lease_seconds: float) -> Claim | None:
    """None when the job cannot be taken: another worker holds it, or it has ended, or is gone."""
    parameters = {
        "job_id": job_id,
        "worker": worker,
        "lease": lease_seconds,
        "kind": type(_CLAIMED).__name__,
        "body": orjson.dumps(to_document(_CLAIMED)).decode(),
    }
    row = (await connection.execute(_CLAIM, parameters)).first()
    if row is None:
        return None
    return Claim(
        job_id=row.job_id,
        kind=JobKind(row.kind),
        project_id=row.project_id,
        user_id=row.user_id,
        epoch=row.epoch,
        attempt=row.attempt,
        cancel_requested=row.cancel_requested,
        stumbles=row.stumbles,
        progress=row.progress,
        funds=row.funds,
    )


async def release(connection: Connection, claim: Claim) -> None:
    """Raises LeaseLost."""
    row = (await connection.execute(_RELEASE, {"job_id": claim.job_id, "epoch": claim.epoch})).first()
    if row is None:
        raise LeaseLost
    if row.status == JobStatus.QUEUED:
        await _tell(connection, claim.job_id, row.epoch, row.at, StatusChanged(JobStatus.QUEUED))
    await deliver(connection, claim.job_id)


async def finish(connection: Connection, claim: Claim, ending: Ending) -> None:
    """Raises LeaseLost."""
    parameters = {
        "job_id": claim.job_id,
        "epoch": claim.epoch,
        "status": ending.status.value,
        "result_version_id": ending.result_version_id,
        "result_assessment_id": ending.result_assessment_id,
        "remark": ending.remark,
        "failure": orjson.dumps(to_document(ending.failure)).decode() if ending.failure else None,
        "at": ending.at,
    }
    row = (await connection.execute(_FINISH, parameters)).first()
    if row is None:
        raise LeaseLost
    await _tell(connection, claim.job_id, row.epoch, ending.at, StatusChanged(ending.status, ending.failure), Finished())
    await connection.execute(_HAND_ON, {"started_by": row.started_by, "project_id": row.project_id})


async def wait(connection: Connection, claim: Claim, waiting: Waiting) -> bool:
    """False when the job is being cancelled. Raises LeaseLost."""
    document = orjson.dumps(to_document(waiting)).decode()
    row = (await connection.execute(_WAIT, {"job_id": claim.job_id, "epoch": claim.epoch, "waiting": document})).first()
    if row is None:
        await hold(connection, claim)
        return False
    await _tell(connection, claim.job_id, row.epoch, row.at, StatusChanged(JobStatus.WAITING, waiting=waiting))
    await connection.execute(_HAND_ON, {"started_by": row.started_by, "project_id": row.project_id})
    return True


async def resume(connection: Connection, job_id: UUID, *, reserve: Decimal) -> None:
    """A waiting job goes back to the queue with so much held for it. Any other stays as it is."""
    row = (await connection.execute(_RESUME, {"job_id": job_id, "reserve": reserve})).first()
    if row is not None:
        await _tell(connection, job_id, row.epoch, row.at, StatusChanged(JobStatus.QUEUED))
        await deliver(connection, job_id)


async def request_cancel(connection: Connection, job_id: UUID, *, at: datetime) -> None:
    """A job that was never begun ends at once; one that was is ended by a worker, which keeps its text. Any other stays as it is."""
    row = (await connection.execute(_LOCK, {"job_id": job_id})).first()
    if row is None:
        return
    if row.status in {JobStatus.QUEUED, JobStatus.WAITING} and row.attempt > 0:
        await connection.execute(_CANCEL_BEGUN, {"job_id": job_id})
        await _tell(connection, job_id, row.epoch, at, StatusChanged(JobStatus.CANCELLING))
        await deliver(connection, job_id)
    elif row.status in {JobStatus.QUEUED, JobStatus.WAITING}:
        await connection.execute(_CANCEL_QUEUED, {"job_id": job_id, "at": at})
        await _tell(connection, job_id, row.epoch, at, StatusChanged(JobStatus.CANCELLED), Finished())
    elif row.status == JobStatus.RUNNING:
        await connection.execute(_CANCEL_RUNNING, {"job_id": job_id})
        await _tell(connection, job_id, row.epoch, at, StatusChanged(JobStatus.CANCELLING))


async def requeue(connection: Connection, job_id: UUID, *, reserve: Decimal, at: datetime) -> None:
    """A failed or cancelled job goes back to the queue; its log continues where it had ended. Any other stays as it is."""
    row = (await connection.execute(_REQUEUE, {"job_id": job_id, "reserve": reserve})).first()
    if row is not None:
        await _tell(connection, job_id, row.epoch, at, StatusChanged(JobStatus.QUEUED))
        await deliver(connection, job_id)


async def deliver(connection: Connection, job_id: UUID) -> None:
    """Have the engine bring the job to a worker once this transaction is committed."""
    await connection.execute(_DELIVER, {"job_id": job_id})


async def _tell(connection: Connection, job_id: UUID, epoch: int, at: datetime, *events: Event) -> None:
    await append_events(connection, [(job_id, epoch, events)], at=at)
