"""From the findings that were chosen to a plan of local edits."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.assessing.assessment import FindingCategory, FoundIssue
from domain.assessing.quotes import Place
from domain.assessing.revising.passages import Passages
from domain.assessing.revising.plan import ChosenFinding, PlannedEdit, PlannedInsertion, RevisionPlan
from domain.prompting.untrusted import clean

LONGEST_JOINED = 2_000
"""Code points up to which neighbouring sentences are rewritten in one go. Spans that overlap are, whatever their length."""

_CUTTING = re.compile(r"\b(?:cut|delete|remove|drop|omit|strike|leave (?:it|this|them|that) out)\b", re.IGNORECASE)
_ALWAYS_ANSWERED_IN_WORDS = frozenset({FindingCategory.CONTINUITY, FindingCategory.BRIEF, FindingCategory.PLOT, FindingCategory.CHARACTER})


class MisplacedFinding(ValueError):  # noqa: N818  - says what is wrong with what was asked for
    """The text does not hold the finding's quote between its offsets: it was found in another text."""

    def __init__(self, finding_id: UUID) -> None:
        super().__init__(f"The quote of finding {finding_id} is not where it was found.")
        self.finding_id = finding_id


def misplaced(text: str, issues: Sequence[ChosenFinding]) -> tuple[UUID, ...]:
    """The findings that were found in another text. A caller who wants to refuse them asks before planning."""
    return tuple(finding_id for finding_id, issue in issues if issue.quote and not _is_in_place(text, issue))


def plan_revision(text: str, issues: Sequence[ChosenFinding], instructions: str, *, language: str) -> RevisionPlan:
    """What is to be changed in `text` so that these findings, and the author's instructions, are answered.

    A finding's passage is its quote, if there is a replacement for it and no instructions that could ask for something else; otherwise the
    whole sentences of which the quote is a part. Passages that overlap or follow each other become one, which is asked of the model unless
    their replacements agree. Findings without a quote become insertions. Raises MisplacedFinding, a ValueError.
    """
    chosen = tuple(dict(issues).items())
    if wrong := misplaced(text, chosen):
        raise MisplacedFinding(wrong[0])
    instructions = instructions.strip()
    passages = Passages(text, language=language)
    quoted = [finding for finding in chosen if finding[1].quote]
    spans = _joined(text, [_span(finding, passages, instructions=instructions) for finding in quoted], passages.widened)
    return RevisionPlan(
        text=text,
        instructions=instructions,
        language=language,
        edits=tuple(_planned(index, span, text) for index, span in enumerate(spans, start=1)),
        insertions=tuple(
            PlannedInsertion(name=f"I{index}", finding=finding)
            for index, finding in enumerate((finding for finding in chosen if not finding[1].quote), start=1)
        ),
    )


@dataclass(frozen=True, slots=True)
class _Span:
    place: Place
    findings: tuple[ChosenFinding, ...]
    replacement: str | None


def _is_in_place(text: str, issue: FoundIssue) -> bool:
    start, end = issue.start, issue.end
    return start is not None and end is not None and 0 <= start < end <= len(text) and text[start:end] == issue.quote


def _span(finding: ChosenFinding, passages: Passages, *, instructions: str) -> _Span:
    _, issue = finding
    assert issue.start is not None
    assert issue.end is not None
    place = Place(issue.start, issue.end)
    replacement = None if issue.replacement is None or instructions else clean(issue.replacement)
    if replacement is not None and replacement != issue.quote:
        return _Span(place, (finding,), replacement)
    return _Span(passages.widened(place), (finding,), None)


def _joined(text: str, spans: Sequence[_Span], widened: Callable[[Place], Place]) -> list[_Span]:
    """In the order of the text. A join can widen a span to its sentences, and so bring it to the one before, too."""
    joined: list[_Span] = []
    for span in sorted(spans, key=lambda each: (each.place.start, each.place.end)):
        current = span
        while joined and _belong_together(text, joined[-1], current):
            current = _one_of_two(joined.pop(), current, widened)
        joined.append(current)
    return joined


def _belong_together(text: str, one: _Span, other: _Span) -> bool:
    """Whether they overlap or touch, or are asked for and have nothing but a blank between them."""
    if other.place.start <= one.place.end:
        return True
    between = text[one.place.end : other.place.start]
    short = other.place.end - one.place.start <= LONGEST_JOINED
    return one.replacement is None and other.replacement is None and short and between.isspace() and "\n" not in between


def _one_of_two(one: _Span, other: _Span, widened: Callable[[Place], Place]) -> _Span:
    findings = one.findings + other.findings
    place = Place(min(one.place.start, other.place.start), max(one.place.end, other.place.end))
    if one.replacement is not None and other.replacement is not None:
        if one.place == other.place and one.replacement == other.replacement:
            return _Span(place, findings, one.replacement)
        if one.place.end == other.place.start:
            return _Span(place, findings, one.replacement + other.replacement)
    return _Span(widened(place), findings, None)


def _planned(index: int, span: _Span, text: str) -> PlannedEdit:
    return PlannedEdit(
        name=f"E{index}",
        start=span.place.start,
        end=span.place.end,
        findings=span.findings,
        may_delete=all(_asks_to_cut(issue, span.place, text) for _, issue in span.findings),
        replacement=span.replacement,
    )


def _asks_to_cut(issue: FoundIssue, place: Place, text: str) -> bool:
    """Whether to cut the passage is the suggestion; where only a part of it was quoted, only that part is meant."""
    assert issue.start is not None
    assert issue.end is not None
    beside = text[place.start : issue.start] + text[issue.end : place.end]
    if any(map(str.isalnum, beside)) or place == Place(0, len(text)):
        return False
    suggested = issue.category not in _ALWAYS_ANSWERED_IN_WORDS and _CUTTING.search(issue.suggestion) is not None
    return suggested or issue.replacement == ""
