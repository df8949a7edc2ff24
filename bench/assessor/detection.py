"""Whether the metrics find what was damaged, and where."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bench.assessor.damage import Damaged
from domain.assessing.assessment import FindingSeverity, FoundIssue, Measurement
from domain.prompting.material import PromptMaterial

Measure = Callable[[str, PromptMaterial], Measurement]
MISSING = {"a scene cut": ("briefCoverage", "lengthAgainstTarget"), "an unmet brief beat": ("briefCoverage",)}
"""The metrics that may say that something is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """`by`: the metrics with a finding at the damaged place that the original does not have; `noted_by`: those with a note there."""

    damaged: Damaged
    by: tuple[str, ...]
    noted_by: tuple[str, ...]
    is_lower: bool


def detect(damaged: Damaged, measure: Measure, original: Measurement) -> Detection:
    measured = measure(damaged.text, damaged.material)
    known = {_key(issue) for issue in original.findings}
    new = [issue for issue in measured.findings if _key(issue) not in known and _is_there(issue, damaged)]
    notes = [issue for issue in new if issue.severity is FindingSeverity.NOTE]
    return Detection(
        damaged=damaged,
        by=_metrics(issue for issue in new if issue.severity is not FindingSeverity.NOTE),
        noted_by=_metrics(notes),
        is_lower=measured.score < original.score,
    )


def _metrics(issues: Iterable[FoundIssue]) -> tuple[str, ...]:
    return tuple(sorted({issue.metric or "" for issue in issues}))


def _key(issue: FoundIssue) -> tuple[str | None, str, str]:
    """The same for a finding of the original whose passage goes on differently in the damaged chapter."""
    return issue.metric, issue.quote[:60], "" if issue.quote else issue.message


def findings(measured: Measurement) -> Sequence[FoundIssue]:
    return [issue for issue in measured.findings if issue.severity is not FindingSeverity.NOTE]


def _is_there(issue: FoundIssue, damaged: Damaged) -> bool:
    if damaged.kind in MISSING:
        return issue.metric in MISSING[damaged.kind] and (damaged.beat is None or damaged.beat[:40] in issue.message)
    if issue.start is None or issue.end is None:
        return False
    return any(issue.start < place.end and place.start < issue.end for place in damaged.places)
