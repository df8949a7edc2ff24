"""Finding the passages that a request is about: BM25 over passages, with what their surroundings and their wording add.

BM25 as in S. Robertson and H. Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), with the usual k1 and b. To it
come two neighbouring words of the request that stand side by side, part of the neighbouring passages' scores, the score of the chapter as
a whole, and the words of its title. The numbers are round and were chosen where changing them changed little, each for books other than
those it was then measured on.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import nlargest
from itertools import pairwise
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

RERANKED = 60
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
        self._rows = {term: list(self._lookup(term)) for term in self.times}
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
        scores, coverage = {number: list(row) for number, row in self.passage_scores.items()}, self._coverage
        for number, passage in self._leading(scores):
            scores[number][passage] += self._pairs_in(number, passage)
        whole = self._whole_scores()
        ranked: list[tuple[float, int, int]] = []
        for number, row in scores.items():
            added, factor, last = whole.get(number, 0.0), 1.0 + self._named.get(number, 0.0), len(row) - 1
            for passage, score in enumerate(row):
                if score > 0:
                    near = (row[passage - 1] if passage else 0.0) + (row[passage + 1] if passage < last else 0.0)
                    ranked.append(((score + NEIGHBOUR * near + added) * factor, -number, -passage))
        return [
            Hit(-number, -passage, score, coverage[-number].get(-passage, 0.0) / (self.mass or 1.0), -number in self._named)
            for score, number, passage in nlargest(limit, ranked)
        ]

    @property
    def passage_scores(self) -> Mapping[int, Sequence[float]]:
        """By text, the plain BM25 of all its passages; texts that share nothing with the request are left out."""
        return self._scored[0]

    @property
    def _coverage(self) -> Mapping[int, Mapping[int, float]]:
        return self._scored[1]

    def whole_texts(self) -> Mapping[int, tuple[float, Sequence[str]]]:
        """For each text that holds a term of the request: its score as a whole, and these terms, the weightiest first."""
        found: dict[int, list[tuple[float, str]]] = {}
        average = sum(sum(text.content.index.lengths) for text in self._texts) / max(1, len(self._texts)) or 1.0
        for term, rows in self._rows.items():
            weight = rarity(len(self._texts), len(rows))
            for number, posting in rows:
                length = sum(self._texts[number].content.index.lengths)
                found.setdefault(number, []).append((_saturated(weight, sum(posting[1::2]), length / average), term))
        return {
            number: (sum(sorted(score for score, _ in held)), [term for _, term in sorted(held, key=lambda pair: (-pair[0], pair[1]))])
            for number, held in found.items()
        }

    def passages_of(self, number: int) -> Mapping[int, float]:
        """The scores of a text's own passages, for those that hold a term of the request."""
        scores: dict[int, float] = {}
        for term, rows in self._rows.items():
            for text, posting in rows:
                if text == number:
                    for passage in posting[::2]:
                        scores[passage] = scores.get(passage, 0.0) + self.weights[term]
        return scores

    def _lookup(self, term: str) -> Iterator[tuple[int, Sequence[int]]]:
        for number, text in enumerate(self._texts):
            if posting := text.content.index.postings.get(term):
                yield number, posting

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
    def _scored(self) -> tuple[dict[int, list[float]], dict[int, dict[int, float]]]:
        """By text, the scores of all its passages, and how much of the request's weight they hold."""
        average = sum(sum(text.content.index.lengths) for text in self._texts) / max(1, self._passages) or 1.0
        scores: dict[int, list[float]] = {}
        coverage: dict[int, dict[int, float]] = {}
        for term, rows in self._rows.items():
            weight = self.weights[term]
            for number, posting in rows:
                lengths = self._texts[number].content.index.lengths
                row = scores.setdefault(number, [0.0] * len(lengths))
                held = coverage.setdefault(number, {})
                for passage, times in zip(posting[::2], posting[1::2], strict=True):
                    row[passage] += _saturated(weight, times, lengths[passage] / average)
                    held[passage] = held.get(passage, 0.0) + weight
        return scores, coverage

    def _leading(self, scores: Mapping[int, Sequence[float]]) -> list[tuple[int, int]]:
        ranked = ((score, -number, -passage) for number, row in scores.items() for passage, score in enumerate(row) if score > 0)
        return [(-number, -passage) for _, number, passage in nlargest(RERANKED, ranked)]

    def _pairs_in(self, number: int, passage: int) -> float:
        content = self._texts[number].content
        start, end = content.index.spans[passage]
        found = Counter(pair for pair in pairwise(terms(content.text[start:end])) if pair in self._pairs)
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


def _saturated(weight: float, times: int, relative_length: float) -> float:
    return weight * (K1 + 1) * times / (times + K1 * (1 - B + B * relative_length))
