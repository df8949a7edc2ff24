"""Comparing two versions of a text, word by word."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from rapidfuzz.distance import Indel

from domain.writing.words import UNSPACED


class DiffOperation(StrEnum):
    EQUAL = "EQUAL"
    INSERT = "INSERT"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class DiffHunk:
    operation: DiffOperation
    text: str


_PARAGRAPHS = re.compile(r".+?(?:\n\s*|\Z)", re.DOTALL)
_SENTENCES = re.compile(r".+?(?:[.!?…。！？]+[\"'”’»」)\]*_]*\s*|\Z)", re.DOTALL)  # noqa: RUF001  - full-width marks end sentences too
_WORDS = re.compile(rf"\s+|[{UNSPACED}]|(?:(?![{UNSPACED}])\w)+(?:['’](?:(?![{UNSPACED}])\w)+)*|[^\w\s]")  # noqa: RUF001  - a typographic apostrophe
_GRAINS = (_PARAGRAPHS, _SENTENCES, _WORDS)

MATRIX_CELLS = 64_000_000
"""The largest comparison made at once: it needs a bit per cell (8 MB). Larger ones are told as one deletion and one insertion."""


def diff(old: str, new: str) -> list[DiffHunk]:
    """The hunks that turn `old` into `new`, the same for the same texts, no two neighbours of one operation.

    EQUAL and DELETE joined give `old` exactly, EQUAL and INSERT joined give `new`. Paragraphs are compared first, then the sentences
    of those that changed, then their words, so that time and memory follow the size of the changes.
    """
    return _merged(_widened(list(_compare(old, new, _GRAINS))))


def _compare(old: str, new: str, grains: Sequence[re.Pattern[str]]) -> Iterator[DiffHunk]:
    if old == new or not old or not new or not grains:
        yield from _replaced(old, new)
        return
    old_parts, new_parts = grains[0].findall(old), grains[0].findall(new)
    lead = _common_length(old_parts, new_parts)
    old_rest, new_rest = old_parts[lead:], new_parts[lead:]
    trail = _common_length(old_rest[::-1], new_rest[::-1])
    old_middle, new_middle = old_rest[: len(old_rest) - trail], new_rest[: len(new_rest) - trail]
    yield DiffHunk(DiffOperation.EQUAL, "".join(old_parts[:lead]))
    for old_run, new_run in _aligned(old_middle, new_middle):
        yield from _compare("".join(old_run), "".join(new_run), grains[1:])
    yield DiffHunk(DiffOperation.EQUAL, "".join(old_rest[len(old_rest) - trail :]))


def _replaced(old: str, new: str) -> Iterator[DiffHunk]:
    if old == new:
        yield DiffHunk(DiffOperation.EQUAL, old)
    else:
        yield DiffHunk(DiffOperation.DELETE, old)
        yield DiffHunk(DiffOperation.INSERT, new)


def _common_length(old: Sequence[str], new: Sequence[str]) -> int:
    return next((index for index, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), min(len(old), len(new)))


def _aligned(old: list[str], new: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Runs of parts that are the same in both, and between them what differs."""
    if len(old) * len(new) > MATRIX_CELLS:
        yield old, new
        return
    numbers: dict[str, int] = {}  # compared as numbers: strings would be compared by hashes that change from run to run
    old_numbers, new_numbers = ([numbers.setdefault(part, len(numbers)) for part in parts] for parts in (old, new))
    opcodes = Indel.opcodes(old_numbers, new_numbers)
    for _, group in groupby(opcodes, key=lambda opcode: opcode.tag == "equal"):
        run = list(group)
        yield old[run[0].src_start : run[-1].src_end], new[run[0].dest_start : run[-1].dest_end]


def _widened(hunks: list[DiffHunk]) -> Iterator[DiffHunk]:
    """A blank between two changed words is changed with them: a reader sees one replaced phrase, not many replaced words."""
    hunks = [hunk for hunk in hunks if hunk.text]
    for index, hunk in enumerate(hunks):
        inside = 0 < index < len(hunks) - 1 and DiffOperation.EQUAL not in (hunks[index - 1].operation, hunks[index + 1].operation)
        if inside and hunk.operation is DiffOperation.EQUAL and hunk.text.isspace() and "\n" not in hunk.text:
            yield DiffHunk(DiffOperation.DELETE, hunk.text)
            yield DiffHunk(DiffOperation.INSERT, hunk.text)
        else:
            yield hunk


def _merged(hunks: Iterator[DiffHunk]) -> list[DiffHunk]:
    merged: list[DiffHunk] = []
    for equal, group in groupby(hunks, key=lambda hunk: hunk.operation is DiffOperation.EQUAL):
        run = list(group)
        operations = (DiffOperation.EQUAL,) if equal else (DiffOperation.DELETE, DiffOperation.INSERT)
        joined = (DiffHunk(operation, "".join(hunk.text for hunk in run if hunk.operation is operation)) for operation in operations)
        merged.extend(hunk for hunk in joined if hunk.text)
    return merged
