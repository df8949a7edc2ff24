"""How figures are printed: never one number alone."""

from collections.abc import Sequence
from statistics import median


def row(name: str, seconds: Sequence[float], *, limit: float | None = None) -> str:
    """Milliseconds: minimum, median, maximum of a series, and the limit its median is held against."""
    low, middle, high = (1000 * value for value in (min(seconds), median(seconds), max(seconds)))
    verdict = "" if limit is None else f"   limit of the median {1000 * limit:.0f}: {'met' if middle <= 1000 * limit else 'MISSED'}"
    return f"  {name:<52} {low:>8.1f} {middle:>8.1f} {high:>8.1f}  (n={len(seconds)}){verdict}"


HEADING = f"  {'milliseconds':<52} {'min':>8} {'median':>8} {'max':>8}"
