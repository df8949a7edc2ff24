"""Choosing what to send: the variants worth most that fit into a number of tokens.

This is the multiple-choice knapsack problem. Each candidate is bought in steps (its reduced form, then the rest, or all at once), steps are tried in the
order of their worth per token, and a step that does not fit is skipped, not the end. Greedy choice can miss one large, valuable
item, so it is also tried behind each of the most valuable variants, and the best outcome is kept (partial enumeration: S. Sahni,
"Approximate Algorithms for the 0/1 Knapsack Problem", 1975).

A larger room never lowers the total. Where two greedy runs first differ, the larger room takes a step that did not fit the smaller,
and that alone outweighs all that the smaller can still buy, at no better a rate, with less than this step's tokens. The same holds
behind each enumerated variant, and so for the best of them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from domain.prompting.candidates import Variant

ENUMERATED = 24


@dataclass(frozen=True, slots=True)
class _Step:
    """Raises candidate `index` from variant `before` (-1: not sent) to variant `after`."""

    index: int
    before: int
    after: int
    tokens: int
    worth: float


Choice = dict[int, int]
"""Which variant of which candidate is sent, both by index."""


def select(candidates: Sequence[Sequence[Variant]], room: int) -> Choice:
    """The same for the same candidates in the same order; their order breaks ties."""
    steps = sorted(
        (step for index, variants in enumerate(candidates) for step in _steps(index, variants)),
        key=lambda step: (-step.worth / step.tokens, step.index, step.after),
    )
    best = _fill(steps, room, {})
    for index, variant in _most_valuable(candidates):
        left = room - candidates[index][variant].tokens
        if left >= 0:
            best = max(best, _fill(steps, left, {index: variant}), key=lambda choice: total_worth(candidates, choice))
    return best


def total_worth(candidates: Sequence[Sequence[Variant]], choice: Choice) -> float:
    return sum(candidates[index][variant].worth for index, variant in sorted(choice.items()))


def _most_valuable(candidates: Sequence[Sequence[Variant]]) -> list[tuple[int, int]]:
    """Chosen without regard to the room, so that a larger room has at least the same ones to try."""
    offered = [(index, variant) for index, variants in enumerate(candidates) for variant in range(len(variants))]
    return sorted(offered, key=lambda pair: (-candidates[pair[0]][pair[1]].worth, pair))[:ENUMERATED]


def _fill(steps: Iterable[_Step], room: int, fixed: Choice) -> Choice:
    chosen = dict(fixed)
    for step in steps:
        if step.index not in fixed and step.tokens <= room and chosen.get(step.index, -1) == step.before:
            chosen[step.index] = step.after
            room -= step.tokens
    return chosen


def _steps(index: int, variants: Sequence[Variant]) -> Iterator[_Step]:
    """From nothing and from every variant to every larger one, so that whatever form fits can be reached."""
    for before in range(-1, len(variants)):
        tokens, worth = (variants[before].tokens, variants[before].worth) if before >= 0 else (0, 0.0)
        for after in range(before + 1, len(variants)):
            yield _Step(index, before, after, variants[after].tokens - tokens, variants[after].worth - worth)
