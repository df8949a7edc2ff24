"""What operations cost: estimated and taken from the client's allowance before they are executed, settled behind them.

Whoever leaves, or takes longer than there is time, is not settled with: nobody knows what that has used, and it should not be cheap.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from schema.edge.allowance import Allowances, Standing, cost_report
from schema.edge.cost.model import refuse_if_too_costly


@dataclass(frozen=True, slots=True)
class Charge:
    """Points that were taken of this client's allowance."""

    client: str
    requested: int


@dataclass(frozen=True, slots=True)
class Settled:
    """`report` is for `extensions.cost`; `standing` None where nothing is limited."""

    report: Mapping[str, object]
    standing: Standing | None


class Meter:
    """`limit` is what one operation may cost; without `allowances` clients may ask as often as they like."""

    def __init__(self, *, limit: int, allowances: Allowances | None, now: Callable[[], datetime]) -> None:
        self._limit = limit
        self._allowances = allowances
        self._now = now

    def charge(self, client: str, requested: int) -> Charge:
        """Raises: RequestError QUERY_TOO_COMPLEX; AllowanceSpent. Then nothing is charged."""
        refuse_if_too_costly(requested, self._limit)
        if self._allowances is not None:
            self._allowances.take(client, requested)
        return Charge(client, requested)

    def pay(self, client: str, points: int) -> None:
        """For what is done before an operation is known. Raises: AllowanceSpent."""
        if self._allowances is not None:
            self._allowances.take(client, points)

    def settle(self, charge: Charge, *, used: int) -> Settled:
        standing = self.give_back(charge.client, charge.requested - used)
        return Settled(cost_report(requested=charge.requested, used=used, limit=self._limit, standing=standing, at=self._now()), standing)

    def give_back(self, client: str, points: int) -> Standing | None:
        """What was charged and not used; below 0, what was used and is owed. None where nothing is limited."""
        return None if self._allowances is None else self._allowances.give_back(client, points)
