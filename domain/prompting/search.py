"""Finding the passages that a request is about: BM25 over passages, with what their surroundings and their wording add.

BM25 as in S. Robertson and H. Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), with the usual k1 and b. To it
come two neighbouring words of the request that stand side by side, part of the neighbouring passages' scores, the score of the chapter as
a whole, and the words of its title. The numbers are round and were chosen where changing them changed little, each for books other than
those it was then measured on.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import nlargest
from itertools import chain, pairwise
from math import log

from domain.prompting.index.terms import terms
from domain.prompting.index.text_index import IndexedText

K1, B = 1.2, 0.75
PAIR = 0.5
"""The weight of two neighbouring words of the request found side by side."""

NEIGHBOUR = 0.2
"""The share of the scores of the passages before and after: a passage is read in its place."""

WHOLE_TEXT = 0.5
"""The weight of the whole text's own score."""

TITLE = 0.5
NAMED_SHARE, NAMED_WEIGHT = 0.6, 3.0
"""A request names a text when it holds this share of its title, and so much of it that it could hardly be chance."""

SPENT = 0.1
"""What is left of the weight of a title's words once they have pointed at their text: they say no more about its passages."""

RERANKED = 30
"""For so many passages, pairs of words are looked for."""


def rarity(total: int, holding: int) -> float:
    """BM25's inverse document frequency, above zero also for what more than half of all hold."""
    return log(1 + (total - holding + 0.5) / (holding + 0.5))


@dataclass(frozen=True, slots=True)
class Text:
    """A text to be searched, with the terms of its title."""

    content: IndexedText
    title: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage, by the numbers of its text and of the passage in it; `coverage`: how much of the request's weight it holds, 0..1."""

    text: int
    passage: int
    score: float
    coverage: float
    named: bool


