"""Recorded steps of a job: the intent before a paid call, its result after it. The caller holds the job's row."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Integer, Uuid, bindparam, literal, select, text
from sqlalchemy.dialects.postgresql import insert

from domain.jobs.job import CallIntent, CallResult, CallsLost, Claim, JobStatus
from domain.llm.model import TokenUsage
from persistence import ledger
from persistence.connection import Connection
from persistence.documents import from_document, to_document
from persistence.job_scope import EDITABLE
from persistence.job_transitions import hold
from persistence.membership import given
from persistence.tables.jobs import job, job_step

_FIND = text("SELECT * FROM job_step WHERE job_id = :job_id AND name = :step")
# Holds the job as `job_transitions.hold` does; no row, then, of a claim that is lost.
_INTEND_FIRST = text("""
    INSERT INTO job_step (job_id, project_id, name, status, tries, epoch, asked_since, call_id, model, request_hash, expected, expected_cost,
                          started_at)
    SELECT id, project_id, :step, 'RUNNING', 1, epoch, epoch, :call_id, :model, :request_hash, CAST(:expected AS jsonb), :expected_cost, :at
    FROM job WHERE id = :job_id AND epoch = :epoch AND lease_until > now() FOR NO KEY UPDATE
    ON CONFLICT (job_id, name) DO NOTHING
""")
# `asked_since` is the first epoch that asked for exactly this request: answers to it are good whichever of its owners brings one.
_INTEND_AGAIN = text("""
    UPDATE job_step SET
        status = 'RUNNING', tries = tries + 1, epoch = :epoch, call_id = :call_id, model = :model, result = NULL, finished_at = NULL,
        asked_since = CASE request_hash WHEN :request_hash THEN asked_since ELSE :epoch END,
        request_hash = :request_hash, expected = CAST(:expected AS jsonb), expected_cost = :expected_cost,
        uncertain = uncertain OR :uncertain
    WHERE job_id = :job_id AND name = :step
""")
_ABANDON = text("""
    UPDATE job_step SET status = 'FAILED', finished_at = :at, uncertain = uncertain OR :uncertain
    WHERE job_id = :job_id AND name = :step AND call_id = :call_id AND status = 'RUNNING'
""")
_STORE = text("""
    WITH earlier AS MATERIALIZED (
        SELECT * FROM job_step WHERE job_id = :job_id AND name = :step AND status <> 'SUCCEEDED' AND asked_since <= :epoch FOR UPDATE
    )
    UPDATE job_step SET status = 'SUCCEEDED', result = CAST(:result AS jsonb), finished_at = :at, call_id = :call_id
    FROM earlier WHERE job_step.job_id = earlier.job_id AND job_step.name = earlier.name
    RETURNING earlier.name, earlier.status, earlier.epoch, earlier.call_id, earlier.model, earlier.expected, earlier.expected_cost
