"""Recorded steps of a job: the intent before a paid call, its result after it. The caller holds the job's row."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.jobs.job import CallIntent, CallResult, Claim, JobStatus
from domain.llm.model import TokenUsage
from persistence import ledger
from persistence.documents import from_document, to_document

_FIND = text("SELECT * FROM job_step WHERE job_id = :job_id AND name = :step")
# `asked_since` is the first epoch that asked for exactly this request: answers to it are good whichever of its owners brings one.
_INTEND = text("""
    INSERT INTO job_step (job_id, project_id, name, status, tries, epoch, asked_since, model, request_hash, expected, expected_cost, started_at)
    VALUES (:job_id, :project_id, :step, 'RUNNING', 1, :epoch, :epoch, :model, :request_hash, CAST(:expected AS jsonb), :expected_cost, :at)
    ON CONFLICT (job_id, name) DO UPDATE SET
        status = 'RUNNING', tries = job_step.tries + 1, epoch = excluded.epoch, model = excluded.model, result = NULL, finished_at = NULL,
        asked_since = CASE job_step.request_hash WHEN excluded.request_hash THEN job_step.asked_since ELSE excluded.epoch END,
        request_hash = excluded.request_hash, expected = excluded.expected, expected_cost = excluded.expected_cost,
        uncertain = job_step.uncertain OR :uncertain
""")
_ABANDON = text("""
    UPDATE job_step SET status = 'FAILED', finished_at = :at
    WHERE job_id = :job_id AND name = :step AND epoch = :epoch AND status = 'RUNNING'
""")
_STORE = text("""
    UPDATE job_step SET status = 'SUCCEEDED', result = CAST(:result AS jsonb), finished_at = :at
    WHERE job_id = :job_id AND name = :step AND status <> 'SUCCEEDED' AND asked_since <= :epoch
""")
_RESULTS = text("SELECT name, result FROM job_step WHERE job_id = :job_id AND result IS NOT NULL ORDER BY started_at, name")
_COMPLETE = text("""
    INSERT INTO job_step (job_id, project_id, name, status, tries, epoch, asked_since, started_at, finished_at)
    VALUES (:job_id, :project_id, :step, 'SUCCEEDED', 1, :epoch, :epoch, :started_at, :at)
    ON CONFLICT (job_id, name) DO UPDATE SET status = 'SUCCEEDED', tries = job_step.tries + 1, epoch = excluded.epoch, finished_at = :at
""")


async def intend(connection: AsyncConnection, claim: Claim, intent: CallIntent) -> CallResult | None:
    """A result that is recorded for the same request is answered; otherwise the intent is written down."""
    earlier = (await connection.execute(_FIND, {"job_id": claim.job_id, "step": intent.step})).first()
    if earlier is not None and earlier.result is not None and earlier.request_hash == intent.request_hash:
        return from_document(CallResult, earlier.result)
    uncertain = earlier is not None and earlier.status == JobStatus.RUNNING and earlier.epoch < claim.epoch
    if uncertain:
        await _enter_uncertain(connection, claim, intent.step, earlier, at=intent.at)
    await connection.execute(
        _INTEND,
        {
            "job_id": claim.job_id,
            "project_id": claim.project_id,
            "step": intent.step,
            "epoch": claim.epoch,
            "model": intent.model,
            "request_hash": intent.request_hash,
            "expected": orjson.dumps(to_document(intent.expected)).decode(),
            "expected_cost": intent.expected_cost,
            "at": intent.at,
            "uncertain": uncertain,
        },
    )
    return None


async def _enter_uncertain(connection: AsyncConnection, claim: Claim, step: str, earlier: Any, *, at: datetime) -> None:
    await ledger.enter(
        connection,
        claim,
        step,
        epoch=earlier.epoch,
        call=ledger.Call(model=earlier.model, usage=from_document(TokenUsage, earlier.expected), cost=earlier.expected_cost),
        at=at,
        uncertain=True,
    )


async def abandon(
    connection: AsyncConnection, claim: Claim, step: str, *, at: datetime, usage: TokenUsage | None, cost: Decimal | None
) -> None:
    """The call brought nothing; enter what it was billed for, whatever a later owner has assumed."""
    await connection.execute(_ABANDON, {"job_id": claim.job_id, "step": step, "epoch": claim.epoch, "at": at})
    await ledger.reverse_uncertain(connection, claim, step, at=at)
    if usage is not None:
        await _enter(connection, claim, step, usage=usage, cost=cost, at=at)


async def record(connection: AsyncConnection, claim: Claim, step: str, result: CallResult, *, at: datetime) -> None:
    """Store the result unless there is one already, and enter what it cost in any case."""
    await ledger.reverse_uncertain(connection, claim, step, at=at)
    await _enter(connection, claim, step, usage=result.usage, cost=result.cost, at=at)
    await connection.execute(
        _STORE,
        {"job_id": claim.job_id, "step": step, "epoch": claim.epoch, "result": orjson.dumps(to_document(result)).decode(), "at": at},
    )


async def _enter(connection: AsyncConnection, claim: Claim, step: str, *, usage: TokenUsage, cost: Decimal | None, at: datetime) -> None:
    intended = (await connection.execute(_FIND, {"job_id": claim.job_id, "step": step})).first()
    model = intended.model if intended else ""  # the project may have been deleted while the call ran
    call = ledger.Call(model=model, usage=usage, cost=cost)
    await ledger.enter(connection, claim, step, epoch=claim.epoch, call=call, at=at)


async def results(connection: AsyncConnection, claim: Claim) -> Mapping[str, CallResult]:
    """In the order in which the steps were begun."""
    rows = await connection.execute(_RESULTS, {"job_id": claim.job_id})
    return {row.name: from_document(CallResult, row.result) for row in rows}


async def complete(connection: AsyncConnection, claim: Claim, step: str, *, started_at: datetime, at: datetime) -> None:
    await connection.execute(
        _COMPLETE,
        {
            "job_id": claim.job_id,
            "project_id": claim.project_id,
            "step": step,
            "epoch": claim.epoch,
            "started_at": started_at,
            "at": at,
        },
    )
