"""Whole sentences around a place of a text."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

from domain.assessing.metrics.reading import Reading
from domain.assessing.quotes import Place

FARTHEST = 2_000
"""Code points by which a place is widened to a sentence's beginning or end."""


class Passages:
    """The sentences and paragraphs of a text, in order, without the white space between them."""

    def __init__(self, text: str, *, language: str) -> None:
        reading = Reading(text, language=language)
        self.text = text
        self.sentences: Sequence[Place] = [_trimmed(text, each.start, each.end) for each in reading.sentences]
        self.paragraphs: Sequence[Place] = [_trimmed(text, each.start, each.end) for each in reading.paragraphs]
        self._starts = [each.start for each in self.sentences]
        self._ends = [each.end for each in self.sentences]
        self._paragraph_starts = [each.start for each in self.paragraphs]

    def widened(self, place: Place) -> Place:
        """The place with the rest of every sentence that it is a part of, and of every word where a sentence goes on endlessly.

        What is in no sentence, such as a heading, stays as it is.
        """
        first, last = bisect_right(self._ends, place.start), bisect_left(self._starts, place.end) - 1
        if first > last:
            return place
        start, end = min(place.start, self._starts[first]), max(place.end, self._ends[last])
        if place.start - start > FARTHEST:
            start = place.start - _letters(reversed(self.text[max(0, place.start - FARTHEST) : place.start]))
        if end - place.end > FARTHEST:
            end = place.end + _letters(self.text[place.end : place.end + FARTHEST])
        return Place(start, end)

    def around(self, place: Place, radius: int) -> Place:
        """The place with some `radius` code points on either side, from the beginning to the end of whole sentences."""
        return self.widened(Place(max(0, place.start - radius), min(len(self.text), place.end + radius)))

    def first_sentences(self) -> Iterator[Place]:
        """Of every paragraph that has one."""
        paragraph_ends = [each.end for each in self.paragraphs]
        last = -1
        for sentence in self.sentences:
            paragraph = bisect_left(paragraph_ends, sentence.end)
            if paragraph != last:
                yield sentence
            last = paragraph

    def in_sentence(self, at: int) -> bool:
        """Not so in a heading or a rule."""
        index = bisect_right(self._ends, at)
        return index < len(self._ends) and self._starts[index] <= at

    def sentence_end(self, at: int) -> int:
        """Where the sentence ends that holds the code point `at`, or its paragraph where it is in none."""
        return self._ends[bisect_right(self._ends, at)] if self.in_sentence(at) else self.paragraph_end(at)

    def paragraph_end(self, at: int) -> int:
        """Where the paragraph ends that holds the code point `at`."""
        index = bisect_right(self._paragraph_starts, at) - 1
        return max(at + 1, self.paragraphs[index].end) if index >= 0 else at + 1

    def sentence_starts_before(self, at: int, *, most: int) -> Sequence[int]:
        """The beginnings of the last `most` sentences that begin before `at`, the farthest first."""
        index = bisect_left(self._starts, at)
        return self._starts[max(0, index - most) : index]

    def sentence_ends_after(self, at: int, *, most: int) -> Sequence[int]:
        """The ends of the first `most` sentences that end behind `at`, the nearest first."""
        index = bisect_right(self._ends, at)
        return self._ends[index : index + most]


def _letters(text: Iterable[str]) -> int:
    """How many characters come before the first blank."""
    return sum(1 for _ in takewhile(lambda character: not character.isspace(), text))


def _trimmed(text: str, start: int, end: int) -> Place:
    part = text[start:end]
    lead = len(part) - len(part.lstrip())
    return Place(start + lead, max(start + lead, end - (len(part) - len(part.rstrip()))))
