"""Cutting a chapter into parts that one call can judge: between scenes where it can be, and never leaving anything out."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from domain.prompting.index.passages import Span

MOST_TOKENS = 6_000
"""Of one part: what models still read closely, and most chapters have less."""

# From the border that is best to cut at to the one that is worst; the cut is where the match ends.
_BORDERS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\n\s*(?=(?:(?:[*_#~=–—⁂-][ \t]*)+|#{1,6}[ \t].*)\n)",  # noqa: RUF001  - a line that is a rule or a heading: dashes as typed
        r"\n[ \t]*\n\s*",
        r"\n\s*",
        r"[.!?…][\"'”’»)\]*_]*\s+|[。！？]+[」』”’）]*",  # noqa: RUF001  - full-width marks end sentences too
        r"\s+",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Code points `start` to `end` of the chapter's text; `number` counts from 1 to `of`."""

    number: int
    of: int
    start: int
    end: int


def parts_of(text: str, *, count: Callable[[str], int], most: int = MOST_TOKENS) -> tuple[Part, ...]:
    """Parts of about the same length and at most `most` tokens, in reading order; every code point is in exactly one of them."""
    spans = list(_spans(text, 0, len(text), count, most))
    return tuple(Part(number=number, of=len(spans), start=start, end=end) for number, (start, end) in enumerate(spans, start=1))


def _spans(text: str, start: int, end: int, count: Callable[[str], int], most: int) -> Iterator[Span]:
    tokens = count(text[start:end])
    if tokens <= most or end - start < 2:
        yield start, end
        return
    parts = -(-tokens // most)
    length = (end - start) // parts
    cut = _cut(text, start, end, ideal=start + (parts // 2) * length, slack=max(1, length // 3))
    yield from _spans(text, start, cut, count, most)
    yield from _spans(text, cut, end, count, most)


def _cut(text: str, start: int, end: int, *, ideal: int, slack: int) -> int:
    """The best border within `slack` of the ideal one; of equally good ones the nearest; without any, the ideal place itself."""
    first, last = max(start + 1, ideal - slack), min(end - 1, ideal + slack)
    for border in _BORDERS:
        cuts = [match.end() for match in border.finditer(text, max(start, first - 1), min(end, last + 1))]
        if within := [cut for cut in cuts if first <= cut <= last]:
            return min(within, key=lambda cut: (abs(cut - ideal), cut))
    return min(max(ideal, start + 1), end - 1)
