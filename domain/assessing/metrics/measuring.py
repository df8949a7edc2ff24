"""Measuring a text: every metric, what each of them points at, and the score that they come to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import fmean, stdev

from domain.assessing.assessment import FindingSeverity, FoundIssue, Measurement, ProseMetric
from domain.assessing.metrics.metric import Measured, Metric
from domain.assessing.metrics.pointing import MOST_FINDINGS
from domain.assessing.metrics.prose_metrics import PROSE_METRICS
from domain.assessing.metrics.reading import Reading
from domain.assessing.metrics.scoring import distance_outside, score_of
from domain.assessing.metrics.story import STORY_METRICS
from domain.assessing.metrics.typical import TypicalRange, typical_ranges
from domain.prompting.material import PromptMaterial

METRICS: tuple[Metric, ...] = (*PROSE_METRICS, *STORY_METRICS)

AcceptedChapter = Mapping[str, float]
"""The values of the metrics of one of the author's own accepted chapters, by name."""

CLEARLY_OUTSIDE = 0.5
"""In widths of the typical range: from here on the first of a metric's findings are more than notes."""

RAISED_BY_A_WIDTH = 6
"""So many for each width that the metric lies outside."""

FEWEST_ACCEPTED = 3


def measure(text: str, material: PromptMaterial, *, accepted: Sequence[AcceptedChapter] = ()) -> Measurement:
    """What can be said of `text` as the text of `material.chapter`, without a model. CPU-bound: off the event loop.

    With three accepted chapters or more, each metric also says how far the text lies from them. A text without words scores 0.
    """
    reading = Reading(text, language=material.project.language)
    ranges = typical_ranges() if reading.english else {}
    metrics: list[ProseMetric] = []
    findings: list[FoundIssue] = []
    distances: list[float] = []
    missing: list[Metric] = []
    for metric in METRICS:
        measured = metric.take(reading, material) if reading.words and metric.applies_to(reading) else None
        if measured is None:
            missing.append(metric)
            continue
        typical = ranges.get(metric.name)
        distance = distance_outside(measured.value, typical, better=metric.better, noise=metric.noise)
        metrics.append(_prose_metric(metric, measured.value, typical, accepted))
        findings.extend(_findings(metric, measured, distance))
        distances.append(distance)
    return Measurement(
        metrics=tuple(metrics),
        findings=tuple(findings),
        score=score_of(distances, findings, words=len(reading.words)) if reading.words else 0.0,
        notes=tuple(_notes(reading, missing)),
    )


def _prose_metric(metric: Metric, value: float, typical: TypicalRange | None, accepted: Sequence[AcceptedChapter]) -> ProseMetric:
    return ProseMetric(
        name=metric.name,
        value=value,
        unit=metric.unit,
        description=metric.description,
        typical_low=typical.low if typical else None,
        typical_high=typical.high if typical else None,
        typical_source=typical.source if typical else None,
        z_score=_z_score(value, [chapter[metric.name] for chapter in accepted if metric.name in chapter], noise=metric.noise),
    )


def _z_score(value: float, own: Sequence[float], *, noise: float) -> float | None:
    """The deviation is taken to be at least the metric's noise: three chapters may happen to be alike."""
    if len(own) < FEWEST_ACCEPTED:
        return None
    return (value - fmean(own)) / max(stdev(own), noise)


def _findings(metric: Metric, measured: Measured, distance: float) -> Iterator[FoundIssue]:
    """Where the whole text is clearly off, the most telling places are more than notes."""
    raised = round(RAISED_BY_A_WIDTH * distance) if distance >= CLEARLY_OUTSIDE else 0
    for index, finding in enumerate(measured.findings[:MOST_FINDINGS]):
        weightier = index < raised and finding.severity is FindingSeverity.NOTE
        yield replace(finding, metric=metric.name, severity=FindingSeverity.MINOR if weightier else finding.severity)


def _notes(reading: Reading, missing: Sequence[Metric]) -> Iterator[str]:
    if not reading.words:
        yield "There is nothing to measure: the text has no words."
        return
    if not reading.english:
        yield "Only what can be measured in any language was measured: the word lists and the typical ranges are made for English."
    if not reading.spaced:
        yield "What is counted by words was not measured: this text is written without spaces between them."
    too_short = [metric.name for metric in missing if metric in PROSE_METRICS and metric.applies_to(reading)]
    if too_short:
        yield f"This text has too little of what these metrics count: {', '.join(too_short)}."
