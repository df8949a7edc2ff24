"""Which findings a revision answers when no author chooses them."""

from collections.abc import Sequence

from domain.assessing.assessment import Finding, FindingSeverity

MOST_FINDINGS = 8

_ORDER = (FindingSeverity.BLOCKING, FindingSeverity.MAJOR, FindingSeverity.MINOR)


def worth_revising(findings: Sequence[Finding], *, limit: int = MOST_FINDINGS) -> list[Finding]:
    """At most `limit`, the severest first: minor ones only with a quote, and never notes or what the author has dismissed.

    Of one severity those come first that lie farthest from all that were chosen before, so that a revision is spread over the text
    instead of wearing out one page; what is missing from the text lies nowhere and comes before them. The same for the same findings.
    """
    chosen: list[Finding] = []
    for severity in _ORDER:
        waiting = [each for each in findings if _could_be_revised(each) and each.issue.severity is severity]
        waiting.sort(key=_reading_order)
        while waiting and len(chosen) < limit:
            farthest = max(waiting, key=lambda each: _distance(each, chosen))  # the first of those that are equally far
            waiting.remove(farthest)
            chosen.append(farthest)
    return chosen


def _could_be_revised(finding: Finding) -> bool:
    return not finding.dismissed and (bool(finding.issue.quote) or finding.issue.severity is not FindingSeverity.MINOR)


def _reading_order(finding: Finding) -> tuple[int, int, int]:
    return (finding.issue.start if finding.issue.start is not None else -1, finding.position, finding.id.int)


def _distance(finding: Finding, chosen: Sequence[Finding]) -> float:
    """To the nearest of those that were chosen, in code points."""
    start = finding.issue.start
    if start is None:
        return float("inf")
    return min((abs(start - each.issue.start) for each in chosen if each.issue.start is not None), default=float("inf"))
