"""What changed between two texts, with enough around it to be read: paragraphs, and their neighbours."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domain.writing.comparison import DiffHunk, DiffOperation, diff

CONTEXT_CHARACTERS = 800
"""So much before and after a change, if the paragraph next to it is longer."""

NEIGHBOURS = 2
"""Borders of paragraphs to go back or forth: the rest of the changed paragraph, and one whole paragraph more."""

WHOLE_SHARE = 0.7
"""When the windows hold so much of the longer text, the texts are shown whole: two readings of most of it cost what two of all do."""

_BORDER = re.compile(r"\n[ \t]*\n\s*")
GAP = "\n\n[…]\n\n"


@dataclass(frozen=True, slots=True)
class Window:
    """Code points `old_start` to `old_end` of the old text, and what stands in their place in the new one."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


def changed_passages(old: str, new: str) -> tuple[str, str] | None:
    """What to show of each text; both whole, when nearly everything changed, and None when nothing did."""
    windows = list(_joined(_windows(diff(old, new))))
    if not windows:
        return None
    shown = max(sum(each.old_end - each.old_start for each in windows), sum(each.new_end - each.new_start for each in windows))
    if shown >= WHOLE_SHARE * max(len(old), len(new)):
        return old, new
    return (
        _laid_out(old, [(each.old_start, each.old_end) for each in windows]),
        _laid_out(new, [(each.new_start, each.new_end) for each in windows]),
    )


def _laid_out(text: str, spans: Sequence[tuple[int, int]]) -> str:
    shown = GAP.join(text[start:end].strip("\n") for start, end in spans)
    before = GAP.lstrip("\n") if spans[0][0] > 0 else ""
    behind = GAP.rstrip("\n") if spans[-1][1] < len(text) else ""
    return f"{before}{shown}{behind}"


def _windows(hunks: Sequence[DiffHunk]) -> Iterator[Window]:
    """One for each run of changes, in both texts with the same words around it."""
    old_at, new_at = 0, 0
    index = 0
    while index < len(hunks):
        if hunks[index].operation is DiffOperation.EQUAL:
            old_at, new_at = old_at + len(hunks[index].text), new_at + len(hunks[index].text)
            index += 1
            continue
        before = _length_before(hunks[index - 1].text) if index else 0
        old_start, new_start = old_at - before, new_at - before
        while index < len(hunks) and hunks[index].operation is not DiffOperation.EQUAL:
            length = len(hunks[index].text)
            if hunks[index].operation is DiffOperation.DELETE:
                old_at += length
            else:
                new_at += length
            index += 1
        behind = _length_behind(hunks[index].text) if index < len(hunks) else 0
        yield Window(old_start, old_at + behind, new_start, new_at + behind)


def _joined(windows: Iterator[Window]) -> Iterator[Window]:
    """Windows that touch are one: what lies between them is the same in both texts."""
    last: Window | None = None
    for window in windows:
        if last and window.old_start <= last.old_end:
            last = Window(last.old_start, window.old_end, last.new_start, window.new_end)
            continue
        if last:
            yield last
        last = window
    if last:
        yield last


def _length_before(same: str) -> int:
    """How much of the same words to show before a change that follows them."""
    borders = [match.end() for match in _BORDER.finditer(same)]
    start = borders[-NEIGHBOURS] if len(borders) >= NEIGHBOURS else 0
    return min(len(same) - start, CONTEXT_CHARACTERS)


def _length_behind(same: str) -> int:
    """How much of the same words to show behind a change that they follow."""
    borders = [match.start() for match in _BORDER.finditer(same)]
    end = borders[NEIGHBOURS - 1] if len(borders) >= NEIGHBOURS else len(same)
    return min(end, CONTEXT_CHARACTERS)
