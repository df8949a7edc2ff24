"""Cutting a text into passages: whole paragraphs, of a length that can be judged and quoted by itself."""

import re
from collections.abc import Iterator
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]
"""`[start, end)` in code points."""

LEAST_CHARACTERS = 320
"""Shorter paragraphs are joined with what follows: a line of dialogue alone says nothing about what it answers."""

MOST_CHARACTERS = 1_100
"""Paragraphs are joined up to this length, some 250 tokens, so that a passage is about one thing."""

LONGEST_PARAGRAPH = 2_000
"""A longer one is cut. Up to this length its author has said what belongs together."""

_PARAGRAPH = re.compile(r"\S(?:.|\n(?![ \t]*\n))*")
_HEADING = re.compile(r"#{1,6}\s")
_LINE_END = re.compile(r"\n\s*")
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]*_]*\s+|[。！？]+[」』”’）]*")  # noqa: RUF001  - full-width marks end sentences too
"""Only the last point of several: to begin at each of a thousand points, and look to the end of them, would take time by their square."""

_SPACE = re.compile(r"\s+")


def passages(text: str) -> tuple[Span, ...]:
    """In reading order, without overlaps; together they hold everything but the white space between them.

    A heading begins a passage and stays with what stands below it.
    """
    joined: list[Span] = []
    open_ended = False
    for start, end in _pieces(text):
        heads = _HEADING.match(text, start) is not None
        if joined and not heads and (open_ended or joined[-1][1] - joined[-1][0] < LEAST_CHARACTERS):
            first = joined[-1][0]
            if open_ended or end - first <= MOST_CHARACTERS:
                joined[-1] = (first, end)
                open_ended = False
                continue
        joined.append((start, end))
        open_ended = heads and "\n" not in text[start:end]
    return tuple(joined)


def sentences(text: str, span: Span) -> Iterator[Span]:
    """The sentences and lines of a passage, without the white space between them."""
    start, end = span
    borders = sorted({match.end() for pattern in (_LINE_END, _SENTENCE_END) for match in pattern.finditer(text, start, end)} | {end})
    for border in borders:
        last = border
        while last > start and text[last - 1].isspace():
            last -= 1
        if last > start:
            yield start, last
        start = border


def _pieces(text: str) -> Iterator[Span]:
    """Paragraphs, and parts of the long ones."""
    for match in _PARAGRAPH.finditer(text):
        start, end = match.span()
        while end > start and text[end - 1].isspace():
            end -= 1
        while end - start > LONGEST_PARAGRAPH:
            last = cut = _cut(text, start)
            while text[last - 1].isspace():
                last -= 1
            yield start, last
            start = cut
            while text[start].isspace():  # what was cut within long white space
                start += 1
        yield start, end


def _cut(text: str, start: int) -> int:
    """Where to cut a paragraph that is too long: behind the last line, else sentence, else word that fits; else anywhere."""
    reach = start + MOST_CHARACTERS
    for border in (_LINE_END, _SENTENCE_END, _SPACE):
        if ends := [match.end() for match in border.finditer(text, start + 1, reach)]:
            return ends[-1]
    return reach
