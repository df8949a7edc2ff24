"""A text taken apart once for all metrics: paragraphs, sentences, words and speech, each with its place.

Offsets are code points into the text as it is saved. Speech is what stands between quotation marks, or behind a dash that opens a
paragraph; a paragraph whose closing mark is missing is spoken to its end, as where a speech goes on over several.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from domain.assessing.quotes import Place
from domain.writing.words import UNSPACED

# Each pattern below takes time in proportion to the text, whatever the text is: no run of characters is gone through from two places.
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
_LINE = re.compile(r"[^\n]+")
_PARAGRAPH = re.compile(r"[^\n]+(?:\n(?![^\S\n]*\n)[^\n]+)*")
_BREAK = re.compile(r"[\s*_#~=\-\u2013\u2014\u2042]+|\s*#{1,6}\s.*", re.DOTALL)
_MARKS_WITHIN = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0966-\u0dff\u200c\u200d"
"""Accents, points and vowel signs that are characters of their own, with the letters of the scripts of India."""

_LETTER = f"[^\\W_{UNSPACED}]"
_WORD = re.compile(f"[{UNSPACED}]|{_LETTER}+(?:(?:['\u2019\\-](?={_LETTER})|[{_MARKS_WITHIN}]+){_LETTER}*)*")
_ASCII_WORD = re.compile(r"[A-Za-z0-9]+(?:['\-][A-Za-z0-9]+)*")
_TITLES = frozenset("mr mrs ms dr st messrs mme prof rev hon capt col gen lt sgt jr sr vs etc no vol".split())  # noqa: SIM905
_SENTENCE_END = re.compile(
    "(?:(?<![.!?\u2026\u0964\u061f])[.!?\u2026\u0964\u061f]+[\"'\u201d\u2019\u00bb\u00ab\u201c)\\]*_]*(?=\\s|$)|[\u3002\uff01\uff1f]+[\u300d\u300f\u201d\u2019\uff09]*)"
)
_SPACE = re.compile(r"\s*")
_DASHES = "\u2013\u2014\u2015"
_MARKS = {"“": "”", "«": "»", "„": "“", "「": "」", "『": "』", "\u2039": "\u203a", '"': '"'}
_SINGLE = "'\u2018"
_CLOSED_SINGLE = re.compile(r"[.,!?\u2026\u2014\u2013-]['\u2019](?!\w)|\u2019(?=[,.;:!?])")
_DOUBLE = re.compile('[“”"]')
_UNSPACED_CHARACTER = re.compile(f"[{UNSPACED}]")
_UNSPACED_LANGUAGES = frozenset({"zh", "yue", "ja", "th", "lo", "km", "my", "bo", "dz"})


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`first_word` and `last_word` bound its words (the latter exclusive), and so do the sentences. A break is a rule or a heading."""

    start: int
    end: int
    is_break: bool
    first_word: int
    last_word: int
    first_sentence: int
    last_sentence: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words from `first_word` to before `last_word`; `paragraph` is its paragraph's index."""

    start: int
    end: int
    first_word: int
    last_word: int
    paragraph: int

    @property
    def length(self) -> int:
        """In words."""
        return self.last_word - self.first_word


