"""How figures are printed: never one number alone."""

from collections.abc import Sequence
from math import ceil
from statistics import median


def row(name: str, seconds: Sequence[float], *, limit: float | None = None, limit_95: float | None = None) -> str:
    """Milliseconds: minimum, median, 95th percentile, maximum of a series, and the limits its median and percentile are held against."""
    figures = min(seconds), median(seconds), sorted(seconds)[ceil(0.95 * len(seconds)) - 1], max(seconds)
    held = (("median", figures[1], limit), ("p95", figures[2], limit_95))
    verdicts = [f"   limit of the {what} {1000 * most:.0f}: {_verdict(value, most)}" for what, value, most in held if most is not None]
    return f"  {name:<52} {''.join(f'{1000 * value:>9.1f}' for value in figures)}  (n={len(seconds)}){''.join(verdicts)}"


def _verdict(value: float, most: float) -> str:
    return "met" if value <= most else "MISSED"


HEADING = f"  {'milliseconds':<52} {'min':>9}{'median':>9}{'p95':>9}{'max':>9}"
