"""Two receipts compared: what came in, what went out, what is sent longer or shorter, each with its cause.

All of it is linear in the number of items: a receipt may hold ten thousand.
"""

import re
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from domain.prompting.causes import REQUIRED, Circumstances, why
from domain.prompting.receipts import Decision, PromptItem, PromptReceipt, Source, SourceKind

SCAFFOLDING = "scaffolding"
"""The group of what is neither chosen nor left out: it counts in the receipts' sums, and is no change."""

# What tells the passages of one chapter apart, which all have its version as their source.
_PASSAGE = re.compile(r"\(passages? [^()]*\)$")

Pair = tuple[PromptItem | None, PromptItem | None]
"""The same item in the first and the second receipt; None where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptChange:
    """One item that is sent otherwise. `label`, `group` and `source` are those of `after`, where it has the item at all.

    `tokens` is what it takes more (or less, below 0) than before. `why` reads like 'new evidence: "the Captain" in the brief', several
    causes with semicolons between them.
    """

    label: str
    group: str
    source: Source | None
    before: PromptItem | None
    after: PromptItem | None
    tokens: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptComparison:
    """The changes are in the order of the items of `after`, behind them those of what only `before` has.

    `unchanged` counts the items that both send, and at the same length.
    """

    before: PromptReceipt
    after: PromptReceipt
    came_in: tuple[ReceiptChange, ...]
    went_out: tuple[ReceiptChange, ...]
    longer: tuple[ReceiptChange, ...]
    shorter: tuple[ReceiptChange, ...]
    unchanged: int

    @property
    def identical(self) -> bool:
        """Whether both prompts are the same to the byte."""
        return self.before.digest == self.after.digest

    @property
    def tokens(self) -> int:
        return self.after.tokens_used - self.before.tokens_used


def compare(before: PromptReceipt, after: PromptReceipt) -> ReceiptComparison:
    """The same for the same receipts; compared the other way round, what came in is what went out, and longer is shorter."""
    came_in: list[Pair] = []
    went_out: list[Pair] = []
    longer: list[Pair] = []
    shorter: list[Pair] = []
    unchanged = 0
    for pair in _pairs(_chosen_among(before), _chosen_among(after)):
        was_sent, is_sent = map(_is_sent, pair)
        grown = _growth(pair)
        if was_sent != is_sent:
            (came_in if is_sent else went_out).append(pair)
        elif grown:
            (longer if grown > 0 else shorter).append(pair)
        else:
            unchanged += is_sent
    circumstances = Circumstances(
        before=before,
        after=after,
        required_tokens=_required_tokens(after) - _required_tokens(before),
        others_gained=any(_competes(item) for _, item in (*came_in, *longer)),
        others_lost=any(_competes(item) for item, _ in (*went_out, *shorter)),
    )
    return ReceiptComparison(
        before=before,
        after=after,
        came_in=_told(came_in, circumstances),
        went_out=_told(went_out, circumstances),
        longer=_told(longer, circumstances),
        shorter=_told(shorter, circumstances),
        unchanged=unchanged,
    )


def _chosen_among(receipt: PromptReceipt) -> Sequence[PromptItem]:
    return [item for item in receipt.items if item.group != SCAFFOLDING]


def _is_sent(item: PromptItem | None) -> bool:
    return item is not None and item.decision is not Decision.LEFT_OUT


def _competes(item: PromptItem | None) -> bool:
    """Whether it is weighed against others, rather than sent whatever it takes."""
    return item is not None and item.reason not in REQUIRED


def _growth(pair: Pair) -> int:
    before, after = (item.tokens if item is not None and _is_sent(item) else 0 for item in pair)
    return after - before


def _required_tokens(receipt: PromptReceipt) -> int:
    return sum(item.tokens for item in _chosen_among(receipt) if item.reason in REQUIRED)


def _told(pairs: Sequence[Pair], circumstances: Circumstances) -> tuple[ReceiptChange, ...]:
    return tuple(_change(before, after, circumstances) for before, after in pairs)


def _change(before: PromptItem | None, after: PromptItem | None, circumstances: Circumstances) -> ReceiptChange:
    shown = after or before
    assert shown is not None
    return ReceiptChange(
        label=shown.label,
        group=shown.group,
        source=shown.source,
        before=before,
        after=after,
        tokens=_growth((before, after)),
        why=why(before, after, circumstances),
    )


def _pairs(before: Sequence[PromptItem], after: Sequence[PromptItem]) -> Iterator[Pair]:
    mates = _mates(before, after)
    for index, item in enumerate(after):
        yield (before[mates[index]] if index in mates else None), item
    found = set(mates.values())
    for index, item in enumerate(before):
        if index not in found:
            yield item, None


def _mates(before: Sequence[PromptItem], after: Sequence[PromptItem]) -> Mapping[int, int]:
    """By the indices of items of `after`, those of the same items of `before`; whichever way round it is asked, the same."""
    mates = dict(_named_alike(before, after))
    taken = set(mates.values())
    for name in (_by_source, _by_label, _by_file):
        known = _unique(before, name)
        for key, index in _unique(after, name).items():
            mate = known.get(key)
            if mate is not None and mate not in taken and index not in mates:
                mates[index] = mate
                taken.add(mate)
    return mates


def _named_alike(before: Sequence[PromptItem], after: Sequence[PromptItem]) -> Iterator[tuple[int, int]]:
    """Should several have all of their names in common, they are taken in turn."""
    known: defaultdict[Hashable, deque[int]] = defaultdict(deque)
    for index, item in enumerate(before):
        known[item.source, item.group, item.label].append(index)
    for index, item in enumerate(after):
        if mates := known.get((item.source, item.group, item.label)):
            yield index, mates.popleft()


def _unique(items: Sequence[PromptItem], name: Callable[[PromptItem], Hashable]) -> Mapping[Hashable, int]:
    """Where the items are that no other one shares its name with. None is no name."""
    named: defaultdict[Hashable, list[int]] = defaultdict(list)
    for index, item in enumerate(items):
        if (key := name(item)) is not None:
            named[key].append(index)
    return {key: indices[0] for key, indices in named.items() if len(indices) == 1}


def _by_source(item: PromptItem) -> Hashable:
    """Finds what has been renamed or moved. Two passages of one chapter are two things, even if each receipt has only one of them."""
    if item.source is None:
        return None
    passage = _PASSAGE.search(item.label) if item.source.kind is SourceKind.CHAPTER_VERSION else None
    return item.source, item.group, passage and passage.group()


def _by_label(item: PromptItem) -> Hashable:
    """Finds what has been written anew: an edited chapter is another version."""
    return item.source and item.source.kind, item.group, item.label


def _by_file(item: PromptItem) -> Hashable:
    """Finds a file that is now of another kind, and so for another part of the prompt."""
    return item.source if item.source and item.source.kind is SourceKind.REFERENCE_FILE else None
