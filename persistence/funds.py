"""What may still be spent, under each limit; and the money that jobs hold of it.

Whoever holds money asks under a lock on the user's and on the project's spending, so that two can never be granted the same dollar. What
a project or a user has spent is the sum of the ledger; what is held is the sum of their jobs' reservations.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, bindparam, func, select, text

from domain.jobs.job import Claim, LeaseLost
from domain.spending import ZERO, Allowance, Budget, Funds, LimitName
from persistence.connection import Connection, Row
from persistence.ledger import NOTHING
from persistence.tables import books, jobs

_LOCK = text("""
    SELECT pg_advisory_xact_lock(hashtextextended('spending of user ' || CAST(CAST(:user_id AS uuid) AS text), 0)),
           pg_advisory_xact_lock(hashtextextended('spending of project ' || CAST(CAST(:project_id AS uuid) AS text), 0))
""")
# Months are those of UTC, as the days of reports are.
_OF_MONTH = text("""
    SELECT (SELECT coalesce(sum(cost), 0) FROM ledger_entry
            WHERE user_id = :user_id AND at >= date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'),
           (SELECT coalesce(sum(reserved), 0) FROM job
            WHERE started_by = :user_id AND status IN ('QUEUED', 'RUNNING', 'WAITING', 'CANCELLING'))
""")
_OF_JOB = text("""
    SELECT started_by, project_id, reserved, cost_limit, (SELECT coalesce(sum(cost), 0) FROM ledger_entry WHERE job_id = job.id) AS spent
    FROM job WHERE id = :job_id AND epoch = :epoch
""")
_HOLD_MORE = text("UPDATE job SET reserved = reserved + :more WHERE id = :job_id AND epoch = :epoch")
_WAITING = text("SELECT id, started_by, project_id FROM job WHERE status = 'WAITING' ORDER BY queued_at, id LIMIT 1000")
_NEEDS = text("""
    SELECT CAST(waiting ->> 'needs' AS numeric) AS needs, cost_limit,
           (SELECT coalesce(sum(cost), 0) FROM ledger_entry WHERE job_id = job.id) AS spent
    FROM job WHERE id = :job_id AND status = 'WAITING'
""")


def select_budgets() -> Select[Any]:
    """Rows of (project id, limit, spent, reserved)."""
    project, entry, job = books.project, jobs.ledger_entry, jobs.job
    spent = select(func.sum(entry.c.cost)).where(entry.c.project_id == project.c.id).scalar_subquery()
    reserved = select(func.sum(job.c.reserved)).where(job.c.project_id == project.c.id).scalar_subquery()
    return select(project.c.id, project.c.budget_limit, func.coalesce(spent, NOTHING), func.coalesce(reserved, NOTHING))


_OF_PROJECT = select_budgets().where(books.project.c.id == bindparam("project_id", type_=Uuid))


@dataclass(frozen=True, slots=True)
class Waiter:
    job_id: UUID
    user_id: UUID
    project_id: UUID


async def lock(connection: Connection, *, user_id: UUID, project_id: UUID) -> None:
    """Nobody else holds money of this user or this project until the transaction ends. Always in this order."""
    await connection.execute(_LOCK, {"user_id": user_id, "project_id": project_id})


async def of_month(connection: Connection, user_id: UUID, *, limit: Decimal | None) -> Budget:
    spent, reserved = (await connection.execute(_OF_MONTH, {"user_id": user_id})).one()
    return Budget(limit=limit, spent=spent, reserved=reserved)


async def allowances(connection: Connection, *, user_id: UUID, project_id: UUID, monthly_limit: Decimal | None) -> Sequence[Allowance]:
    """What the project's budget and the user's month leave, as far as they have limits."""
    found = []
    budget = (await connection.execute(_OF_PROJECT, {"project_id": project_id})).first()
    if budget is not None and budget.budget_limit is not None:
        _, limit, spent, reserved = budget
        found.append(_left(LimitName.BUDGET_LIMIT, Budget(limit=limit, spent=spent, reserved=reserved)))
    if monthly_limit is not None:
        found.append(_left(LimitName.MONTHLY_LIMIT, await of_month(connection, user_id, limit=monthly_limit)))
    return found


async def fund(connection: Connection, claim: Claim, wanted: Decimal, *, monthly_limit: Decimal | None) -> Funds:
    """Nearly always the job holds enough already, and nothing is locked or written. Raises LeaseLost."""
    job = await _job(connection, claim)
    own = [] if job.cost_limit is None else [Allowance(LimitName.COST_LIMIT, job.cost_limit, job.cost_limit - job.spent)]
    wanted_of_others = min([wanted, *(allowance.left for allowance in own)])
    if job.reserved >= wanted_of_others:
        return _granted(wanted, wanted_of_others, own)
    await lock(connection, user_id=job.started_by, project_id=job.project_id)
    job = await _job(connection, claim)
    limits = await allowances(connection, user_id=job.started_by, project_id=job.project_id, monthly_limit=monthly_limit)
    more = max(ZERO, min([wanted_of_others - job.reserved, *(allowance.left for allowance in limits)]))
    if more:
        held = await connection.execute(_HOLD_MORE, {"job_id": claim.job_id, "epoch": claim.epoch, "more": more})
        if held.rowcount == 0:
            raise LeaseLost
    reach = [Allowance(limit.name, limit.limit, job.reserved + limit.left) for limit in limits]
    return _granted(wanted, min(wanted_of_others, job.reserved + more), [*own, *reach])


async def waiters(connection: Connection) -> Sequence[Waiter]:
    """Jobs that wait for money; those that have waited longest come first."""
    return [Waiter(*row) for row in await connection.execute(_WAITING)]


async def needed(connection: Connection, waiter: Waiter, *, monthly_limit: Decimal | None) -> Decimal | None:
    """What the job needs to go on, when its limits allow that by now; the money is held for it until the transaction ends."""
    await lock(connection, user_id=waiter.user_id, project_id=waiter.project_id)
    job = (await connection.execute(_NEEDS, {"job_id": waiter.job_id})).first()
    if job is None:
        return None
    limits = await allowances(connection, user_id=waiter.user_id, project_id=waiter.project_id, monthly_limit=monthly_limit)
    left = [allowance.left for allowance in limits]
    if job.cost_limit is not None:
        left.append(job.cost_limit - job.spent)
    needs: Decimal = job.needs
    return needs if all(needs <= amount for amount in left) else None


async def _job(connection: Connection, claim: Claim) -> Row:
    job = (await connection.execute(_OF_JOB, {"job_id": claim.job_id, "epoch": claim.epoch})).first()
    if job is None:
        raise LeaseLost
    return job


def _granted(wanted: Decimal, granted: Decimal, limits: Sequence[Allowance]) -> Funds:
    granted = max(ZERO, granted)
    return Funds(granted=granted, short_of=min(limits, key=lambda limit: limit.left) if granted < wanted and limits else None)


def _left(name: LimitName, budget: Budget) -> Allowance:
    assert budget.limit is not None
    return Allowance(name, budget.limit, budget.limit - budget.spent - budget.reserved)