""")
_IN_FLIGHT = text("SELECT * FROM job_step WHERE job_id = :job_id AND status = 'RUNNING' AND epoch < :epoch ORDER BY name")
_RESULTS = text("SELECT name, result FROM job_step WHERE job_id = :job_id AND result IS NOT NULL ORDER BY started_at, name")
_COMPLETED: Mapping[str, ColumnElement[Any]] = {
    "job_id": job.c.id,
    "project_id": job.c.project_id,
    "status": literal(JobStatus.SUCCEEDED.value),
    "tries": literal(1),
    "epoch": job.c.epoch,
    "asked_since": job.c.epoch,
    **given(job_step, ("name", "started_at", "finished_at")),
}
_COMPLETE_FIRST = insert(job_step).from_select(
    list(_COMPLETED),
    select(*_COMPLETED.values())
    .where(job.c.id == bindparam("job_id", type_=Uuid), job.c.epoch == bindparam("epoch", type_=Integer), EDITABLE)
    .with_for_update(key_share=True),
)
_COMPLETE = _COMPLETE_FIRST.on_conflict_do_update(
    index_elements=["job_id", "name"],
    set_={"tries": job_step.c.tries + 1, **{name: _COMPLETE_FIRST.excluded[name] for name in ("status", "epoch", "finished_at")}},
)


async def intend(connection: Connection, claim: Claim, intent: CallIntent) -> CallResult | CallsLost | None:
    """A result that is recorded for the same request is answered; otherwise the intent is written down.

    CallsLost is answered, not raised, because what this transaction has learned of the last call is to be kept. Raises LeaseLost.
    """
    parameters = {
        "job_id": claim.job_id,
        "epoch": claim.epoch,
        "call_id": intent.call_id,
        "step": intent.step,
        "model": intent.model,
        "request_hash": intent.request_hash,
        "expected": orjson.dumps(to_document(intent.expected)).decode(),
        "expected_cost": intent.expected_cost,
    }
    first = {**parameters, "at": intent.at}
    if (await connection.execute(_INTEND_FIRST, first)).rowcount == 1:
        return None
    await hold(connection, claim, leased=True)
    earlier = (await connection.execute(_FIND, {"job_id": claim.job_id, "step": intent.step})).first()
    if earlier is None:  # the lease was over a moment ago, and has been renewed
        await connection.execute(_INTEND_FIRST, first)
        return None
    if earlier.result is not None and earlier.request_hash == intent.request_hash:
        return from_document(CallResult, earlier.result)
    uncertain = earlier.status == JobStatus.RUNNING and earlier.epoch < claim.epoch
    if uncertain:
        await _enter_uncertain(connection, claim, earlier, at=intent.at)
        if earlier.uncertain and earlier.request_hash == intent.request_hash:
            await _give_up(connection, earlier, at=intent.at)
            return CallsLost()
    await connection.execute(_INTEND_AGAIN, {**parameters, "uncertain": uncertain})
    return None


async def _enter_uncertain(connection: Connection, claim: Claim, earlier: Any, *, at: datetime) -> None:
    call = ledger.Call(
        id=earlier.call_id,
        step=earlier.name,
        model=earlier.model,
        usage=from_document(TokenUsage, earlier.expected),
        cost=earlier.expected_cost,
    )
    await ledger.enter(connection, claim, call, epoch=earlier.epoch, at=at, uncertain=True)


async def _give_up(connection: Connection, earlier: Any, *, at: datetime) -> None:
    ending = {"job_id": earlier.job_id, "step": earlier.name, "call_id": earlier.call_id, "at": at, "uncertain": True}
    await connection.execute(_ABANDON, ending)


async def write_off(connection: Connection, claim: Claim, *, at: datetime) -> None:
    """Enter the calls that earlier owners have left in flight, as nobody will ask for them again."""
    for earlier in (await connection.execute(_IN_FLIGHT, {"job_id": claim.job_id, "epoch": claim.epoch})).all():
        await _enter_uncertain(connection, claim, earlier, at=at)
        await _give_up(connection, earlier, at=at)


async def abandon(
    connection: Connection, claim: Claim, intent: CallIntent, *, at: datetime, usage: TokenUsage | None, cost: Decimal | None
) -> None:
    """The call brought nothing; enter what it was billed for, whatever a later owner has assumed."""
    ending = {"job_id": claim.job_id, "step": intent.step, "call_id": intent.call_id, "at": at, "uncertain": False}
    await connection.execute(_ABANDON, ending)
    await ledger.reverse_uncertain(connection, intent.call_id, at=at)
    if usage is not None:
        await ledger.enter(connection, claim, ledger.call_of(intent, usage, cost), epoch=claim.epoch, at=at)


async def record(connection: Connection, claim: Claim, intent: CallIntent, result: CallResult, *, at: datetime) -> bool:
    """Store the result unless there is one already, and enter what it cost in any case. False: all that had been done before."""
    if not await ledger.enter(connection, claim, ledger.call_of(intent, result.usage, result.cost), epoch=claim.epoch, at=at):
        return False
    await ledger.reverse_uncertain(connection, intent.call_id, at=at)
    document = orjson.dumps(to_document(result)).decode()
    stored = {"job_id": claim.job_id, "step": intent.step, "call_id": intent.call_id, "epoch": claim.epoch, "result": document, "at": at}
    earlier = (await connection.execute(_STORE, stored)).first()
    if earlier is not None and earlier.status == JobStatus.RUNNING and earlier.call_id != intent.call_id:
        # A later owner's call is in flight, and now that there is a result nobody would miss it if its worker died.
        await _enter_uncertain(connection, claim, earlier, at=at)
    return True


async def results(connection: Connection, claim: Claim) -> Mapping[str, CallResult]:
    """In the order in which the steps were begun."""
    rows = await connection.execute(_RESULTS, {"job_id": claim.job_id})
    return {row.name: from_document(CallResult, row.result) for row in rows}


async def complete(connection: Connection, claim: Claim, step: str, *, by: UUID, started_at: datetime, at: datetime) -> bool:
    """False, and nothing is recorded, when the claim is lost or the user `by` may not write in the job's project.

    Otherwise the claim stays good until the transaction ends.
    """
    parameters = {
        "job_id": claim.job_id,
        "epoch": claim.epoch,
        "name": step,
        "started_at": started_at,
        "finished_at": at,
        "acting_user": by,
    }
    return (await connection.execute(_COMPLETE, parameters)).rowcount == 1
