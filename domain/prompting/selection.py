"""Choosing what to send: a queue of everything worth sending, and how much of it fits into a number of tokens.

This is the multiple-choice knapsack problem with shares: each candidate is bought in steps (a few sentences, the sections that matter,
all of it), and every group of candidates is to have at least and at most a share of what is sent. One queue serves every room. Its
next step is the densest (most worth per token) among the groups that are not above their ceiling, or, while some group that has good
candidates is below its floor, the densest of the group furthest below. Each step then counts as being as dense as its place in the queue
says: one that its floor has brought forward as dense as what it was preferred to, one that its ceiling has held back as dense as what
went before it. So the shares are part of what things are worth, and the queue is in the order of density.

A room is filled from the queue in that order, and what does not fit is skipped, not the end. A larger room never lowers the total: where
two fillings first differ, the larger room takes a step that did not fit the smaller, and that alone outweighs all that the smaller can
still buy, at no better a rate, with less than this step's tokens. Greedy choice can miss one large, valuable thing. So the same filling is
also tried behind each of the few variants that count most, whatever the room (partial enumeration: S. Sahni, "Approximate Algorithms
for the 0/1 Knapsack Problem", 1975), and what counts most of all that fits is tried alone. None of these ever falls as the room grows,
and more of them fit, so neither does the best of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, nlargest
from types import MappingProxyType
from typing import NamedTuple

from domain.prompting.candidates import Variant
from domain.prompting.genres import Share

GOOD = 0.25
"""The least score of a candidate for whose sake a group is given its floor: nobody is served by a floor full of chaff."""

GRACE = 1_000
"""Tokens by which a group may be above its ceiling: among the first few hundred tokens, shares mean nothing."""

ENUMERATED = 4
"""So many of the variants that count most are tried with the rest behind them: the previous chapter's end, and the largest sheets."""

DIGITS = 15
"""Densities are compared to so many decimal places, so that steps of one candidate that are equally dense stay in their order."""

