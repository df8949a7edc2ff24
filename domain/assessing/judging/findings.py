"""Findings as a judge writes them, and what is left of them when every quote has been looked up."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

from domain.assessing.assessment import FindingCategory, FindingEvidence, FindingSeverity, FoundIssue
from domain.assessing.judging.answer_schema import BRIEF_LABEL, MOST_FINDINGS, TEXT_LABEL
from domain.assessing.judging.concern import Rubric
from domain.assessing.judging.sources import LabelledSource
from domain.assessing.quotes import Place, QuotedText, same_quote
from domain.prompting.receipts import Source, SourceKind
from domain.prompting.untrusted import clean

LONGEST_WORDS = 600
"""Characters of a message or a suggestion: some five lines beside the text."""

LONGEST_QUOTE = 2_000
"""Characters: a page is no evidence of anything in particular."""

LONGEST_REPLACEMENT = 4_000
MOST_READ = 4 * MOST_FINDINGS
"""What comes behind so many findings is not read, but counted as malformed."""

_LABEL = re.compile(r"\W*(S\d{1,4}|TEXT|BRIEF)\b", re.IGNORECASE)
Value = TypeVar("Value", bound=Enum)


class Rejection(Enum):
    MISQUOTED = "misquoted"
    UNSUPPORTED = "unsupported"
    MALFORMED = "malformed"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What findings are held against: the part's text, which begins at `start` of the chapter's, the sources, and the brief."""

    rubric: Rubric
    text: QuotedText
    start: int
    is_whole: bool
    whole: QuotedText
    version_id: UUID | None
    brief: QuotedText
    sources: Mapping[str, LabelledSource]


@dataclass(frozen=True, slots=True)
class _Conflict:
    """`words` are verbatim from the source with this label, for the brief at this place."""

    label: str
    words: str
    place: Place
    evidence: FindingEvidence | None = None


@dataclass(frozen=True, slots=True)
class ReadFinding:
    """`asked` are the brief's words, code points into it, that ask for what is missing."""

    issue: FoundIssue
    asked: Place | None = None


def read_findings(items: Iterable[Any], ground: Ground) -> tuple[tuple[ReadFinding, ...], Counter[Rejection]]:
    """The findings that hold, in the judge's order, and how many do not for which reason."""
    kept: dict[tuple[Any, ...], ReadFinding] = {}
    rejected: Counter[Rejection] = Counter()
    for number, item in enumerate(items):
        read = _read(item, ground) if number < MOST_READ else Rejection.MALFORMED
        if isinstance(read, Rejection):
            rejected[read] += 1
        elif kept.setdefault(key_of(read.issue), read) is not read:
            rejected[Rejection.REPEATED] += 1
    return tuple(kept.values()), rejected


def key_of(issue: FoundIssue) -> tuple[Any, ...]:
    """Findings with the same key say the same: the same place against the same words; without a place, the same message."""
    conflict = issue.conflicts_with
    against = (conflict.source, " ".join(conflict.quote.split()).casefold()) if conflict else None
    place = (issue.start, issue.end) if issue.start is not None else (" ".join(issue.message.split()).casefold(),)
    return (*place, against)


def _read(item: Any, ground: Ground) -> ReadFinding | Rejection:
    if not isinstance(item, dict):
        return Rejection.MALFORMED
    category, severity = _member(item.get("category"), FindingCategory), _member(item.get("severity"), FindingSeverity)
    message = one_line(item.get("message"))
    if category not in ground.rubric.categories or severity is None or not message:
        return Rejection.MALFORMED
    conflict = _conflict(item.get("conflict"), ground)
    if isinstance(conflict, Rejection):
        return conflict
    if conflict is None and category is FindingCategory.CONTINUITY:
        return Rejection.UNSUPPORTED
    return _placed(item, ground, category=category, severity=_bounded(severity, ground.rubric), message=message, conflict=conflict)


