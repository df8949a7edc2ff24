"""What sending something is worth, in parts of all that a chapter needs, so that a character sheet and a passage can be weighed.

Every group of candidates has a need: its part of what a prompt is for. A candidate covers a part of its group's need, as large as its
merit (its chance to be needed, times how much is made of it then) is among the merits of all candidates of the group. What is sent of
it in part is worth that part. So the worth per token of a sheet is its merit by its length, whatever else is there, and a group in
which nothing is likely does not outbid one in which much is.
"""

from collections.abc import Mapping
from math import exp, log
from types import MappingProxyType

NEEDS: Mapping[str, float] = MappingProxyType(
    {
        "cast": 0.36,
        "world": 0.09,
        "earlier text": 0.12,
        "story so far": 0.08,
        "recent text": 0.14,
        "style": 0.06,
        "outline": 0.05,
        "research": 0.04,
        "notes": 0.03,
    }
)
"""Cast and places are to each other as 60 : 15, as they are weighed for measuring on novels; passages stand a little lower than the 25 they
have there, since most chapters call back to nothing. The rest is judgement."""

LEAST_MERITS: Mapping[str, float] = MappingProxyType({"cast": 3.0, "world": 1.5})
"""What the merits of a group are taken to sum to at least: one weak candidate alone does not cover the need of its group."""

STEADY_CHARACTERS = 7_200
"""So much of a text tells as much by the page; of what goes beyond (a bible of a hundred pages), each page tells less and less."""

TAIL_TOKENS = 700
"""How quickly the recent text tells less and less, the further back it goes."""


def share_of_need(group: str, merit: float, merits: float) -> float:
    """What a candidate is worth in full; `merits` is the sum over its group."""
    return NEEDS[group] * merit / max(merits, LEAST_MERITS.get(group, 1.0))


def share_of_text(characters: int, total: int) -> float:
    """What a part of a text is worth of the whole."""
    return _telling(characters) / _telling(total)


def worth_of_tail(tokens: int) -> float:
    """What the last `tokens` of the previous chapter are worth of all the recent text."""
    return 1.0 - exp(-tokens / TAIL_TOKENS)


def _telling(characters: int) -> float:
    if characters <= STEADY_CHARACTERS:
        return float(max(1, characters))
    return STEADY_CHARACTERS * (1.0 + log(characters / STEADY_CHARACTERS))
