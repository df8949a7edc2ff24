"""How much a text repeats itself: phrases that come again too soon, and how many different words it has."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise

from domain.assessing.assessment import FindingSeverity, FoundIssue
from domain.assessing.metrics.metric import Better, Measured, Metric
from domain.assessing.metrics.pointing import MOST_FINDINGS, per_thousand, point, span
from domain.assessing.metrics.reading import Reading
from domain.assessing.metrics.word_lists import common_phrases, english
from domain.prompting.material import PromptMaterial

WINDOW = 500
"""Words over which the type-token ratio is averaged."""

FEWEST_WORDS = 200
SOON = 2000
"""Words within which a reader still hears a phrase."""

OFTEN = 5
"""How often a phrase comes again soon before it is pointed at, with each of its words counting for one time."""

TELLING = 0.9
"""Of a repetition, how much is beyond chance, before it is pointed at."""

TOO_OFTEN, TOO_THICK = 6, 2.0
"""From so many times on, and so many in a thousand words, a phrase is more than a note by itself."""

LONGEST_FUNCTION_WORD = 3
"""Letters: in a language of which no list is known, words up to this length are taken to carry no meaning."""


def _mattr(reading: Reading, _: PromptMaterial) -> Measured | None:
    """The moving-average type-token ratio of M. A. Covington and J. D. McFall, "Cutting the Gordian knot: the moving-average type-token
    ratio (MATTR)", Journal of Quantitative Linguistics 17 (2010), 94-100: different words in every window of 500, divided by 500, on
    average; of a shorter text, in the whole of it.
    """
    words = reading.words
    if len(words) < FEWEST_WORDS:
        return None
    window = min(WINDOW, len(words))
    counts = Counter(words[:window])
    different = total = len(counts)
    for leaving, coming in zip(words, words[window:], strict=False):
        if leaving != coming:
            counts[leaving] -= 1
            different -= not counts[leaving]
            different += not counts[coming]
            counts[coming] += 1
        total += different
    return Measured(total / (window * (len(words) - window + 1)))


@dataclass(slots=True)
class Phrase:
    """Of `size` words, and where it begins: the numbers of its first words, in rising order."""

    size: int
    places: list[int] = field(default_factory=list)

    def echoes(self) -> int:
        """How many of its places come soon after the one before."""
        return sum(later - earlier <= SOON for earlier, later in pairwise(self.places))


def _repetition(reading: Reading, _: PromptMaterial) -> Measured | None:
    """How often a phrase of two or three words stands within 2,000 words of itself, less how often it would by chance.

    A phrase begins and ends with a word that carries meaning, does not cross the end of a sentence, is not made of names, and does not
    stand for one as in "the tin soldier": what is nearly always called by "the" is somebody or something of the story. By chance
    it comes again as often as in English novels; in other languages, as often as its words would meet in this text if it were shuffled.
    """
    if len(reading.words) < FEWEST_WORDS:
        return None
    expected = _in_english() if reading.english else _in_this_text(reading)
    excess: list[tuple[float, Phrase]] = []
    total = 0.0
    for words, phrase in phrases_of(reading).items():
        surprising = max(0.0, 1 - SOON / 1000 * expected(words))
        if len(phrase.places) > 1 and surprising and (echoes := phrase.echoes()) and not _is_called_by(reading, phrase):
            total += surprising * echoes
            if echoes >= OFTEN - phrase.size and surprising > TELLING:
                excess.append((surprising * echoes, phrase))
    excess.sort(key=lambda each: (-each[0], each[1].places[0], each[1].size))
    findings = tuple(islice(_most_telling(reading, excess), MOST_FINDINGS))
    return Measured(per_thousand(total, len(reading.words)), findings)


def _is_called_by(reading: Reading, phrase: Phrase) -> bool:
    """Whether four in five of the times, "the" stands before the phrase."""
    return 5 * sum(reading.words[place - 1] == "the" for place in phrase.places if place) >= 4 * len(phrase.places)


def phrases_of(reading: Reading) -> dict[tuple[str, ...], Phrase]:
    meaningful = _meaningful(reading)
    words = reading.words
    phrases: dict[tuple[str, ...], Phrase] = {}
    for sentence in reading.sentences:
        for first in range(sentence.first_word, sentence.last_word - 1):
            if not meaningful[first]:
                continue
            if meaningful[first + 1] and words[first] != words[first + 1]:
                phrases.setdefault((words[first], words[first + 1]), Phrase(2)).places.append(first)
            if first + 2 < sentence.last_word and meaningful[first + 2]:
                phrases.setdefault((words[first], words[first + 1], words[first + 2]), Phrase(3)).places.append(first)
    return phrases


def _meaningful(reading: Reading) -> list[bool]:
    """For each word, whether it says something: names repeat because people do, and little words because language does."""
    if reading.english:
        empty = english("function_words") | english("said_plainly") | _names(reading)
    else:
        empty = _names(reading) | {word for word in set(reading.words) if len(word) <= LONGEST_FUNCTION_WORD}
    return [word not in empty and not word.isdecimal() for word in reading.words]


def _names(reading: Reading) -> frozenset[str]:
    """Words that are capitals within a sentence and are never written small; unknown in German, which capitalises all nouns."""
    if reading.language == "de":
        return frozenset()
    small, within = set(), set()
    begins = {sentence.first_word for sentence in reading.sentences}
    for index, raw in enumerate(reading.raw):
        if not raw[0].isupper():
            small.add(reading.words[index])
        elif index not in begins:
            within.add(reading.words[index])
    return frozenset(within - small)


def _in_english() -> Callable[[tuple[str, ...]], float]:
    known = common_phrases()
    return lambda words: known.get(" ".join(words), 0.0)


def _in_this_text(reading: Reading) -> Callable[[tuple[str, ...]], float]:
    counts, total = Counter(reading.words), len(reading.words)

    def by_chance(words: tuple[str, ...]) -> float:
        chance = 1.0
        for word in words:
            chance *= counts[word] / total
        return 1000 * chance

    return by_chance


def _most_telling(reading: Reading, excess: Sequence[tuple[float, Phrase]]) -> Iterator[FoundIssue]:
    """A phrase within another that was pointed at already says nothing new."""
    covered = bytearray(len(reading.words))
    for _, phrase in excess:
        place = _soonest(phrase.places)
        if 1 not in covered[place : place + phrase.size]:
            for each in phrase.places:
                covered[each : each + phrase.size] = b"\x01" * phrase.size
            yield _finding(reading, phrase, place)


def _soonest(places: Sequence[int]) -> int:
    """The place with the shortest way from the one before it."""
    return min(pairwise(places), key=lambda pair: pair[1] - pair[0])[1]


def _finding(reading: Reading, phrase: Phrase, place: int) -> FoundIssue:
    start, end = span(reading, place, place + phrase.size)
    echoes = phrase.echoes()
    too_much = echoes >= TOO_OFTEN and per_thousand(echoes, len(reading.words)) >= TOO_THICK
    return point(
        reading,
        start,
        end,
        message=f"“{' '.join(reading.text[start:end].split())}” stands {len(phrase.places)} times in this text.",
        suggestion="Keep it where it counts and say it in another way, or not at all, elsewhere.",
        severity=FindingSeverity.MINOR if too_much else FindingSeverity.NOTE,
    )


REPETITION_METRICS = (
    Metric(
        name="repetition",
        unit="per 1,000 words",
        description="How often a phrase comes again within 2,000 words, beyond what is usual.",
        better=Better.LOWER,
        noise=1.0,
        take=_repetition,
        by_words=True,
    ),
    Metric(
        name="mattr500",
        unit="ratio",
        description="How many different words there are in a stretch of 500, of 1: higher is a richer vocabulary.",
        better=Better.HIGHER,
        noise=0.01,
        take=_mattr,
        by_words=True,
    ),
)