class Reading:
    """`words` are lower-cased with plain apostrophes, `raw` as they stand; word i lies at `starts[i]:ends[i]`.

    `language` is the primary subtag of the project's, in lower case: "en" for "en-GB". CPU-bound: some 5 ms for 5,000 words.
    """

    def __init__(self, text: str, *, language: str) -> None:
        self.text = text
        self.language = language.partition("-")[0].lower()
        self.raw: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.sentences: list[Sentence] = []
        self.paragraphs: list[Paragraph] = []
        word = _ASCII_WORD if text.isascii() else _WORD
        # Without a blank line anywhere, each line is meant as a paragraph.
        for match in (_PARAGRAPH if _BLANK_LINE.search(text) else _LINE).finditer(text):
            self._read_paragraph(match.start(), match.end(), word)
        self.words: list[str] = [word.lower().replace("’", "'") for word in self.raw]  # noqa: RUF001  - meant as typed

    @property
    def english(self) -> bool:
        return self.language == "en"

    @cached_property
    def spaced(self) -> bool:
        """Whether words can be told from each other: not so where a word is one character, or a phrase without a space."""
        unspaced = len(_UNSPACED_CHARACTER.findall(self.text))
        return self.language not in _UNSPACED_LANGUAGES and 3 * unspaced <= len(self.raw)

    @cached_property
    def told(self) -> int:
        """How many words are not spoken."""
        return len(self.words) - sum(self.spoken)

    @cached_property
    def speech(self) -> list[Place]:
        """In reading order, the marks included."""
        marks = _marks(self.text)
        opening = re.compile(f"[{re.escape(''.join(marks))}{_SINGLE}]")
        return [place for each in self.paragraphs if not each.is_break for place in _speech(self.text, each, marks, opening)]

    @cached_property
    def spoken(self) -> bytearray:
        """For each word, 1 where it is spoken and 0 where it is told."""
        spoken = bytearray(len(self.words))
        for place in self.speech:
            first, last = self.words_within(place)
            spoken[first:last] = b"\x01" * (last - first)
        return spoken

    def words_within(self, place: Place) -> tuple[int, int]:
        """The words from the first to before the last that lie within."""
        first = bisect_left(self.starts, place.start)
        return first, max(first, bisect_right(self.ends, place.end))

    def is_spoken(self, at: int) -> bool:
        """Whether the code point lies within speech."""
        index = bisect_right(self._speech_starts, at) - 1
        return index >= 0 and at < self.speech[index].end

    @cached_property
    def _speech_starts(self) -> list[int]:
        return [place.start for place in self.speech]

    def sentence_of(self, word: int) -> Sentence:
        """The sentence that holds this word."""
        return self.sentences[bisect_right(self._first_words, word) - 1]

    @cached_property
    def _first_words(self) -> list[int]:
        return [sentence.first_word for sentence in self.sentences]

    def told_sentences(self) -> Iterator[Sentence]:
        """Those with words, none of them spoken."""
        spoken = self.spoken
        return (each for each in self.sentences if each.length and not any(spoken[each.first_word : each.last_word]))

    def _read_paragraph(self, start: int, end: int, word: re.Pattern[str]) -> None:
        is_break = _BREAK.fullmatch(self.text, start, end) is not None
        first_word, first_sentence = len(self.raw), len(self.sentences)
        if not is_break:
            for match in word.finditer(self.text, start, end):
                self.raw.append(match[0])
                self.starts.append(match.start())
                self.ends.append(match.end())
            self._read_sentences(start, end, first_word)
        bounds = first_word, len(self.raw), first_sentence, len(self.sentences)
        self.paragraphs.append(Paragraph(start, end, is_break, *bounds))

    def _read_sentences(self, start: int, end: int, word: int) -> None:
        begin = _after_space(self.text, start, end)
        for stop in _sentence_ends(self.text, start, end):
            last = bisect_left(self.starts, stop, word)
            if last > word:
                self.sentences.append(Sentence(begin, stop, word, last, len(self.paragraphs)))
                word = last
                begin = _after_space(self.text, stop, end)


def _after_space(text: str, at: int, end: int) -> int:
    match = _SPACE.match(text, at, end)
    return match.end() if match else at


def _sentence_ends(text: str, start: int, end: int) -> Iterator[int]:
    for match in _SENTENCE_END.finditer(text, start, end):
        following = _after_space(text, match.end(), end)
        if following == end or not (text[following].islower() or _is_title(text, match)):
            yield match.end()
    yield end


def _is_title(text: str, match: re.Match[str]) -> bool:
    """Whether the stop is only that of "Mr." or of an initial."""
    if match[0] != ".":
        return False
    at = match.start()
    before = text[max(0, at - 8) : at].split()
    return bool(before) and (before[-1].lower() in _TITLES or (len(before[-1]) == 1 and before[-1].isupper() and before[-1] != "I"))


def _marks(text: str) -> dict[str, str]:
    """Opening marks with their closing ones. German books may print »so« and Swedish ones ”so”."""
    marks = dict(_MARKS)
    if -1 < text.find("»") < text.find("«") or ("»" in text and "«" not in text):
        del marks["«"]
        marks["»"] = "«"
    if "”" in text and "“" not in text:
        marks["”"] = "”"
    return marks


def _speech(text: str, paragraph: Paragraph, marks: Mapping[str, str], opening: re.Pattern[str]) -> Iterator[Place]:
    at, end = _after_space(text, paragraph.start, paragraph.end), paragraph.end
    if text[at] in _DASHES and text[at + 1 : at + 2] not in {"", *_DASHES}:
        yield Place(at, end)
        return
    singles = _Singles(text, paragraph)
    while match := opening.search(text, at, end):
        mark, at = match[0], match.start()
        close = text.find(marks[mark], at + 1, end) + 1 or end if mark in marks else singles.closing(at)
        if close is None:
            at += 1
        else:
            yield Place(at, close)
            at = close


class _Singles:
    """Single quotation marks of a paragraph, which may as well be apostrophes."""

    def __init__(self, text: str, paragraph: Paragraph) -> None:
        self._text = text
        self._paragraph = paragraph

    def closing(self, at: int) -> int | None:
        """Behind the mark that closes the speech opened here; None where the mark opens none.

        Speech is opened at a word's beginning, and closed at a word's end and behind punctuation, with no double mark between.
        """
        before = self._text[at - 1] if at > self._paragraph.start else " "
        if not (before.isspace() or before in "(-\u2014\u2013"):
            return None
        index = bisect_right(self._closings, at + 2)
        if index == len(self._closings):
            return None
        double = bisect_left(self._doubles, at)
        close = self._closings[index]
        return None if double < len(self._doubles) and self._doubles[double] < close else close

    @cached_property
    def _closings(self) -> list[int]:
        return [match.end() for match in _CLOSED_SINGLE.finditer(self._text, self._paragraph.start, self._paragraph.end)]

    @cached_property
    def _doubles(self) -> list[int]:
        return [match.start() for match in _DOUBLE.finditer(self._text, self._paragraph.start, self._paragraph.end)]
