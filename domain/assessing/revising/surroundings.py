"""What a model repeats of the text beside a passage, although it was asked for the passage alone."""

import re
from collections.abc import Iterator

from domain.assessing.revising.passages import Passages

_SENTENCES = 3


def without_neighbours(replacement: str, passages: Passages, start: int, end: int) -> str:
    """The replacement of `text[start:end]` without the sentences before and after it, and without the rest of its own sentence.

    Only what is repeated exactly, but for white space, and what the passage itself does not begin or end with.
    """
    original = passages.text[start:end].strip()
    for lead in _leads(passages, start):
        if (match := _matched(lead, replacement, at_end=False)) and not _matched(lead, original, at_end=False):
            replacement = replacement[match.end() :]
            break
    for trail in _trails(passages, end):
        if (match := _matched(trail, replacement, at_end=True)) and not _matched(trail, original, at_end=True):
            replacement = replacement[: match.start()]
            break
    return replacement


def _leads(passages: Passages, start: int) -> Iterator[str]:
    """What could be repeated before a passage that begins at `start`, the longest first."""
    for begin in passages.sentence_starts_before(start, most=_SENTENCES):
        if lead := passages.text[begin:start].strip():
            yield lead


def _trails(passages: Passages, end: int) -> Iterator[str]:
    for stop in reversed(passages.sentence_ends_after(end, most=_SENTENCES)):
        if trail := passages.text[end:stop].strip():
            yield trail


def _matched(neighbour: str, text: str, *, at_end: bool) -> re.Match[str] | None:
    """With any white space between its words, and never a part of a longer word."""
    if len(neighbour) > 2 * len(text):
        return None
    pattern = r"\s+".join(map(re.escape, neighbour.split()))
    if neighbour[0 if at_end else -1].isalnum():
        pattern = rf"(?<!\w){pattern}" if at_end else rf"{pattern}(?!['’\-]?\w)"  # noqa: RUF001  - a typographic apostrophe
    return re.search(rf"{pattern}\Z", text) if at_end else re.match(pattern, text)
