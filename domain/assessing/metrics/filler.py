"""Passages that tell nothing: stock phrases close together, and sentences in a row whose words could stand in any book."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Final

from ahocorasick_rs import AhoCorasick, MatchKind

from domain.assessing.assessment import FindingCategory, FindingSeverity, FoundIssue
from domain.assessing.metrics.cast import NamedCast, named_cast
from domain.assessing.metrics.metric import Better, Measured, Metric
from domain.assessing.metrics.pointing import foremost, found
from domain.assessing.metrics.reading import Reading, Sentence
from domain.assessing.quotes import Place
from domain.prompting.index.terms import STOP_WORDS
from domain.prompting.material import PromptMaterial

_DATA: Final = Path(__file__).with_name("filler_phrases.txt")
_MIXED: Final = re.compile(r"\ba (?:mix|mixture|blend|whirlwind|wave|flood|tangle) of \w+ and \w+\b")
LEAST_RUN: Final = 3
GROSS_RUN: Final = 5
"""Empty sentences in a row."""

VAGUE_SHARE: Final = 0.6
"""Of a sentence's words that are no stop words, from which it says nothing in particular."""

FEWEST_WORDS: Final = 5
LEAST_PHRASES: Final = 3
PHRASES_WITHIN: Final = 4
"""Stock phrases in so many sentences make a passage as well."""


def _filler_passages(reading: Reading, material: PromptMaterial) -> Measured | None:
    if not reading.words:
        return None
    phrases = _phrase_places(reading)
    cast = named_cast(reading, material)
    empty = _empty_sentences(reading, cast, {_sentence_number(reading, place) for place in phrases})
    passages = list(_passages(empty, [_sentence_number(reading, place) for place in phrases]))
    filled = len(phrases) + sum(passage.last - passage.first + 1 for passage in passages)
    return Measured(1000 * filled / len(reading.words), foremost(_finding(reading, passage) for passage in passages))


@cache
def _lists() -> tuple[AhoCorasick, frozenset[str]]:
    lines = _DATA.read_text(encoding="utf-8").splitlines()
    first, second = lines.index("[phrases]"), lines.index("[vague]")
    phrases = [f" {line.strip()} " for line in lines[first + 1 : second] if line.strip()]
    return AhoCorasick(phrases, matchkind=MatchKind.LeftmostLongest), frozenset(" ".join(lines[second + 1 :]).split())


def _phrase_places(reading: Reading) -> Sequence[int]:
    """The first words of stock phrases that are told, in reading order."""
    words = reading.words
    text = f" {' '.join(words)} "
    begins = list(accumulate((len(word) + 1 for word in words), initial=0))
    found_at = [start for _, start, _ in _lists()[0].find_matches_as_indexes(text)]
    found_at += [match.start() - 1 for match in _MIXED.finditer(text)]
    places = sorted({bisect_right(begins, at) - 1 for at in found_at})
    return [place for place in places if not reading.spoken[place]]


@dataclass(frozen=True, slots=True)
class _Passage:
    """Sentences `first` to `last`, of which `count` are empty or hold a stock phrase."""

    first: int
    last: int
    count: int


def _sentence_number(reading: Reading, word: int) -> int:
    sentence = reading.sentence_of(word)
    return bisect_right(reading.sentences, sentence.first_word, key=lambda each: each.first_word) - 1


def _empty_sentences(reading: Reading, cast: NamedCast, with_phrase: set[int]) -> Sequence[bool]:
    return [number in with_phrase or _is_empty(reading, cast, sentence) for number, sentence in enumerate(reading.sentences)]


def _is_empty(reading: Reading, cast: NamedCast, sentence: Sentence) -> bool:
    """Whether nobody and nothing in particular is in it."""
    if sentence.length < FEWEST_WORDS:
        return False
    words = range(sentence.first_word, sentence.last_word)
    if any(reading.spoken[word] for word in (sentence.first_word, sentence.last_word - 1)) or not cast.words.isdisjoint(words):
        return False
    vague = _lists()[1]
    content = [reading.words[word] for word in words if reading.words[word] not in STOP_WORDS or reading.words[word] in vague]
    return bool(content) and sum(word in vague for word in content) >= VAGUE_SHARE * len(content)


def _passages(empty: Sequence[bool], phrases: Sequence[int]) -> Iterator[_Passage]:
    """Runs of empty sentences, and sentences that hold many phrases between them; each sentence in one passage."""
    reached = -1
    dense = {number for at, number in enumerate(phrases[LEAST_PHRASES - 1 :]) if number - phrases[at] < PHRASES_WITHIN}
    begin: int | None = None
    for number, is_empty in enumerate([*empty, False]):
        if is_empty and begin is None:
            begin = number
        elif not is_empty and begin is not None:
            if number - begin >= LEAST_RUN:
                yield _Passage(begin, number - 1, number - begin)
                reached = number - 1
            begin = None
        if number in dense and number > reached and begin is None:
            first = max(reached + 1, number - PHRASES_WITHIN + 1)
            yield _Passage(first, number, LEAST_PHRASES)
            reached = number


def _finding(reading: Reading, passage: _Passage) -> FoundIssue:
    return found(
        reading,
        Place(reading.sentences[passage.first].start, reading.sentences[passage.last].end),
        FoundIssue(
            metric="fillerPassages",
            category=FindingCategory.PROSE,
            severity=FindingSeverity.MAJOR if passage.count >= GROSS_RUN else FindingSeverity.MINOR,
            message=f"{passage.last - passage.first + 1} sentences in which nobody and nothing in particular is to be found.",
            suggestion="Cut them, or put into their place what happens, and to whom.",
        ),
    )


FILLER_PASSAGES = Metric(
    name="fillerPassages",
    unit="per 1,000 words",
    description="How often a sentence is filled with stock phrases, or with words that could stand in any book.",
    better=Better.LOWER,
    noise=0.5,
    take=_filler_passages,
    english_only=True,
)
