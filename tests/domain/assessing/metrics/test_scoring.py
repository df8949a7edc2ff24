"""The score falls with every finding and every metric that lies outside, and never rises."""

from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.assessing.assessment import FindingCategory, FindingSeverity, FoundIssue
from domain.assessing.metrics.metric import Better
from domain.assessing.metrics.scoring import MOST_POINTS, distance_outside, score_of
from domain.assessing.metrics.typical import TypicalRange

RANGE = TypicalRange(low=10, high=20, source="")
severities = st.sampled_from(FindingSeverity)
distances = st.lists(st.floats(0, 5), max_size=12)


def finding(severity):
    return FoundIssue(category=FindingCategory.PROSE, severity=severity, message="", suggestion="")


def test_nothing_outside_and_nothing_found_is_full_marks():
    assert score_of([0, 0], [], words=3000) == 100


@pytest.mark.parametrize(("severity", "points"), [("BLOCKING", 40), ("MAJOR", 12), ("MINOR", 3), ("NOTE", 0.3)])
def test_a_finding_costs_by_its_severity_in_a_thousand_words(severity, points):
    one = [finding(FindingSeverity(severity))]
    assert score_of([], one, words=1000) == pytest.approx(100 * exp(-points / 100))
    assert score_of([], one, words=4000) == pytest.approx(100 * exp(-points / 400))
    assert score_of([], one, words=10) == score_of([], one, words=1000)


def test_a_metric_costs_by_its_distance_up_to_a_limit():
    assert score_of([0.5], [], words=1000) == pytest.approx(100 * exp(-0.05))
    assert score_of([50], [], words=1000) == score_of([60], [], words=1000) == pytest.approx(100 * exp(-MOST_POINTS / 100))


@given(distances, st.lists(severities, max_size=50), severities, st.integers(0, 200_000))
def test_another_finding_lowers_it(outside, found, another, words):
    before = [finding(severity) for severity in found]
    assert 0 < score_of(outside, [*before, finding(another)], words=words) < score_of(outside, before, words=words) <= 100


@given(st.lists(st.floats(0, 5), min_size=1, max_size=12), st.floats(0, 5), st.lists(severities, max_size=20))
def test_a_metric_further_outside_never_raises_it(outside, further, found):
    findings = [finding(severity) for severity in found]
    assert score_of([outside[0] + further, *outside[1:]], findings, words=1000) <= score_of(outside, findings, words=1000)


@pytest.mark.parametrize(
    ("better", "value", "distance"),
    [
        (Better.TYPICAL, 15, 0),
        (Better.TYPICAL, 10, 0),
        (Better.TYPICAL, 5, 0.5),
        (Better.TYPICAL, 40, 2),
        (Better.LOWER, 5, 0),
        (Better.LOWER, 25, 0.5),
        (Better.HIGHER, 25, 0),
        (Better.HIGHER, 0, 1),
    ],
)
def test_only_the_worse_side_is_outside(better, value, distance):
    assert distance_outside(value, RANGE, better=better, noise=1) == distance


def test_a_range_is_never_narrower_than_the_noise():
    assert distance_outside(25, RANGE, better=Better.TYPICAL, noise=50) == pytest.approx(0.1)


def test_without_a_typical_range_nothing_is_outside():
    assert distance_outside(1000, None, better=Better.LOWER, noise=1) == 0
