"""Findings that the author has dismissed, and that must not come back when the text is assessed again.

A finding is known by its quote and by the quote that it conflicts with, since offsets change with every version. A judge quotes more
of the same passage one time and less the next, so of its quotes a large part is enough; a metric always quotes alike.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from domain.assessing.assessment import FoundIssue
from domain.assessing.quotes import QuotedText, same_quote

SHARED = 0.6
"""Of the longer quote's code points, which the shorter one must have to be about the same."""

_MARKS = '“”"«»'
_BEAT = re.compile(r"“[^”]+”|\"[^\"]+\"|«[^»]+»")
_NOT_SAID = re.compile(r"[^\w]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dismissed:
    """What is remembered of a dismissed finding. The quotes are "" where it has none; `metric` is None for a judge's finding."""

    quote: str
    conflict_quote: str
    metric: str | None
    message: str

    @classmethod
    def of(cls, issue: FoundIssue) -> Self:
        conflict = issue.conflicts_with.quote if issue.conflicts_with else ""
        return cls(quote=issue.quote, conflict_quote=conflict, metric=issue.metric, message=issue.message)


def without_dismissed(issues: Iterable[FoundIssue], dismissed: Iterable[Dismissed]) -> list[FoundIssue]:
    """The issues, in their order, without those that were dismissed before."""
    known = list(dismissed)
    return [issue for issue in issues if not any(same_finding(Dismissed.of(issue), each) for each in known)]


def same_finding(one: Dismissed, other: Dismissed) -> bool:
    """Whether both say the same of the same place: by the same metric, or both by a judge."""
    if one.metric != other.metric or not _agree(one.conflict_quote, other.conflict_quote, judged=one.metric is None):
        return False
    if one.quote.strip() or other.quote.strip():
        return _agree(one.quote, other.quote, judged=one.metric is None)
    return _same_message(one.message, other.message)


def _agree(one: str, other: str, *, judged: bool) -> bool:
    if same_quote(one, other):
        return True
    if not (judged and one.strip() and other.strip()):
        return False
    shorter, longer = sorted((one.strip(), other.strip()), key=len)
    place = QuotedText(longer).find(shorter)
    return place is not None and place.end - place.start >= SHARED * len(longer)


def _same_message(one: str, other: str) -> bool:
    """Of what is missing there is no quote; it is known by the beat that the message quotes first, or else by the message's words."""
    beat, other_beat = _BEAT.search(one), _BEAT.search(other)
    if beat and other_beat:
        return same_quote(beat[0].strip(_MARKS), other_beat[0].strip(_MARKS))
    return _words(one) == _words(other)


def _words(message: str) -> str:
    return _NOT_SAID.sub(" ", message).strip().casefold()
