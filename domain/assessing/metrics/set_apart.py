"""What a story shows and does not tell: letters, block quotations, and thoughts in italics. Person and tense are their own there."""

import re
from typing import Final

from domain.assessing.metrics.once import once_per_reading
from domain.assessing.metrics.reading import Paragraph, Reading
from domain.assessing.quotes import Place

_ITALIC: Final = re.compile(r"(?<![\w*_])(\*{1,2}|_{1,2})(?=[^\s*_])([^*_\n]+)(?<=[^\s*_])\1(?![\w*_])")
_FEWEST_WORDS_OF_THOUGHT: Final = 3
"""Fewer in italics are stressed or foreign."""

_SALUTATION: Final = re.compile(
    r"[_*“\"]{0,2}(?:(?:my (?:own |own own )?)?(?:very |reverend and )?(?:dear(?:est)?|darling)\b[^.!?\n]{0,60}[,—:\-–!]"  # noqa: RUF001
    r"|(?:my lord(?: [a-z]+)?|(?:reverend )?sir|madam|gentlemen)\s*[,—:\-–](?:\s|$))",  # noqa: RUF001
    re.IGNORECASE,
)
_SIGNED: Final = re.compile(
    r"\b(?:yours?(?: \w+){0,3} (?:truly|faithfully|sincerely|affectionately|respectfully|ever|always)|affectionate(?:ly)?|sincerely yours|"
    r"faithfully|obedient servant|yours (?:truly|ever|most)|ever yours|signed|p\.s\.)\b",
    re.IGNORECASE,
)
_OPENING: Final = '"“„«「『'
_CLOSING: Final = '"”“»」』'
_CLOSES: Final = re.compile(r"_?(?:your|yours|ever|believe me|i am|i remain)\b", re.IGNORECASE)
_LONGEST_FORMULA: Final = 120
"""Characters at a paragraph's end in which a letter may close: further up, "faithfully" is a word like others."""

_LONGEST_SIGNATURE: Final = 12
"""Words of "Your very faithful servant"."""

_LONGEST_LETTER: Final = 40
"""Paragraphs. One without a signature ends before the next paragraph with speech."""


@once_per_reading
def set_apart(reading: Reading) -> bytearray:
    """For each word, 1 where it is."""
    apart = bytearray(len(reading.words))
    for match in _ITALIC.finditer(reading.text):
        first, last = reading.words_within(Place(match.start(), match.end()))
        if last - first >= _FEWEST_WORDS_OF_THOUGHT:
            apart[first:last] = b"\x01" * (last - first)
    _set_speech_apart(reading, apart)
    number = 0
    while number < len(reading.paragraphs):
        paragraph = reading.paragraphs[number]
        last = number + 1
        if _SALUTATION.match(reading.text, paragraph.start, paragraph.end):
            last = _letter_end(reading, number)
        elif reading.text[paragraph.start] != ">":
            number += 1
            continue
        first_word, last_word = paragraph.first_word, reading.paragraphs[last - 1].last_word
        apart[first_word:last_word] = b"\x01" * (last_word - first_word)
        number = last
    return apart


def _set_speech_apart(reading: Reading, apart: bytearray) -> None:
    """What goes on behind a paragraph whose speech is not closed, up to the next quotation mark, is still spoken."""
    goes_on = False
    unclosed = {
        place.end for place in reading.speech if reading.text[place.end - 1] not in _CLOSING and reading.text[place.start] in _OPENING
    }
    for paragraph in reading.paragraphs:
        if goes_on and not any(mark in reading.text[paragraph.start : paragraph.end] for mark in _OPENING):
            apart[paragraph.first_word : paragraph.last_word] = b"\x01" * (paragraph.last_word - paragraph.first_word)
        else:
            goes_on = paragraph.end in unclosed


def _letter_end(reading: Reading, begin: int) -> int:
    """The paragraph behind the letter's last one."""
    for number in range(begin, min(len(reading.paragraphs), begin + _LONGEST_LETTER)):
        paragraph = reading.paragraphs[number]
        if number > begin and _begins_with_speech(reading, paragraph):
            return number
        is_short = paragraph.last_word - paragraph.first_word <= _LONGEST_SIGNATURE
        if _SIGNED.search(reading.text, max(paragraph.start, paragraph.end - _LONGEST_FORMULA), paragraph.end) or (
            is_short and _CLOSES.match(reading.text, paragraph.start)
        ):
            return number + 1
    return begin + 1


def _begins_with_speech(reading: Reading, paragraph: Paragraph) -> bool:
    return reading.text[paragraph.start] in "\"“‘'«„—"  # noqa: RUF001  - marks as typed