def _placed(
    item: Mapping[str, Any],
    ground: Ground,
    *,
    category: FindingCategory,
    severity: FindingSeverity,
    message: str,
    conflict: _Conflict | None,
) -> ReadFinding | Rejection:
    quote = _words(item.get("quote"))
    if len(quote) > LONGEST_QUOTE:
        return Rejection.MISQUOTED
    suggestion = one_line(item.get("suggestion"))
    if not quote:
        return _missing(ground, category, severity, message, suggestion, conflict)
    place = ground.text.find(quote, before=_words(item.get("before"))[-LONGEST_WORDS:], after=_words(item.get("after"))[:LONGEST_WORDS])
    if place is None:
        return Rejection.MISQUOTED
    found = ground.text.text[place.start : place.end]
    if conflict and conflict.label == TEXT_LABEL and same_quote(conflict.words, found):
        return Rejection.UNSUPPORTED  # nothing contradicts itself by being said
    issue = FoundIssue(
        category=category,
        severity=severity,
        message=_with_words(message, conflict),
        suggestion=suggestion,
        quote=found,
        start=ground.start + place.start,
        end=ground.start + place.end,
        conflicts_with=conflict.evidence if conflict else None,
        replacement=_replacement(item.get("replacement"), quote, found),
    )
    return ReadFinding(issue)


def _missing(
    ground: Ground, category: FindingCategory, severity: FindingSeverity, message: str, suggestion: str, conflict: _Conflict | None
) -> ReadFinding | Rejection:
    """What the brief asks for and the text does not do. Of a part alone, only with the brief's own words, since others may do it."""
    if category is not FindingCategory.BRIEF:
        return Rejection.MISQUOTED
    asked = conflict.place if conflict and conflict.label == BRIEF_LABEL else None
    if not ground.is_whole and asked is None:
        return Rejection.UNSUPPORTED
    issue = FoundIssue(category=category, severity=severity, message=_with_words(message, conflict), suggestion=suggestion)
    return ReadFinding(issue, asked)


def _with_words(message: str, conflict: _Conflict | None) -> str:
    """The brief is no entity that a finding could point to, and a text may be no version: their words are told in its message."""
    return bounded(f"{message} [{' '.join(conflict.words.split())}]") if conflict and conflict.evidence is None else message


def _conflict(value: Any, ground: Ground) -> _Conflict | Rejection | None:
    """None where none is claimed; what is claimed must be there, word for word."""
    if not isinstance(value, dict):
        return None
    words = _words(value.get("quote"))
    if not words:
        return None
    label = _LABEL.match(value["source"]) if isinstance(value.get("source"), str) else None
    if label is None or len(words) > LONGEST_QUOTE:
        return Rejection.UNSUPPORTED
    said, source = _said_by(name := label[1].upper(), ground)
    place = said.find(words) if said else None
    if said is None or place is None:
        return Rejection.UNSUPPORTED
    found = said.text[place.start : place.end]
    return _Conflict(name, found, place, FindingEvidence(source, found) if source else None)


def _said_by(label: str, ground: Ground) -> tuple[QuotedText | None, Source | None]:
    """What stands behind a label, and the entity that it is, if it is one."""
    if label == BRIEF_LABEL:
        return ground.brief, None
    if label == TEXT_LABEL:
        return ground.whole, Source(SourceKind.CHAPTER_VERSION, ground.version_id) if ground.version_id else None
    source = ground.sources.get(label)
    return (QuotedText(source.text), source.source) if source else (None, None)


def _bounded(severity: FindingSeverity, rubric: Rubric) -> FindingSeverity:
    """A matter of craft or voice makes no chapter impossible."""
    return FindingSeverity.MAJOR if severity is FindingSeverity.BLOCKING and not rubric.blocking else severity


def _replacement(value: Any, quote: str, found: str) -> str | None:
    if not isinstance(value, str):
        return None
    words = clean(value).strip()
    return None if not words or words in {quote, found.strip()} or len(words) > LONGEST_REPLACEMENT else words


def _member(value: Any, of: type[Value]) -> Value | None:
    name = value.strip().upper() if isinstance(value, str) else ""
    return of.__members__.get(name)


def _words(value: Any) -> str:
    return clean(value).strip() if isinstance(value, str) else ""


def one_line(value: Any) -> str:
    """What is no string says nothing."""
    return bounded(" ".join(clean(value).split())) if isinstance(value, str) else ""


def bounded(words: str) -> str:
    return words if len(words) <= LONGEST_WORDS else f"{words[: LONGEST_WORDS - 1]}…"
