"""The word lists that stand beside the metrics: each file says who wrote it and how."""

import tomllib
from collections.abc import Mapping
from functools import cache
from itertools import product
from pathlib import Path
from types import MappingProxyType

_FOLDER = Path(__file__).parent


@cache
def english(name: str) -> frozenset[str]:
    """A list of `english.toml`: words in lower case with plain apostrophes. KeyError where there is none of this name."""
    return frozenset(_read("english.toml")[name].split())


@cache
def slop_words() -> frozenset[str]:
    """What language models write far more often than novelists do."""
    return frozenset(_read("slop.toml")["words"].split())


@cache
def slop_phrases() -> Mapping[tuple[str, str], tuple[tuple[str, ...], ...]]:
    """Phrases by their first two words, the longest first."""
    phrases: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for line in _read("slop.toml")["phrases"].splitlines():
        for words in product(*(choice.split("/") for choice in line.split())) if line else ():
            phrases.setdefault((words[0], words[1]), []).append(words)
    return MappingProxyType({first: tuple(sorted(group, key=len, reverse=True)) for first, group in phrases.items()})


@cache
def common_phrases() -> Mapping[str, float]:
    """How often phrases of two and three words stand in a thousand words of English fiction; those not listed are rarer."""
    lines = (_FOLDER / "english_phrases.txt").read_text(encoding="utf-8").splitlines()
    entries = (line.split(" ", 1) for line in lines if not line.startswith("#"))
    return MappingProxyType({phrase: int(count) / 1000 for count, phrase in entries})


@cache
def _read(name: str) -> Mapping[str, str]:
    return MappingProxyType(tomllib.loads((_FOLDER / name).read_text(encoding="utf-8")))
