"""From metrics and findings to one number, by a formula that a writer can look up.

Every finding costs points by its severity, for each thousand words of the text; a text of fewer words is charged as one of a thousand.
Every metric outside its typical range costs points in proportion to its distance from it, up to a limit, unless it lies where lower or
higher is simply better. The score is 100·exp(-points/100): the first points cost nearly one each, and however many there are, one more
lowers it further. So another finding, or a metric further outside, never raises it.
"""

from collections.abc import Iterable
from math import exp

from domain.assessing.assessment import FindingSeverity, FoundIssue
from domain.assessing.metrics.metric import Better
from domain.assessing.metrics.typical import TypicalRange

POINTS = {FindingSeverity.BLOCKING: 40.0, FindingSeverity.MAJOR: 12.0, FindingSeverity.MINOR: 3.0, FindingSeverity.NOTE: 0.3}
"""Of a finding in a thousand words."""

POINTS_OF_A_WIDTH = 10.0
"""Of a metric that lies as far outside its typical range as the range is wide."""

MOST_POINTS = 12.0
"""Of one metric."""


def score_of(distances: Iterable[float], findings: Iterable[FoundIssue], *, words: int) -> float:
    """0..100. `distances` of the metrics from their typical ranges, in widths of the range, 0 within."""
    outside = sum(min(MOST_POINTS, POINTS_OF_A_WIDTH * distance) for distance in distances)
    found = sum(POINTS[finding.severity] for finding in findings) * 1000 / max(words, 1000)
    return 100 * exp(-(outside + found) / 100)


def distance_outside(value: float, typical: TypicalRange | None, *, better: Better, noise: float) -> float:
    """How far outside its range on the worse side, in widths of it; a range is never taken to be narrower than the metric's noise."""
    if typical is None:
        return 0.0
    distance = typical.distance(value)
    if (distance < 0 and better is Better.LOWER) or (distance > 0 and better is Better.HIGHER):
        return 0.0
    return abs(distance) / max(typical.high - typical.low, noise)
