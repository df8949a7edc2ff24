"""Shorter forms of a text that end where a paragraph or a sentence does."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from domain.prompting.candidates import TokenMeter

_LEAST_CHARACTERS = 1_000
_EXCERPT_SHARE = 0.4
_GAP = "[…]"
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")
_LINE_END = re.compile(r"\n\s*")
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]*_]*\s+|[。！？][」』”’）]*")  # noqa: RUF001  - full-width marks end sentences too

_WIDEST_TOKEN = 12
"""Characters: the end of a long text is cut out before it is counted, wide enough for any prose."""


def excerpt(text: str, *, matters: Callable[[str], bool]) -> str | None:
    """How the text begins, the paragraphs that matter, and then as much more of its beginning, up to two fifths of it.

    None for a text too short to be worth cutting. What is left out is marked, except between the lines of a list.
    """
    if len(text) < _LEAST_CHARACTERS:
        return None
    blocks = _BLANK_LINES.split(text)
    of_lines = len(blocks) == 1
    paragraphs = text.split("\n") if of_lines else _with_headings(blocks)
    room = int(len(text) * _EXCERPT_SHARE)
    chosen, room = {0: _beginning(paragraphs[0], room)}, room - len(paragraphs[0])
    for index in sorted(range(1, len(paragraphs)), key=lambda index: not matters(paragraphs[index])):
        if len(paragraphs[index]) <= room:
            chosen[index], room = paragraphs[index], room - len(paragraphs[index])
    if of_lines:
        return "\n".join(chosen[index] for index in sorted(chosen))
    return "\n\n".join(_with_gaps(chosen, paragraphs))


def ending(text: str, *, tokens: int, meter: TokenMeter) -> str:
    """At most the last `tokens` of a text, from the beginning of a paragraph if one begins in them, else of a sentence."""
    window = text[-_WIDEST_TOKEN * tokens :]
    tail = meter.tokens.take_last(window, model=meter.model, tokens=tokens)
    if tail == text:
        return tail
    for border in (_BLANK_LINES, _LINE_END, _SENTENCE_END):
        if match := border.search(tail, 0, len(tail) // 2):
            return tail[match.end() :].strip()
    return tail.strip()


def _with_gaps(chosen: Mapping[int, str], paragraphs: Sequence[str]) -> Iterator[str]:
    for index in sorted(chosen):
        if index and index - 1 not in chosen:
            yield _GAP
        yield chosen[index]
    if max(chosen) < len(paragraphs) - 1 or chosen[0] != paragraphs[0]:
        yield _GAP


def _with_headings(blocks: Iterable[str]) -> list[str]:
    """A heading belongs to the paragraph it stands above."""
    paragraphs: list[str] = []
    for block in blocks:
        if paragraphs and _is_heading(paragraphs[-1].rsplit("\n", 1)[-1]):
            paragraphs[-1] += f"\n\n{block}"
        else:
            paragraphs.append(block)
    return paragraphs


def _is_heading(line: str) -> bool:
    return line.startswith("#")


def _beginning(paragraph: str, room: int) -> str:
    """As many whole sentences as there is room for; at least one, or as many words."""
    if len(paragraph) <= room:
        return paragraph
    ends = [match.end() for match in _SENTENCE_END.finditer(paragraph)]
    fitting = [end for end in ends if end <= room]
    if fitting:
        return paragraph[: fitting[-1]].rstrip()
    return paragraph[:room].rsplit(None, 1)[0]
