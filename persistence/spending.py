"""What was spent: sums over the ledger of paid calls."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Date, Select, Uuid, and_, bindparam, cast, func, or_, select, tuple_

from domain.access import Role
from domain.errors import NotFound
from domain.spending import Allowance, Budget, Usage, UsageReport
from persistence import funds
from persistence.connection import Connection
from persistence.ledger import USAGE
from persistence.membership import ACTING_USER, accessible
from persistence.projection import any_of, to_value
from persistence.tables.jobs import ledger_entry
from persistence.tables.metadata import TIMESTAMP

_DAY = cast(func.timezone("UTC", ledger_entry.c.at), Date)
_DAY_AND_MODEL, _MODEL = 0b11, 0b01
"""What `grouping(day, model)` answers where both, or the model, are left out of a sum."""

_SEEN = accessible(ledger_entry.c.project_id)
_SINCE, _UNTIL = bindparam("since", type_=TIMESTAMP), bindparam("until", type_=TIMESTAMP)
_IN_PERIOD = and_(or_(_SINCE.is_(None), ledger_entry.c.at >= _SINCE), or_(_UNTIL.is_(None), ledger_entry.c.at < _UNTIL))
_MAY_SPEND = select(accessible(bindparam("project_id", type_=Uuid), minimum=Role.EDITOR))
_EMPTY = UsageReport(total=Usage(), by_day=(), by_model=())


def _summed(key: Column[UUID], *conditions: ColumnElement[bool]) -> Select[Any]:
    """Totals, days and models in one pass over the entries."""
    day, model = _DAY.label("day"), ledger_entry.c.model.label("model")
    return (
        select(key, func.grouping(_DAY, ledger_entry.c.model), day, model, *USAGE)
        .where(*conditions, _IN_PERIOD)
        .group_by(func.grouping_sets(tuple_(key), tuple_(key, _DAY), tuple_(key, ledger_entry.c.model)))
        .order_by(day, model)
    )


_OF_PROJECTS = _summed(ledger_entry.c.project_id, any_of(ledger_entry.c.project_id, "ids"), _SEEN)
_OF_USER = _summed(ledger_entry.c.user_id, ledger_entry.c.user_id == ACTING_USER)
_OF_JOBS = (
    select(ledger_entry.c.job_id, *USAGE)
    .where(any_of(ledger_entry.c.job_id, "ids"), or_(ledger_entry.c.user_id == ACTING_USER, _SEEN))
    .group_by(ledger_entry.c.job_id)
)


class SpendingRecords:
    def __init__(self, connection: Connection, user_id: UUID) -> None:
        self._connection = connection
        self._user_id = user_id

    async def report_of_projects(
        self, project_ids: Sequence[UUID], *, since: datetime | None, until: datetime | None
    ) -> Mapping[UUID, UsageReport]:
        """`since` is included, `until` is not."""
        reports = await self._reports(_OF_PROJECTS, ids=project_ids, since=since, until=until)
        return {project_id: reports.get(project_id, _EMPTY) for project_id in project_ids}

    async def report_of_user(self, *, since: datetime | None, until: datetime | None) -> UsageReport:
        return (await self._reports(_OF_USER, since=since, until=until)).get(self._user_id, _EMPTY)

    async def of_jobs(self, job_ids: Sequence[UUID]) -> Mapping[UUID, Usage]:
        rows = await self._connection.execute(_OF_JOBS, {"ids": job_ids, "acting_user": self._user_id})
        used = {job_id: to_value(Usage, sums) for job_id, *sums in rows}
        return {job_id: used.get(job_id, Usage()) for job_id in job_ids}

    async def allowances(self, project_id: UUID, *, monthly_limit: Decimal | None) -> Sequence[Allowance]:
        """Raises NotFound when the user may not spend here."""
        if not await self._connection.scalar(_MAY_SPEND, {"project_id": project_id, "acting_user": self._user_id}):
            raise NotFound(project_id)
        await funds.lock(self._connection, user_id=self._user_id, project_id=project_id)
        return await funds.allowances(self._connection, user_id=self._user_id, project_id=project_id, monthly_limit=monthly_limit)

    async def month(self, *, limit: Decimal | None) -> Budget:
        return await funds.of_month(self._connection, self._user_id, limit=limit)

    async def _reports(self, statement: Select[Any], **parameters: object) -> dict[UUID, UsageReport]:
        total: dict[UUID, Usage] = {}
        by_day: dict[UUID, list[tuple[date, Usage]]] = defaultdict(list)
        by_model: dict[UUID, list[tuple[str, Usage]]] = defaultdict(list)
        rows = await self._connection.execute(statement, {**parameters, "acting_user": self._user_id})
        for key, left_out, day, model, *sums in rows:
            if left_out == _DAY_AND_MODEL:
                total[key] = to_value(Usage, sums)
            elif left_out == _MODEL:
                by_day[key].append((day, to_value(Usage, sums)))
            else:
                by_model[key].append((model, to_value(Usage, sums)))
        return {key: UsageReport(total=usage, by_day=tuple(by_day[key]), by_model=tuple(by_model[key])) for key, usage in total.items()}
