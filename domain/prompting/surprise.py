"""How surprising a word is, in bits: rare words that two texts share are a sign that one calls back to the other."""

from collections.abc import Collection, Mapping
from functools import cache
from math import log2
from pathlib import Path
from types import MappingProxyType

_DATA = Path(__file__).with_name("english_words.txt")

MOST_BITS = 22.0


def in_english(words: Collection[str]) -> Mapping[str, float]:
    """By word, from how often it stands in English novels."""
    known, unknown = _english()
    return {word: known.get(word, unknown) for word in words}


def in_this_book(words: Collection[str], *, counts: Mapping[str, int], total: int) -> Mapping[str, float]:
    """By word, from how often each stands in the book so far, of `total` words: for the languages of which nothing else is known."""
    return {word: min(MOST_BITS, 1 + log2(total + 1) - log2(counts.get(word, 0) + 0.5)) for word in words}


@cache
def _english() -> tuple[Mapping[str, float], float]:
    """The bits of the words on the list, and of any other, which is taken to be rarer still. The file says how it was made."""
    heading, _, *lines = _DATA.read_text(encoding="utf-8").splitlines()
    bits_of_all = log2(next(int(word) for word in heading.split() if word.isdecimal()))
    known = {word: bits_of_all - int(exponent) for exponent, *words in map(str.split, lines) for word in words}
    return MappingProxyType(known), bits_of_all + 2
