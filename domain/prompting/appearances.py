"""Who is named where in the chapters written so far: found once for each text, and kept as long as the names stay the same."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.prompting.index.text_index import IndexedText
from domain.prompting.mentions import NameIndex


@dataclass(frozen=True, slots=True)
class Appearances:
    """What one text says of whom.

    `counts`: how often each file is named; where several files share a name, each place counts for a part. `passages[i]`: the same for
    the passage with that number. `names`: how each file is named there first, and where that begins.
    """

    counts: Mapping[UUID, float]
    passages: Sequence[Mapping[UUID, float]]
    names: Mapping[UUID, tuple[str, int]]

    @property
    def size(self) -> int:
        """About how many bytes it takes up in memory."""
        return 200 * (len(self.counts) + len(self.names)) + sum(64 + 100 * len(passage) for passage in self.passages)


_NOBODY: Mapping[UUID, float] = {}


def appearances(content: IndexedText, names: NameIndex) -> Appearances:
    """CPU-bound: some 50 ms for a novel of 200,000 words."""
    starts = [start for start, _ in content.index.spans]
    counts: Counter[UUID] = Counter()
    passages: dict[int, Counter[UUID]] = {}
    first: dict[UUID, tuple[str, int]] = {}
    for match in names.find(content.text):
        number = bisect_right(starts, match.start) - 1
        share = 1 / len(match.file_ids)
        there = passages.setdefault(number, Counter())
        for file_id in match.file_ids:
            counts[file_id] += share  # type: ignore[assignment]  # shares are no integers, and Counter adds them all the same
            there[file_id] += share  # type: ignore[assignment]
            first.setdefault(file_id, (match.matched, match.start))
    return Appearances(counts, [passages.get(number, _NOBODY) for number in range(len(starts))], first)
