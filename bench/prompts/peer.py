"""The cheapest retrieval there is: BM25 over the same passages, in plain Python, with its postings in memory."""

from collections import Counter
from heapq import nlargest
from math import log

from domain.prompting.index.terms import terms
from domain.prompting.material import PromptMaterial

_K1, _B = 1.2, 0.75


class PlainSearch:
    def __init__(self, material: PromptMaterial) -> None:
        self._postings: dict[str, list[tuple[int, int]]] = {}
        self._lengths: list[int] = []
        for text in material.earlier:
            for start, end in text.content.index.spans:
                counts = Counter(terms(text.content.text[start:end]))
                for term, times in counts.items():
                    self._postings.setdefault(term, []).append((len(self._lengths), times))
                self._lengths.append(counts.total())
        self._average = sum(self._lengths) / len(self._lengths)

    def best(self, request: str, number: int = 24) -> list[int]:
        scores: dict[int, float] = {}
        for term in set(terms(request)):
            posting = self._postings.get(term, ())
            weight = log(1 + (len(self._lengths) - len(posting) + 0.5) / (len(posting) + 0.5))
            for passage, times in posting:
                length = self._lengths[passage] / self._average
                scores[passage] = scores.get(passage, 0.0) + weight * times * (_K1 + 1) / (times + _K1 * (1 - _B + _B * length))
        return nlargest(number, scores, key=scores.__getitem__)