class Search:
    """One request, looked up in a set of texts. The sets are small enough that nothing but the texts' own postings is needed."""

    def __init__(self, request: str, texts: Sequence[Text]) -> None:
        self.request = request
        self._texts = texts
        self._sequence = list(terms(request))
        self.times = Counter(self._sequence)
        self._passages = sum(len(text.content.index.spans) for text in texts)
        self._read: dict[tuple[int, int], Sequence[str]] = {}
        self._lengths = [sum(text.content.index.lengths) for text in texts]
        self._rows = self._looked_up()
        self._holding = {term: sum(len(row[1]) // 2 for row in rows) for term, rows in self._rows.items()}
        self._named, spent = self._titles_named()
        self.weights = {term: self._weight(term, spent) for term in self.times}
        self.mass = sum(self.weights.values())
        self._pairs = {
            pair: rarity(self._passages, min(self._holding[term] for term in pair) // 4) * (SPENT if spent.issuperset(pair) else 1.0)
            for pair in pairwise(self._sequence)
        }

    def hits(self, limit: int) -> list[Hit]:
        """The best passages, the best first; of equals, the earlier one."""
        scores = {number: list(row) for number, row in self.passage_scores.items()}
        for _, number, passage in best_of(scores, RERANKED):
            scores[number][passage] += self._pairs_in(number, passage)
        whole = self._whole_scores()
        ranked: dict[int, list[float]] = {}
        for number, row in scores.items():
            added, factor = whole.get(number, 0.0), 1.0 + self._named.get(number, 0.0)
            ranked[number] = [
                (score + NEIGHBOUR * (before + after) + added) * factor if score > 0 else 0.0
                for before, score, after in zip([0.0, *row], row, [*row[1:], 0.0], strict=False)
            ]
        return [
            Hit(number, passage, score, self.passages_of(number).get(passage, 0.0) / (self.mass or 1.0), number in self._named)
            for score, number, passage in best_of(ranked, limit)
        ]

    def whole_texts(self) -> Mapping[int, tuple[float, Sequence[str]]]:
        """For each text that holds a term of the request: its score as a whole, and these terms, the weightiest first."""
        found: dict[int, list[tuple[float, str]]] = {}
        average = sum(self._lengths) / max(1, len(self._texts)) or 1.0
        for term, rows in self._rows.items():
            weight = rarity(len(self._texts), len(rows))
            for number, posting in rows:
                times, length = sum(posting[1::2]), self._lengths[number] / average
                score = weight * (K1 + 1) * times / (times + K1 * (1 - B + B * length))
                found.setdefault(number, []).append((-score, term))
        whole: dict[int, tuple[float, Sequence[str]]] = {}
        for number, held in found.items():
            held.sort()
            whole[number] = -sum(score for score, _ in reversed(held)), [term for _, term in held]
        return whole

    def passages_of(self, number: int) -> Mapping[int, float]:
        """How much of the request's weight each passage of a text holds, for those that hold any."""
        scores: dict[int, float] = {}
        for weight, posting in self._held.get(number, ()):
            for passage in posting[::2]:
                scores[passage] = scores.get(passage, 0.0) + weight
        return scores

    def _looked_up(self) -> Mapping[str, Sequence[tuple[int, Sequence[int]]]]:
        """For each term of the request, the texts that hold it, in their order, with its places there."""
        rows: dict[str, list[tuple[int, Sequence[int]]]] = {term: [] for term in self.times}
        for number, text in enumerate(self._texts):
            postings = text.content.index.postings
            for term in self.times.keys() & postings.keys():  # in whatever order: it goes over the fewer of both
                rows[term].append((number, postings[term]))
        return rows

    @cached_property
    def _held(self) -> Mapping[int, Sequence[tuple[float, Sequence[int]]]]:
        """By text, the postings of the request's terms in it, with their weights."""
        held: dict[int, list[tuple[float, Sequence[int]]]] = {}
        for term, rows in self._rows.items():
            for number, posting in rows:
                held.setdefault(number, []).append((self.weights[term], posting))
        return held

    def _weight(self, term: str, spent: frozenset[str]) -> float:
        return rarity(self._passages, self._holding[term]) * (SPENT if term in spent and self.times[term] == 1 else 1.0)

    def _titles_named(self) -> tuple[Mapping[int, float], frozenset[str]]:
        """The texts whose title the request names, each with the share of it, and the terms of these titles."""
        holding = Counter(term for text in self._texts for term in text.title)
        named: dict[int, float] = {}
        for number, text in enumerate(self._texts):
            held = sorted(text.title & self.times.keys())
            if held and sum(rarity(self._passages, self._holding[term]) for term in held) >= NAMED_WEIGHT:
                share = sum(rarity(len(self._texts), holding[term]) for term in held) / sum(
                    rarity(len(self._texts), holding[term]) for term in sorted(text.title)
                )
                if share >= NAMED_SHARE:
                    named[number] = share
        return named, frozenset(term for number in named for term in self._texts[number].title)

    @cached_property
    def passage_scores(self) -> Mapping[int, Sequence[float]]:
        """By text, the plain BM25 of all its passages; texts that share nothing with the request are left out."""
        average = sum(self._lengths) / max(1, self._passages) or 1.0
        scores: dict[int, list[float]] = {}
        for number, held in self._held.items():
            lengths = self._texts[number].content.index.lengths
            against = [K1 * (1 - B + B * (length / average)) for length in lengths]
            scores[number] = row = [0.0] * len(lengths)
            for weight, posting in held:
                most = weight * (K1 + 1)
                for passage, times in zip(posting[::2], posting[1::2], strict=True):
                    row[passage] += most * times / (times + against[passage])
        return scores

    def terms_of(self, number: int, passage: int) -> Sequence[str]:
        """The terms of a passage, in reading order, with repetitions."""
        if (number, passage) not in self._read:
            content = self._texts[number].content
            start, end = content.index.spans[passage]
            self._read[number, passage] = list(terms(content.text[start:end]))
        return self._read[number, passage]

    def _pairs_in(self, number: int, passage: int) -> float:
        found = Counter(pair for pair in pairwise(self.terms_of(number, passage)) if pair in self._pairs)
        return sum(PAIR * self._pairs[pair] * (K1 + 1) * times / (times + K1) for pair, times in sorted(found.items()))

    def _whole_scores(self) -> Mapping[int, float]:
        """What its whole text adds to the score of each of its passages."""
        added: dict[int, float] = {}
        for term, rows in self._rows.items():
            weight = rarity(len(self._texts), len(rows)) * (self.weights[term] / (rarity(self._passages, self._holding[term]) or 1.0))
            for number, posting in rows:
                times = sum(posting[1::2])
                added[number] = added.get(number, 0.0) + WHOLE_TEXT * weight * (K1 + 1) * times / (times + K1)
        titles = Counter(term for text in self._texts for term in text.title)
        for number, text in enumerate(self._texts):
            for term in sorted(text.title & self.times.keys()):
                added[number] = added.get(number, 0.0) + TITLE * rarity(len(self._texts), titles[term])
        return added


def best_of(scores: Mapping[int, Sequence[float]], number: int) -> list[tuple[float, int, int]]:
    """The best passages that have a score, by text and number, the best first; of equals, the earlier one."""
    peaks = {text: max(row) for text, row in scores.items() if row}
    least = min(nlargest(number, peaks.values()), default=0.0) if len(peaks) >= number else 0.0
    high = [(text, scores[text]) for text, peak in peaks.items() if peak >= least]
    least = min(nlargest(number, chain.from_iterable(row for _, row in high)), default=0.0)
    ranked = [(score, -text, -passage) for text, row in high for passage, score in enumerate(row) if score >= least and score > 0]
    return [(score, -text, -passage) for score, text, passage in nlargest(number, ranked)]
