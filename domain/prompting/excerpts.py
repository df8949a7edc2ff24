"""Shorter forms of a text that end where a paragraph or a sentence does."""

import re
from collections.abc import Callable

from domain.prompting.candidates import Counter

_LEAST_CHARACTERS = 600
_EXCERPT_SHARE = 0.4
_GAP = "[…]"
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]*_]*\s+|[。！？][」』”’）]*")  # noqa: RUF001  - full-width marks end sentences too


def excerpt(text: str, *, matters: Callable[[str], bool]) -> str | None:
    """How the text begins and the paragraphs that matter, up to two fifths of it; if none does, as much of its beginning.

    None for a text too short to be worth cutting. What is left out between is marked.
    """
    if len(text) < _LEAST_CHARACTERS:
        return None
    paragraphs = _paragraphs(text)
    room = int(len(text) * _EXCERPT_SHARE)
    preferred = [index for index, paragraph in enumerate(paragraphs) if index and matters(paragraph)]
    chosen, room = {0: _beginning(paragraphs[0], room)}, room - len(paragraphs[0])
    for index in preferred or range(1, len(paragraphs)):
        if len(paragraphs[index]) <= room:
            chosen[index], room = paragraphs[index], room - len(paragraphs[index])
        elif not preferred:
            break
    parts: list[str] = []
    for index in sorted(chosen):
        if index and index - 1 not in chosen:
            parts.append(_GAP)
        parts.append(chosen[index])
    if max(chosen) < len(paragraphs) - 1 or chosen[0] != paragraphs[0]:
        parts.append(_GAP)
    return "\n\n".join(parts)


def ending(text: str, *, tokens: int, counter: Counter) -> str:
    """At most the last `tokens` of a text, from the beginning of a paragraph if one begins in them, else of a sentence."""
    window = text[-_WIDEST_TOKEN * tokens :]
    tail = counter.tokens.take_last(window, model=counter.model, tokens=tokens)
    if tail == text:
        return tail
    for border in (_BLANK_LINES, _LINE_END, _SENTENCE_END):
        if match := border.search(tail, 0, len(tail) // 2):
            return tail[match.end() :].strip()
    return tail.strip()


_WIDEST_TOKEN = 12
_LINE_END = re.compile(r"\n\s*")


def _paragraphs(text: str) -> list[str]:
    """A heading belongs to the paragraph it stands above."""
    blocks = _BLANK_LINES.split(text)
    if len(blocks) == 1:
        blocks = text.split("\n")
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
