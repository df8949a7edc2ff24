"""Whether a revision is kept: it may make nothing worse that can be measured, bring no new blocking finding, and not read worse."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from domain.assessing.assessment import FindingSeverity, FoundIssue, Measurement, ProseMetric
from domain.assessing.dismissals import Dismissed, same_finding
from domain.assessing.metrics.metric import Better, Metric
from domain.assessing.preference import Preference

CHAPTER_WORDS = 2_000
"""The length of text that a metric's noise is meant for."""
FEWEST_WORDS = 50


@dataclass(frozen=True, slots=True)
class Acceptance:
    """`reasons` are sentences for the author, and empty if the revision is kept."""

    kept: bool
    reasons: tuple[str, ...]


def judge_revision(
    before: Measurement,
    after: Measurement,
    metrics: Mapping[str, Metric],
    new_blocking: Sequence[FoundIssue],
    preference: Preference,
    *,
    words: int,
) -> Acceptance:
    """Whether the revised text may become the current one.

    `metrics` are those that have a say, by name; `new_blocking` what a judge holds against the new text and did not hold against the old
    one (see `newly_blocking`), to which those of the measurements are added; `words` the length of the shorter text.
    """
    found = [*new_blocking, *newly_blocking(before.findings, after.findings)]
    reasons = [
        *_worsened(before, after, metrics, words),
        *dict.fromkeys(f"Something new stands in the way: {issue.message}" for issue in found),
    ]
    if preference is Preference.WORSE:
        reasons.append("Read side by side, the text reads worse than before.")
    return Acceptance(not reasons, tuple(reasons))


def newly_blocking(before: Iterable[FoundIssue], after: Iterable[FoundIssue]) -> list[FoundIssue]:
    """The blocking findings of the new text that the old one did not have, whatever their severity was there."""
    known = [Dismissed.of(issue) for issue in before]
    return [
        issue
        for issue in after
        if issue.severity is FindingSeverity.BLOCKING and not any(same_finding(Dismissed.of(issue), each) for each in known)
    ]


def noise_of(metric: Metric, words: int) -> float:
    """How far the metric moves without the text having changed in this respect.

    `noise * max(1, CHAPTER_WORDS / words)`: most metrics are rates, so that one place more weighs the more, the shorter the text. The noise
    of a chapter is a few places, and as many places are noise in a shorter text. One of fewer than FEWEST_WORDS counts as one of so many. Metrics that count places have
    the same noise in any text.
    """
    if metric.is_count:
        return metric.noise
    return metric.noise * max(1.0, CHAPTER_WORDS / max(words, FEWEST_WORDS))


def _worsened(before: Measurement, after: Measurement, metrics: Mapping[str, Metric], words: int) -> Iterator[str]:
    values_before = {each.name: each for each in before.metrics}
    for now in after.metrics:
        was, metric = values_before.get(now.name), metrics.get(now.name)
        if was is not None and metric is not None and _worsening(was, now, metric) > noise_of(metric, words) + 1e-9:
            yield _told(was, now, metric)


def _worsening(was: ProseMetric, now: ProseMetric, metric: Metric) -> float:
    """In the metric's unit: above 0 if the text has got worse."""
    match metric.better:
        case Better.LOWER:
            return now.value - was.value
        case Better.HIGHER:
            return was.value - now.value
        case Better.TYPICAL:
            return _distance(now.value, now) - _distance(was.value, now)


def _distance(value: float, typical: ProseMetric) -> float:
    """From the typical range; 0 within it, or where nothing is typical."""
    low, high = typical.typical_low, typical.typical_high
    below = low - value if low is not None else 0.0
    above = value - high if high is not None else 0.0
    return max(0.0, below, above)


def _told(was: ProseMetric, now: ProseMetric, metric: Metric) -> str:
    value, old = _numbers(now.value, was.value)
    what = f"{_label(metric.name)} than before: {value} {metric.unit}".rstrip() + f", it was {old}"
    match metric.better:
        case Better.LOWER:
            return f"More {what}."
        case Better.HIGHER:
            return f"Less {what}."
        case Better.TYPICAL:
            return f"Farther from what is typical in {what}; typical is {_range(now)}."


def _range(metric: ProseMetric) -> str:
    low, high = metric.typical_low, metric.typical_high
    if low is None or high is None:
        return f"at least {_number(low, 2)}" if low is not None else f"at most {_number(high or 0.0, 2)}"
    return f"{_number(low, 2)} to {_number(high, 2)}"


def _numbers(one: float, other: float) -> tuple[str, str]:
    """Both with as many decimals as it takes to see that they differ."""
    for decimals in (1, 2, 3, 4):
        texts = _number(one, decimals), _number(other, decimals)
        if texts[0] != texts[1]:
            return texts
    return str(one), str(other)


def _number(value: float, decimals: int) -> str:
    return f"{value:,.{decimals}f}".rstrip("0").rstrip(".")


def _label(name: str) -> str:
    """A metric's name as words: adverbTags and adverb_tags are adverb tags."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_\-]+", " ", name).lower()
