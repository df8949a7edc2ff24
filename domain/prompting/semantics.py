"""Passages that are close in meaning to what a chapter is to tell, by vectors that are stored; fused by rank with those found by words.

Nothing here calls a model: a text that has not been embedded is unknown to this lane, and without any vector it says nothing at all.

Reciprocal rank fusion as in G. Cormack, C. Clarke and S. Büttcher, "Reciprocal Rank Fusion Outperforms Condorcet and Individual Rank
Learning Methods" (2009), with their k.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from operator import mul
from typing import Final, TypeAlias

from domain.prompting.index.text_index import IndexedText
from domain.prompting.index.vectors import Vector, text_key
from domain.prompting.memory import ProjectMemory, TextKey
from domain.prompting.untrusted import clean

Place: TypeAlias = tuple[int, int]
"""A passage, by the numbers of its text and of the passage in it."""

FUSION_K: Final = 60

MOST_NEAR: Final = 30
"""So many passages are nominated by their meaning; fewer than FUSION_K, so that whatever both lanes find comes before what one finds."""

MOST_COMPARED: Final = 4_000
"""Of a longer book, the passages closest before the chapter are compared: some 50 microseconds each, when the brief is new."""

LONGEST_REQUEST: Final = 6_000
"""Characters of title and brief that are embedded: models take some 8,000 tokens, and a character may be one."""


@dataclass(frozen=True, slots=True)
class Meanings:
    """What is known of a project's texts: the vectors of one `model`, by `text_key`."""

    model: str = ""
    vectors: Mapping[bytes, Vector] = field(default_factory=dict)


def request_text(*, title: str, brief: str) -> str:
    """What is embedded of a chapter that is to be written; empty without a brief, for a title alone says too little."""
    brief = clean(brief).strip()
    return "\n\n".join(part for part in (" ".join(clean(title).split()), brief) if part)[:LONGEST_REQUEST] if brief else ""


def passage_texts(content: IndexedText) -> list[str]:
    """What is embedded of a text."""
    return [content.text[start:end] for start, end in content.index.spans]


def nearest(
    request: str,
    texts: Sequence[tuple[TextKey, IndexedText]],
    meanings: Meanings,
    memory: ProjectMemory,
    *,
    most_compared: int = MOST_COMPARED,
) -> list[Place]:
    """The passages closest to `request`, the closest first; of equals, the earlier one. None of those that point away from it.

    `texts` are in book order, and the result numbers them so. What is compared once for a request is kept in `memory`.
    """
    if not request or (asked := meanings.vectors.get(text_key(request))) is None:
        return []
    ranked: list[tuple[float, int, int]] = []
    left = most_compared
    for number in range(len(texts) - 1, -1, -1):
        key, content = texts[number]
        closeness = _closeness(key, content, request, asked, meanings, memory)[-left:] if left else ()
        left -= len(closeness)
        first = len(content.index.spans) - len(closeness)
        ranked += ((score, -number, -passage) for passage, score in enumerate(closeness, start=first) if score > 0)
    return [(-number, -passage) for _, number, passage in nlargest(MOST_NEAR, ranked)]


def fused(*rankings: Sequence[Place]) -> list[Place]:
    """One ranking of several, the best first; of equals, the earlier passage. One ranking alone stays as it is."""
    scores: dict[Place, float] = {}
    for ranking in rankings:
        for rank, place in enumerate(ranking, start=1):
            scores[place] = scores.get(place, 0.0) + 1 / (FUSION_K + rank)
    return sorted(scores, key=lambda place: (-scores[place], place))


def _closeness(
    key: TextKey, content: IndexedText, request: str, asked: Vector, meanings: Meanings, memory: ProjectMemory
) -> Sequence[float]:
    """The cosine for each passage of a text; 0 for those that are unknown."""
    keys = memory.derived(
        ("passage keys", key), lambda: tuple(map(text_key, passage_texts(content))), size=lambda keys: 80 * len(keys), of=key
    )
    vectors = [found if found is not None and len(found) == len(asked) else None for found in map(meanings.vectors.get, keys)]
    # More of a text may be known the next time: what is known says what the values depend on.
    known = sum(1 << number for number, vector in enumerate(vectors) if vector is not None)
    if not known:
        return array("f", bytes(4 * len(keys)))
    return memory.derived(
        ("closeness", key, meanings.model, text_key(request), known),
        lambda: array("f", (0.0 if vector is None else sum(map(mul, asked, vector)) for vector in vectors)),
        size=lambda closeness: 4 * len(closeness),
        of=key,
    )
