"""Shingles: every five words in a row as one number, by which passages are found again in other texts.

The numbers are polynomial hashes (Karp and Rabin, 1987) of the words' own hashes, modulo the prime 2^61 - 1. They are the same in every
process and on every machine, and of a million shingles two different ones share a number about once in five million books.
"""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from domain.assessing.metrics.once import once_per_reading
from domain.assessing.metrics.reading import Reading
from domain.prompting.material import ChapterText, PromptMaterial
from domain.prompting.memory import TextKey

SHINGLE_WORDS: Final = 5
_PRIME: Final = (1 << 61) - 1
_BASE: Final = 0x1F3D5B79A2C4E68B % _PRIME
_LEADING: Final = pow(_BASE, SHINGLE_WORDS - 1, _PRIME)
_BUCKET_BITS: Final = 20
_BUCKET_SHIFT: Final = 61 - _BUCKET_BITS
_FORMAT: Final = 1
"""Part of the keys of what is remembered: raised when words or hashes are made in another way."""

KNOWN_WORDS: Final = 1 << 15


def shingles(words: Sequence[str]) -> list[int]:
    """The number at place i is that of the words i to i + 4. About 2 ms for 5,000 words."""
    if len(words) < SHINGLE_WORDS:
        return []
    numbers = [_word(word) for word in words]
    value = 0
    for number in numbers[:SHINGLE_WORDS]:
        value = (value * _BASE + number) % _PRIME
    found = [value]
    for leaving, coming in zip(numbers, numbers[SHINGLE_WORDS:], strict=False):
        value = ((value - leaving * _LEADING) * _BASE + coming) % _PRIME
        found.append(value)
    return found


@once_per_reading
def shingles_of(reading: Reading) -> Sequence[int]:
    """Those of a text's words."""
    return shingles(reading.words)


@lru_cache(maxsize=KNOWN_WORDS)
def _word(word: str) -> int:
    return int.from_bytes(blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") % _PRIME


def sorted_shingles(material: PromptMaterial, chapter: ChapterText) -> "array[int]":
    """Those of an earlier chapter, each once."""

    def make() -> "array[int]":
        reading = Reading(chapter.content.text, language=material.project.language)
        return array("Q", sorted(set(shingles(reading.words))))

    key = ("shingles", _FORMAT, chapter.key)
    return material.memory.derived(key, make, size=_size, of=chapter.key)


@dataclass(frozen=True, slots=True)
class KnownShingles:
    """`numbers` in ascending order; `buckets` has a 1 where some number begins with the bits of its index, which answers most questions."""

    numbers: "array[int]"
    buckets: bytes

    def holds(self, number: int) -> bool:
        return self.buckets[number >> _BUCKET_SHIFT] == 1 and holds(self.numbers, number)


def holds(numbers: Sequence[int], number: int) -> bool:
    """Whether it is among these numbers, which are in ascending order."""
    place = bisect_left(numbers, number)
    return place < len(numbers) and numbers[place] == number


def earlier_shingles(material: PromptMaterial) -> KnownShingles:
    """Those of all earlier chapters: one search in them is one search in all chapters."""
    keys: tuple[TextKey, ...] = tuple(chapter.key for chapter in material.earlier)

    def make() -> KnownShingles:
        together: set[int] = set()
        for chapter in material.earlier:
            together.update(sorted_shingles(material, chapter))
        buckets = bytearray(1 << _BUCKET_BITS)
        for number in together:
            buckets[number >> _BUCKET_SHIFT] = 1
        return KnownShingles(array("Q", sorted(together)), bytes(buckets))

    return material.memory.derived(
        ("all shingles", _FORMAT, keys), make, size=lambda known: _size(known.numbers) + len(known.buckets), of=keys[-1] if keys else None
    )


def _size(numbers: "array[int]") -> int:
    return numbers.itemsize * len(numbers)