_ANYTHING = Share(floor=0.0, ceiling=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A candidate as it is weighed: its variants, of growing length and worth."""

    group: str
    score: float
    variants: Sequence[Variant]


class Step(NamedTuple):
    """Raises an offer, named by its index, from variant `before` (-1: not sent) to variant `after`."""

    offer: int
    before: int
    after: int
    tokens: int
    worth: float

    @property
    def density(self) -> float:
        return self.worth / self.tokens


Choice = dict[int, int]
"""Which variant of which offer is sent, both by index."""


@dataclass(frozen=True, slots=True)
class Queue:
    """`steps`: from nothing and from every variant to every larger one, in the order in which a room takes them.

    `worths[index][variant]`: what each variant counts for, the shares considered.
    """

    tokens: Sequence[Sequence[int]]
    worths: Sequence[Sequence[float]]
    steps: Sequence[Step]

    def within(self, room: int) -> Choice:
        """What to send in `room` tokens."""
        fitting = [
            (worth, -index, -variant)
            for index, worths in enumerate(self.worths)
            for variant, worth in enumerate(worths)
            if self.tokens[index][variant] <= room
        ]
        alone: list[Choice] = [{-index: -variant} for _, index, variant in [max(fitting)]] if fitting else []
        behind = [self._filled({index: variant}, room - self.tokens[index][variant]) for index, variant in self._fixed(room)]
        return max((self._filled({}, room), *behind, *alone), key=self.worth)

    def _fixed(self, room: int) -> Iterator[tuple[int, int]]:
        """Of the variants that count most of all, whatever the room, those that fit."""
        every = ((worth, -index, -variant) for index, worths in enumerate(self.worths) for variant, worth in enumerate(worths))
        return ((-index, -variant) for _, index, variant in nlargest(ENUMERATED, every) if self.tokens[-index][-variant] <= room)

    def worth(self, choice: Choice) -> float:
        return sum(self.worths[index][variant] for index, variant in sorted(choice.items()))

    def _filled(self, fixed: Choice, left: int) -> Choice:
        choice = dict(fixed)
        for step in self.steps:
            if step.tokens <= left and step.offer not in fixed and choice.get(step.offer, -1) == step.before:
                choice[step.offer] = step.after
                left -= step.tokens
        return choice


def queue(offers: Sequence[Offer], shares: Mapping[str, Share] = MappingProxyType({})) -> Queue:
    """The same for the same offers in the same order; their order breaks ties."""
    groups = {name: _Group(shares.get(name, _ANYTHING)) for name in sorted({offer.group for offer in offers})}
    for index, offer in enumerate(offers):
        groups[offer.group].add(_concave_steps(index, offer.variants), good=offer.score >= GOOD)
    places: dict[int, list[_Place]] = {}
    for rank, (step, density) in enumerate(_in_turn(list(groups.values()))):
        places.setdefault(step.offer, []).append(_Place(rank, step, density))
    worths = [_counted(offer.variants, places.get(index, ())) for index, offer in enumerate(offers)]
    tokens = [[variant.tokens for variant in offer.variants] for offer in offers]
    ranks = {(index, place.step.after): place.rank for index, found in places.items() for place in found}
    last = len(ranks)
    ordered = sorted(
        (-round(worth / length, DIGITS), ranks.get((index, after), last), index, before, after, length, worth)
        for index in range(len(offers))
        for before, after, length, worth in _every_step(tokens[index], worths[index])
    )
    return Queue(tokens, worths, [Step(*step[2:]) for step in ordered])


@dataclass(frozen=True, slots=True)
class _Place:
    """A step's place in the queue, and how dense it counts there."""

    rank: int
    step: Step
    density: float


@dataclass(slots=True)
class _Group:
    """The steps of a group that have not been queued yet, and the tokens of those that have."""

    share: Share
    tokens: int = 0
    waiting: list[tuple[float, int, int, Step, bool]] = field(default_factory=list)

    def add(self, steps: Iterable[Step], *, good: bool) -> None:
        self.waiting.extend((-step.density, step.offer, number, step, good) for number, step in enumerate(steps))

    @property
    def rank(self) -> tuple[float, int, int]:
        return self.waiting[0][:3]

    @property
    def next_is_good(self) -> bool:
        return self.waiting[0][4]


def _in_turn(groups: Sequence[_Group]) -> Iterator[tuple[Step, float]]:
    """The queue, with the densities that its steps count with: they never rise."""
    for group in groups:
        heapify(group.waiting)
    total, density = 0, float("inf")
    while waiting := [group for group in groups if group.waiting]:
        densest = min(waiting, key=lambda group: group.rank)
        starved = [group for group in waiting if group.next_is_good and group.tokens < group.share.floor * total]
        if starved:
            chosen = min(starved, key=lambda group: (group.tokens - group.share.floor * total, group.rank))
        else:
            allowed = [group for group in waiting if group.tokens <= group.share.ceiling * (total + GRACE)]
            chosen = min(allowed, key=lambda group: group.rank) if allowed else densest
        density = min(density, -densest.rank[0] if starved else -chosen.rank[0])
        step = heappop(chosen.waiting)[3]
        chosen.tokens += step.tokens
        total += step.tokens
        yield step, density


def _counted(variants: Sequence[Variant], places: Iterable[_Place]) -> list[float]:
    """What the variants of an offer count for: up to each step of its concave chain, in proportion to what the step counts for."""
    counted, reached = [0.0] * len(variants), 0.0
    for place in sorted(places, key=lambda place: place.step.after):
        step = place.step
        before = variants[step.before].worth if step.before >= 0 else 0.0
        gained = place.density * step.tokens
        for variant in range(step.before + 1, step.after + 1):
            part = (variants[variant].worth - before) / step.worth if step.worth else 0.0
            counted[variant] = reached + gained * part
        reached = counted[step.after]
    return counted


def _concave_steps(index: int, variants: Sequence[Variant]) -> list[Step]:
    """From nothing to all of it by steps of falling density: a variant that a longer one outdoes is passed over."""
    steps: list[Step] = []
    for after in range(len(variants)):
        step = _step_from(steps, index, after, variants)
        while steps and step.density > steps[-1].density:
            steps.pop()
            step = _step_from(steps, index, after, variants)
        steps.append(step)
    return steps


def _step_from(steps: Sequence[Step], index: int, after: int, variants: Sequence[Variant]) -> Step:
    """To variant `after`, from where the last of these steps leads."""
    longer = variants[after]
    if not steps:
        return Step(index, -1, after, max(1, longer.tokens), longer.worth)
    shorter = variants[steps[-1].after]
    return Step(index, steps[-1].after, after, max(1, longer.tokens - shorter.tokens), longer.worth - shorter.worth)


def _every_step(tokens: Sequence[int], worths: Sequence[float]) -> Iterator[tuple[int, int, int, float]]:
    """From every variant (-1: not sent) to every larger one, with its tokens and worth: so that whatever form fits can be reached."""
    for after, (length, worth) in enumerate(zip(tokens, worths, strict=True)):
        yield -1, after, max(1, length), worth
        for before in range(after):
            yield before, after, max(1, length - tokens[before]), worth - worths[before]
