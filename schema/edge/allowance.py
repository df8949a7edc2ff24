"""How much each client may use in a while: a bucket of points per viewer, in this process."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil, floor
from typing import Final

from schema.edge.errors import ErrorCode, RequestError

_POLICY: Final = '"cost"'
_UNIT: Final = '"points"'
# What sums of fractions may be wrong by: whoever has waited as long as they were told is not refused for it.
_ROUNDING: Final = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is left of a bucket of `limit` points, which an empty one has again after `window_seconds`, and this one after `reset_seconds`.

    Whole numbers, rounded so that nobody who relies on them is refused.
    """

    limit: int
    window_seconds: int
    remaining: int
    reset_seconds: int


class AllowanceSpent(RequestError):  # noqa: N818 - a refusal is an answer, not a malfunction
    """`retry_after` is in how many seconds the same operation would be let through, if nothing else is asked for until then."""

    def __init__(self, standing: Standing, retry_after: int) -> None:
        seconds = "1 second" if retry_after == 1 else f"{retry_after} seconds"
        super().__init__(ErrorCode.RATE_LIMITED, f"Too much was asked for in a short time. Try again in {seconds}.")
        self.standing = standing
        self.retry_after = retry_after


class Allowances:
    """A bucket of `points` for each key, such as a viewer's id or an anonymous client's address; it fills by `refill_per_second`.

    Each process has its own, so that a client of several has as many times as much; and a new process begins with full ones.
    A full bucket takes no memory. Of more than `most_viewers` others the one used longest ago is forgotten, which fills it; most often it
    is full by then.
    """

    def __init__(self, *, points: int, refill_per_second: float, now: Callable[[], float], most_viewers: int) -> None:
        """`now` is monotonic, in seconds. `points` and `refill_per_second` are above 0."""
        self._points = points
        self._refill = refill_per_second
        self._now = now
        self._most_viewers = most_viewers
        # What was in each bucket, and when.
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str, cost: int) -> Standing:
        """Raises: AllowanceSpent, and then nothing is taken.

        What costs more than a whole bucket is let through by a full one, which then owes the rest.
        """
        level = self._level(key)
        missing = min(cost, self._points) - level
        if missing > _ROUNDING:
            raise AllowanceSpent(self._standing(level), self._seconds(missing))
        return self._keep(key, level - cost)

    def give_back(self, key: str, points: int) -> Standing:
        """What was taken and not used. Below 0: what was used and had not been taken, and is owed from now on."""
        return self._keep(key, min(self._level(key) + points, self._points))

    def standing(self, key: str) -> Standing:
        return self._standing(self._level(key))

    def _level(self, key: str) -> float:
        level, at = self._buckets.get(key, (float(self._points), self._now()))
        return min(level + (self._now() - at) * self._refill, float(self._points))

    def _keep(self, key: str, level: float) -> Standing:
        self._buckets.pop(key, None)
        if level < self._points:
            self._buckets[key] = (level, self._now())
        if len(self._buckets) > self._most_viewers:
            self._buckets.popitem(last=False)
        return self._standing(level)

    def _standing(self, level: float) -> Standing:
        return Standing(
            limit=self._points,
            window_seconds=max(self._seconds(self._points), 1),
            remaining=max(floor(level + _ROUNDING), 0),
            reset_seconds=self._seconds(self._points - level),
        )

    def _seconds(self, points: float) -> int:
        return max(ceil((points - _ROUNDING) / self._refill), 0)


def rate_limit_headers(standing: Standing) -> dict[str, str]:
    """The fields of draft-ietf-httpapi-ratelimit-headers as it is now, and those of its earlier versions, which more clients know."""
    return {
        "RateLimit-Policy": f"{_POLICY};q={standing.limit};qu={_UNIT};w={standing.window_seconds}",
        "RateLimit": f"{_POLICY};r={standing.remaining};t={standing.reset_seconds}",
        "RateLimit-Limit": str(standing.limit),
        "RateLimit-Remaining": str(standing.remaining),
        "RateLimit-Reset": str(standing.reset_seconds),
    }


def cost_report(*, requested: int, used: int, limit: int, standing: Standing | None, at: datetime) -> Mapping[str, object]:
    """The `extensions.cost` of an answer given at `at`.

    `requested` was estimated before the operation and `used` counted during it; one operation can request `limit`. `allowance` is what the
    client has in a full bucket, `remaining` what is left in it, and `resetAt` the second by which it is full again; null where nothing is limited.
    """
    report: dict[str, object] = {
        "requested": requested,
        "used": used,
        "limit": limit,
        "allowance": None,
        "remaining": None,
        "resetAt": None,
    }
    if standing:
        reset_at = at.astimezone(UTC) + timedelta(seconds=standing.reset_seconds, microseconds=999_999)
        report |= {
            "allowance": standing.limit,
            "remaining": standing.remaining,
            "resetAt": reset_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        }
    return report
