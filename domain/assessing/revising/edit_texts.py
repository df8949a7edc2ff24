"""Whether a text that a model wrote can stand in the chapter, and in which form."""

import re
from itertools import zip_longest

from domain.assessing.revising.passages import Passages
from domain.assessing.revising.surroundings import without_neighbours
from domain.prompting.untrusted import Fence, clean

TIMES_LONGER = 3
CHARACTERS_LONGER = 300
"""A replacement has at most so many times the passage's code points, and so many on top."""

_SLACK = 5_000  # what the repeated neighbours of a passage may take before they are cut off
_CODE_FENCE = re.compile(r"```[\w-]*\n(.*?)\n?```", re.DOTALL)
_APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")
_FENCE_LINE = re.compile(r"</?material\b", re.IGNORECASE)


class Unfit(Exception):  # noqa: N818  - an answer about a text
    """The text cannot be used; the message is a sentence that says why."""


def fitting(raw: object, passages: Passages, span: tuple[int, int], fence: Fence, *, longest: int) -> str:
    """The text that a model gave to stand between these code points, as it can stand there; "" only where it gave none.

    Code fences and repeated neighbours are taken off; quotation marks, line ends and the white space around it are made those of the
    chapter. Raises Unfit.
    """
    if not isinstance(raw, str):
        raise Unfit("It is not a text.")
    if len(raw) > longest + _SLACK:
        raise Unfit("It is too long.")
    start, end = span
    given = _typed_as_in(passages.text, _unfenced(clean(raw)).strip())
    if fence.marker in given or _FENCE_LINE.search(given):
        raise Unfit("It repeats a line that keeps the material apart.")
    replacement = without_neighbours(given, passages, start, end).strip()
    if given and not replacement:
        raise Unfit("It only repeats what stands beside the passage.")
    if len(replacement) > longest:
        raise Unfit("It is too long.")
    if replacement and not any(map(str.isalnum, replacement)) and any(map(str.isalnum, passages.text[start:end])):
        raise Unfit("It has no words.")
    return _set_in(replacement, passages.text, start, end)


def most_characters(passage: str) -> int:
    return TIMES_LONGER * len(passage) + CHARACTERS_LONGER


def _unfenced(text: str) -> str:
    match = _CODE_FENCE.fullmatch(text.strip())
    return match[1] if match else text


def _typed_as_in(text: str, given: str) -> str:
    """With the chapter's typographic marks, if it has no others; models like to type plain ones. Marks without a partner stay."""
    if '"' in given and '"' not in text and "“" in text and "„" not in text and given.count('"') % 2 == 0:
        pieces = given.split('"')
        given = "".join(piece + mark for piece, mark in zip_longest(pieces, "“”" * (len(pieces) // 2), fillvalue=""))
    if "'" not in text and "’" in text:  # noqa: RUF001  - meant as typed
        given = _APOSTROPHE.sub("’", given)  # noqa: RUF001
    return given


def _set_in(replacement: str, text: str, start: int, end: int) -> str:
    if not replacement:
        return ""
    if "\r\n" in text:
        replacement = replacement.replace("\n", "\r\n")
    original = text[start:end]
    lead = original[: len(original) - len(original.lstrip())]
    return lead + replacement + original[len(original.rstrip()) :]
