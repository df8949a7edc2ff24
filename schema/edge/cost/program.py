"""Arithmetic on costs that is worked out as far as it can be before the variables are known.

Whatever depends on no variable is a plain number. The rest is a list of steps without a loop or a call between them, so that
running it takes time linear in their number and no recursion, whatever document they were made from.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

MOST: Final = 2**31 - 1
"""Costs beyond the range of GraphQL's Int are counted as its end: fragments can multiply them without bounds."""

Variables = Mapping[str, object]
Step = Callable[[Sequence[int], Variables], int]


@dataclass(frozen=True, slots=True)
class Slot:
    """The result of a step."""

    index: int


Amount = int | Slot


class Program:
    def __init__(self) -> None:
        self._steps: list[Step] = []

    def __len__(self) -> int:
        return len(self._steps)

    def sum(self, amounts: Iterable[Amount]) -> Amount:
        known, slots = _parted(amounts)
        total = min(sum(known), MOST)
        if not slots or total == MOST:
            return total
        if len(slots) == 1 and total == 0:
            return Slot(slots[0])
        return self.step(lambda results, _: total + sum(results[slot] for slot in slots))

    def product(self, amounts: Iterable[Amount]) -> Amount:
        known, slots = _parted(amounts)
        factor = min(prod(known), MOST)
        if not slots or factor == 0:
            return factor
        if len(slots) == 1 and factor == 1:
            return Slot(slots[0])
        return self.step(lambda results, _: factor * prod(results[slot] for slot in slots))

    def largest(self, amounts: Iterable[Amount]) -> Amount:
        """0 of none."""
        known, slots = _parted(amounts)
        least = max(known, default=0)
        if not slots:
            return least
        if len(slots) == 1 and least == 0:
            return Slot(slots[0])
        return self.step(lambda results, _: max(least, *(results[slot] for slot in slots)))

    def unless(self, amount: Amount, *, variable: str, value: bool) -> Amount:
        """0 where the variable has this value."""
        if amount == 0:
            return 0
        if isinstance(amount, Slot):
            slot = amount.index
            return self.step(lambda results, variables: 0 if variables.get(variable) is value else results[slot])
        return self.step(lambda _, variables: 0 if variables.get(variable) is value else amount)

    def step(self, step: Step) -> Slot:
        """`step` is given the results of the steps before it."""
        self._steps.append(step)
        return Slot(len(self._steps) - 1)

    def run(self, amount: Amount, variables: Variables) -> int:
        if not isinstance(amount, Slot):
            return amount
        results: list[int] = []
        for step in self._steps[: amount.index + 1]:
            results.append(min(step(results, variables), MOST))
        return results[-1]


def _parted(amounts: Iterable[Amount]) -> tuple[list[int], list[int]]:
    """The numbers, and the slots' indices."""
    known, slots = [], []
    for amount in amounts:
        if isinstance(amount, Slot):
            slots.append(amount.index)
        else:
            known.append(amount)
    return known, slots
