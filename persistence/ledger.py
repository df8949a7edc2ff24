"""The ledger of paid calls: entries are only ever added, also to correct one."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, Uuid, bindparam, func, literal, select, text

from domain.jobs.job import CallIntent, Claim
from domain.llm.model import TokenUsage
from domain.spending import ZERO, Usage
from persistence.connection import Connection
from persistence.projection import to_value
from persistence.tables.jobs import ledger_entry
from persistence.tables.metadata import MONEY

# The project is looked up because it may have been deleted while the call ran; who paid is on record all the same.
_ENTER = text("""
    INSERT INTO ledger_entry (at, user_id, project_id, job_id, step, epoch, call_id, model, calls,
                              prompt_tokens, cached_prompt_tokens, completion_tokens, cost, estimated, uncertain)
    VALUES (:at, :user_id, (SELECT project_id FROM job WHERE id = :job_id), :job_id, :step, :epoch, :call_id, :model, 1,
            :prompt_tokens, :cached_prompt_tokens, :completion_tokens, :cost, :estimated, :uncertain)
    ON CONFLICT (call_id, uncertain, calls) DO NOTHING
""")
_ENTER_WITHOUT_JOB = text("""
    INSERT INTO ledger_entry (at, user_id, project_id, step, epoch, call_id, model, calls,
                              prompt_tokens, cached_prompt_tokens, completion_tokens, cost, estimated, uncertain)
    VALUES (:at, :user_id, (SELECT id FROM project WHERE id = :project_id), :step, 0, :call_id, :model, 1,
            :prompt_tokens, :cached_prompt_tokens, :completion_tokens, :cost, :estimated, :uncertain)
    ON CONFLICT (call_id, uncertain, calls) DO NOTHING
""")
_SETTLE = text("UPDATE job SET reserved = greatest(0, reserved - :cost) WHERE id = :job_id")
_REVERSE = text("""
    INSERT INTO ledger_entry (at, user_id, project_id, job_id, step, epoch, call_id, model, calls,
                              prompt_tokens, cached_prompt_tokens, completion_tokens, cost, estimated, uncertain)
    SELECT :at, user_id, project_id, job_id, step, epoch, call_id, model, -calls,
           -prompt_tokens, -cached_prompt_tokens, -completion_tokens, -cost, estimated, uncertain
    FROM ledger_entry WHERE call_id = :call_id AND uncertain AND calls = 1
    ON CONFLICT (call_id, uncertain, calls) DO NOTHING
""")
_COUNTED = (ledger_entry.c.calls, ledger_entry.c.prompt_tokens, ledger_entry.c.cached_prompt_tokens, ledger_entry.c.completion_tokens)

EMBEDDING = "embedding"
"""The step of calls that belong to no job."""

NOTHING = literal(ZERO, MONEY)
USAGE: tuple[ColumnElement[Any], ...] = (
    *(func.coalesce(func.sum(column), 0).label(column.name) for column in _COUNTED),
    func.coalesce(func.sum(ledger_entry.c.cost), NOTHING).label("cost"),
    func.coalesce(func.sum(ledger_entry.c.calls).filter(ledger_entry.c.cost.is_(None)), 0).label("unpriced_calls"),
    func.coalesce(func.sum(ledger_entry.c.calls).filter(ledger_entry.c.uncertain), 0).label("uncertain_calls"),
)
"""Sums over entries: the fields of Usage, in their order."""

_OF_STEP = select(*USAGE).where(
    ledger_entry.c.job_id == bindparam("job_id", type_=Uuid), ledger_entry.c.step == bindparam("step", type_=Text)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`id` is None only for calls of earlier releases; `cost` for a model without a known price."""

    id: UUID | None
    step: str
    model: str
    usage: TokenUsage
    cost: Decimal | None


def call_of(intent: CallIntent, usage: TokenUsage, cost: Decimal | None) -> Call:
    return Call(id=intent.call_id, step=intent.step, model=intent.model, usage=usage, cost=cost)


async def enter(connection: Connection, claim: Claim, call: Call, *, epoch: int, at: datetime, uncertain: bool = False) -> bool:
    """Enter one call of `epoch`, and take its cost out of what the job holds of the project's budget. False: it had been entered."""
    parameters = {"at": at, "user_id": claim.user_id, "job_id": claim.job_id, "epoch": epoch, "uncertain": uncertain, **_columns_of(call)}
    if (await connection.execute(_ENTER, parameters)).rowcount == 0:
        return False
    if call.cost:
        await connection.execute(_SETTLE, {"job_id": claim.job_id, "cost": call.cost})
    return True


async def enter_without_job(connection: Connection, call: Call, *, user_id: UUID, project_id: UUID, at: datetime, uncertain: bool) -> None:
    """Enter a call that no job has made, unless it has been entered."""
    parameters = {"at": at, "user_id": user_id, "project_id": project_id, "uncertain": uncertain, **_columns_of(call)}
    await connection.execute(_ENTER_WITHOUT_JOB, parameters)


async def reverse_uncertain(connection: Connection, call_id: UUID, *, at: datetime) -> None:
    """What a later owner had to assume of this call turns out to be known after all."""
    await connection.execute(_REVERSE, {"at": at, "call_id": call_id})


async def usage_of_step(connection: Connection, job_id: UUID, step: str) -> Usage:
    return to_value(Usage, (await connection.execute(_OF_STEP, {"job_id": job_id, "step": step})).one())


def _columns_of(call: Call) -> dict[str, Any]:
    return {
        "step": call.step,
        "call_id": call.id,
        "model": call.model,
        "prompt_tokens": call.usage.prompt_tokens,
        "cached_prompt_tokens": call.usage.cached_prompt_tokens,
        "completion_tokens": call.usage.completion_tokens,
        "cost": call.cost,
        "estimated": call.usage.estimated,
    }
