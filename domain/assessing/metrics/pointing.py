"""How a metric points at a place: a finding that quotes the text between its own offsets."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from domain.assessing.assessment import FindingCategory, FindingSeverity, FoundIssue
from domain.assessing.metrics.reading import Reading, Sentence
from domain.assessing.quotes import Place

MOST_FINDINGS = 20
"""Of one metric: more than a writer goes through at once."""

LONGEST_QUOTE = 1_200
"""In characters. A longer passage is quoted from its beginning."""

_GRAVITY = {severity: rank for rank, severity in enumerate(FindingSeverity)}


def point(
    reading: Reading,
    start: int,
    end: int,
    *,
    message: str,
    suggestion: str,
    category: FindingCategory = FindingCategory.PROSE,
    severity: FindingSeverity = FindingSeverity.NOTE,
    replacement: str | None = None,
) -> FoundIssue:
    """At the code points from `start` to before `end`; of a long passage at its beginning.

    A note, unless the place is bad by itself: `measure` makes more of it where the whole text is off.
    """
    issue = FoundIssue(category=category, severity=severity, message=message, suggestion=suggestion, replacement=replacement)
    return found(reading, Place(start, end), issue)


def found(reading: Reading, place: Place, issue: FoundIssue) -> FoundIssue:
    """The issue, at this place; of a long passage at its beginning, up to a word's end."""
    place = _shortened(reading.text, place)
    return replace(issue, quote=reading.text[place.start : place.end], start=place.start, end=place.end)


def foremost(findings: Iterable[FoundIssue]) -> tuple[FoundIssue, ...]:
    """As many as may be shown, the gravest first, and those in reading order."""
    return tuple(
        sorted(findings, key=lambda issue: (_GRAVITY[issue.severity], issue.start or 0, issue.end or 0, issue.message))[:MOST_FINDINGS]
    )


def words_place(reading: Reading, first: int, last: int) -> Place:
    """From the word `first` to before the word `last`."""
    return Place(*span(reading, first, last))


def span(reading: Reading, first: int, last: int) -> tuple[int, int]:
    """Where the words from `first` to before `last` stand; at least one."""
    return reading.starts[first], reading.ends[last - 1]


def stretch(sentences: Sequence[Sentence]) -> tuple[int, int]:
    """From the first sentence's beginning to the last one's end."""
    return sentences[0].start, sentences[-1].end


def closest_first(places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Places in reading order, sorted by how soon they come after the one before: where a habit is thick, it is noticed."""
    gaps = [math.inf, *(later[0] - earlier[0] for earlier, later in pairwise(places))]
    return [place for _, place in sorted(zip(gaps, places, strict=False))]


def per_thousand(count: float, words: int) -> float:
    """Of `words`, which are more than none."""
    return 1000 * count / words


def _shortened(text: str, place: Place) -> Place:
    if place.end - place.start <= LONGEST_QUOTE:
        return place
    reach = place.start + LONGEST_QUOTE
    ends = [at for at in (text.rfind(mark, place.start + 1, reach) for mark in " \n\t") if at > place.start]
    end = max(ends, default=reach)
    while end > place.start + 1 and text[end - 1].isspace():
        end -= 1
    return Place(place.start, end)
