"""The ledger of paid calls: entries are only ever added, also to correct one."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, Uuid, bindparam, func, literal, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.jobs.job import Claim
from domain.llm.model import TokenUsage
from domain.spending import ZERO, Usage
from persistence.projection import to_value
from persistence.tables.jobs import ledger_entry
from persistence.tables.metadata import MONEY

# The project is looked up because it may have been deleted while the call ran; who paid is on record all the same.
_ENTER = text("""
    INSERT INTO ledger_entry (at, user_id, project_id, job_id, step, epoch, model, calls,
                              prompt_tokens, cached_prompt_tokens, completion_tokens, cost, estimated, uncertain)
    VALUES (:at, :user_id, (SELECT project_id FROM job WHERE id = :job_id), :job_id, :step, :epoch, :model, 1,
            :prompt_tokens, :cached_prompt_tokens, :completion_tokens, :cost, :estimated, :uncertain)
""")
_SETTLE = text("UPDATE job SET reserved = greatest(0, reserved - :cost) WHERE id = :job_id")
_REVERSE = text("""
    INSERT INTO ledger_entry (at, user_id, project_id, job_id, step, epoch, model, calls,
                              prompt_tokens, cached_prompt_tokens, completion_tokens, cost, estimated, uncertain)
    SELECT :at, user_id, project_id, job_id, step, epoch, model, -calls,
           -prompt_tokens, -cached_prompt_tokens, -completion_tokens, -cost, estimated, uncertain
    FROM ledger_entry WHERE job_id = :job_id AND step = :step AND epoch = :epoch AND uncertain
""")
_COUNTED = (ledger_entry.c.calls, ledger_entry.c.prompt_tokens, ledger_entry.c.cached_prompt_tokens, ledger_entry.c.completion_tokens)

NOTHING = literal(ZERO, MONEY)
USAGE: tuple[ColumnElement[Any], ...] = (
    *(func.coalesce(func.sum(column), 0).label(column.name) for column in _COUNTED),
    func.coalesce(func.sum(ledger_entry.c.cost), NOTHING).label("cost"),
    func.coalesce(func.sum(ledger_entry.c.calls).filter(ledger_entry.c.cost.is_(None)), 0).label("unpriced_calls"),
)
"""Sums over entries: the fields of Usage, in their order."""

_OF_STEP = select(*USAGE).where(
    ledger_entry.c.job_id == bindparam("job_id", type_=Uuid), ledger_entry.c.step == bindparam("step", type_=Text)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`cost` is None for a model without a known price."""

    model: str
    usage: TokenUsage
    cost: Decimal | None


async def enter(
    connection: AsyncConnection,
    claim: Claim,
    step: str,
    *,
    epoch: int,
    call: Call,
    at: datetime,
    uncertain: bool = False,
) -> None:
    """Enter one call of `epoch`, and take its cost out of what the job holds of the project's budget."""
    await connection.execute(
        _ENTER,
        {
            "at": at,
            "user_id": claim.user_id,
            "job_id": claim.job_id,
            "step": step,
            "epoch": epoch,
            "model": call.model,
            "prompt_tokens": call.usage.prompt_tokens,
            "cached_prompt_tokens": call.usage.cached_prompt_tokens,
            "completion_tokens": call.usage.completion_tokens,
            "cost": call.cost,
            "estimated": call.usage.estimated,
            "uncertain": uncertain,
        },
    )
    if call.cost:
        await connection.execute(_SETTLE, {"job_id": claim.job_id, "cost": call.cost})


async def reverse_uncertain(connection: AsyncConnection, claim: Claim, step: str, *, at: datetime) -> None:
    """What a later owner had to assume of this claim's call turns out to be known after all."""
    await connection.execute(_REVERSE, {"at": at, "job_id": claim.job_id, "step": step, "epoch": claim.epoch})


async def usage_of_step(connection: AsyncConnection, job_id: UUID, step: str) -> Usage:
    return to_value(Usage, (await connection.execute(_OF_STEP, {"job_id": job_id, "step": step})).one())
