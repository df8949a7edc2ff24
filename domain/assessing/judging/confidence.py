"""How sure the mean of a few readings is."""

from collections.abc import Sequence
from math import fsum, sqrt
from statistics import stdev

# Student's t for 90 % between both tails (0.95 below), by degrees of freedom from 1 to 30: NIST/SEMATECH e-Handbook of Statistical Methods,
# 1.3.6.7.2. Beyond 30 the last one is used, which is a little too wide.
_T = (
    *(6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812),
    *(1.796, 1.782, 1.771, 1.761, 1.753, 1.746, 1.740, 1.734, 1.729, 1.725),
    *(1.721, 1.717, 1.714, 1.711, 1.708, 1.706, 1.703, 1.701, 1.699, 1.697),
)

LEAST_HALF_WIDTH = 3.0
"""Points. Four readings can agree by chance; that they do says no more than that the judge is steady."""

LONE_HALF_WIDTH = 15.0
"""Points, where there is one reading, which says nothing of how far another would lie from it."""


def mean(readings: Sequence[float]) -> float:
    return fsum(readings) / len(readings)


def half_width(readings: Sequence[float]) -> float:
    """Of the interval around the mean of at least one reading that holds the mean of endlessly many with a confidence of 90 %.

    t times the standard error, s / sqrt(n): Student's interval, which takes the readings for independent and normal. Readings by one
    model share its taste, so this says how far the same judge would come to the same score, not how far other readers would.
    """
    count = len(readings)
    if count < 2:
        return LONE_HALF_WIDTH
    return max(LEAST_HALF_WIDTH, _T[min(count - 1, len(_T)) - 1] * stdev(readings) / sqrt(count))
