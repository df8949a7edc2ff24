"""The index of one text: its passages and, for each term, the passages that hold it. Made when the text is saved, and kept with it."""

import json
import sys
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from domain.prompting.index.passages import Span, passages
from domain.prompting.index.terms import terms
from domain.prompting.untrusted import clean

FORMAT = 2
"""Raised when passages or terms are made in another way: an index of another format is made anew instead of being read."""


@dataclass(frozen=True, slots=True)
class TextIndex:
    """`spans` are the passages of the cleaned text, `lengths` how many terms each holds; a posting is passage, count, passage, count ..."""

    spans: tuple[Span, ...]
    lengths: tuple[int, ...]
    postings: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class IndexedText:
    """`text` is cleaned: it has line feeds as its only line ends, and nothing invisible."""

    text: str
    index: TextIndex

    @property
    def size(self) -> int:
        """About how many bytes it takes up in memory."""
        return sys.getsizeof(self.text) + 120 * len(self.index.postings) + 12 * sum(map(len, self.index.postings.values()))


def cleaned(text: str) -> str:
    return clean(text).strip()


def index_text(text: str) -> TextIndex:
    """CPU-bound: some 20 ms for a chapter of 5,000 words. `text` need not be clean, but its index is that of the cleaned text."""
    text = cleaned(text)
    spans = passages(text)
    lengths: list[int] = []
    postings: dict[str, list[int]] = {}
    for number, (start, end) in enumerate(spans):
        counts = Counter(terms(text[start:end]))
        lengths.append(counts.total())
        for term, count in counts.items():
            postings.setdefault(sys.intern(term), []).extend((number, count))
    return TextIndex(spans, tuple(lengths), {term: tuple(posting) for term, posting in postings.items()})


def indexed(text: str) -> IndexedText:
    return IndexedText(cleaned(text), index_text(text))


def pack(index: TextIndex) -> bytes:
    document = [FORMAT, index.spans, index.lengths, index.postings]
    return zlib.compress(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(), 1)


def unpack(packed: bytes) -> TextIndex | None:
    """None for an index of another format."""
    found, *rest = json.loads(zlib.decompress(packed))
    if found != FORMAT:
        return None
    spans, lengths, postings = rest
    return TextIndex(
        tuple((start, end) for start, end in spans),
        tuple(lengths),
        {sys.intern(term): tuple(posting) for term, posting in postings.items()},
    )
