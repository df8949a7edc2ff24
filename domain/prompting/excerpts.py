"""Shorter forms of a text that begin and end where a paragraph or a sentence does."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from domain.prompting.candidates import TokenMeter
from domain.prompting.index.passages import Span, sentences
from domain.prompting.index.text_index import IndexedText

SIZES = (300, 600, 1_200, 2_400, 4_200, 6_400, 12_000)
"""Characters of the shorter forms: in English, from some 75 to 3,000 tokens."""

_WORTH_CUTTING = 0.8
"""A form that holds more of the text than this is not offered beside the whole of it."""

_GAP = "[…]"
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")
_LINE_END = re.compile(r"\n\s*")
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]*_]*\s+|[。！？][」』”’）]*")  # noqa: RUF001  - full-width marks end sentences too

WIDEST_TOKEN = 12
"""Characters: no prose has wider ones on average, so what is longer than so many for each token need not be counted."""


@dataclass(frozen=True, slots=True)
class Form:
    """Parts of a text in reading order, and how many of its characters they have."""

    spans: tuple[Span, ...]
    characters: int
    complete: bool


def by_relevance(content: IndexedText, relevance: Mapping[int, float]) -> tuple[int, ...]:
    """The numbers of all passages but the first: all that the forms of a text depend on, beside the text."""
    return tuple(sorted(range(1, len(content.index.spans)), key=lambda number: (-relevance.get(number, 0.0), number)))


def forms(content: IndexedText, relevance: Mapping[int, float]) -> Iterator[Form]:
    """Growing forms of a text, the last one complete: how it begins, and the passages of the highest relevance (by number; else 0)."""
    text, passages, order = content.text, content.index.spans, by_relevance(content, relevance)
    for size in SIZES:
        if size > _WORTH_CUTTING * len(text):
            break
        chosen = [_beginning(text, passages[0], size)]
        room = size - _length(chosen)
        for number in order:
            start, end = passages[number]
            if end - start <= room:
                chosen.append((start, end))
                room -= end - start
            if room < _LEAST_WORTH_ADDING:
                break
        yield Form(_joined(text, chosen), _length(chosen), complete=False)
    yield Form(((0, len(text)),), len(text), complete=True)


_LEAST_WORTH_ADDING = 40


def quote(text: str, spans: Sequence[Span]) -> str:
    """The parts of a text, with what is left out before, between and behind them marked."""
    parts = [_GAP] if spans[0][0] > 0 else []
    for number, (start, end) in enumerate(spans):
        parts += [_GAP, text[start:end]] if number else [text[start:end]]
    if spans[-1][1] < len(text):
        parts.append(_GAP)
    return "\n\n".join(parts)


def ending(text: str, *, tokens: int, meter: TokenMeter) -> str:
    """At most the last `tokens` of a text, from the beginning of a paragraph if one begins in them, else of a sentence."""
    window = text[-WIDEST_TOKEN * tokens :]
    tail = meter.tokens.take_last(window, model=meter.model, tokens=tokens)
    if tail == text:
        return tail
    for border in (_BLANK_LINES, _LINE_END, _SENTENCE_END):
        if match := border.search(tail, 0, len(tail) // 2):
            return tail[match.end() :].strip()
    return tail.strip()


def _beginning(text: str, passage: Span, size: int) -> Span:
    """The first passage, or as many of its sentences as there is room for; at least one, or as many words."""
    start, end = passage
    if end - start <= size:
        return passage
    fitting = [last for _, last in sentences(text, passage) if last - start <= size]
    return start, fitting[-1] if fitting else start + len(text[start : start + size].rsplit(None, 1)[0])


def _length(spans: Sequence[Span]) -> int:
    return sum(end - start for start, end in spans)


def _joined(text: str, spans: Sequence[Span]) -> tuple[Span, ...]:
    """In reading order; parts with only white space between them are one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and not text[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return tuple(joined)
