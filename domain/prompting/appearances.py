"""Who is named where in a text, in narration and in speech: found once for each text, and kept as long as the names stay the same."""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from domain.prompting.index.text_index import IndexedText
from domain.prompting.mentions import NameIndex

_CLOSING: Mapping[str, str] = MappingProxyType(
    {'"': '"”', "“": '”"', "„": "“”", "«": "»", "»": "«", "「": "」", "『": "』"}  # as in English, German, French, Danish and Japanese
)
_QUOTE = re.compile('["“”„«»「」『』]')
_BEFORE_CALLED = frozenset({", ", "! ", "? ", "O ", "« ", "«\u00a0", "«\u202f"})
_BEHIND_CALLED = ',!?."”“«»、，！？。」』'  # noqa: RUF001  - full-width marks as typed
_FIRST_PERSON = re.compile(r"\b(?:I|[Mm]y|[Mm]e|[Mm]yself|mine)\b")
_WORD = re.compile(r"\b\w+")


@dataclass(frozen=True, slots=True)
class Passage:
    """How often each file is named in a passage, and how often of these in what somebody says."""

    named: Mapping[UUID, float]
    in_speech: Mapping[UUID, float]


@dataclass(frozen=True, slots=True)
class Appearances:
    """What one text says of whom. Where several files share a name, each place counts for a part.

    `names`: how each file is named there first, as it stands. `addressed`: how often somebody is called by name in speech.
    `first_person` and `narrated` count words outside of speech: those in which a narrator says "I", and all.
    """

    passages: Sequence[Passage]
    named: Mapping[UUID, float]
    names: Mapping[UUID, str]
    addressed: Mapping[UUID, float]
    first_person: int
    narrated: int

    @property
    def size(self) -> int:
        """About how many bytes it takes up in memory."""
        return 300 * (len(self.named) + len(self.addressed)) + sum(120 + 200 * len(passage.named) for passage in self.passages)


_EMPTY = Passage({}, {})


def appearances(content: IndexedText, names: NameIndex) -> Appearances:
    """CPU-bound: some 5 ms for a chapter of 5,000 words."""
    text, spans = content.text, content.index.spans
    starts = [start for start, _ in spans]
    speech = _Speech(text, spans)
    named: dict[UUID, float] = {}
    addressed: dict[UUID, float] = {}
    first: dict[UUID, str] = {}
    passages: dict[int, Passage] = {}
    for match in names.find(text):
        share = 1 / len(match.file_ids)
        passage = passages.setdefault(bisect_right(starts, match.start) - 1, Passage({}, {}))
        spoken = speech.holds(match.start)
        called = spoken and _is_called(text, match.start, match.end)
        for file_id in match.file_ids:
            first.setdefault(file_id, " ".join(match.matched.split()))
            for counts, counted in ((named, True), (passage.named, True), (passage.in_speech, spoken), (addressed, called)):
                if counted:
                    counts[file_id] = counts.get(file_id, 0.0) + share  # type: ignore[index]  # its own dictionaries, until it is handed out
    return Appearances(
        [passages.get(number, _EMPTY) for number in range(len(spans))],
        named,
        first,
        addressed,
        first_person=sum(not speech.holds(match.start()) for match in _FIRST_PERSON.finditer(text)),
        narrated=sum(len(_WORD.findall(text, start, end)) for start, end in speech.narration),
    )


def _is_called(text: str, start: int, end: int) -> bool:
    """Whether a name within speech stands as it does where somebody is spoken to: set off by a comma, or at the speech's beginning."""
    before = text[start - 1 : start]
    return text[end : end + 1] in _BEHIND_CALLED and (
        text[max(0, start - 2) : start] in _BEFORE_CALLED or before in _CLOSING or (before != "" and before in "、，！？")  # noqa: RUF001
    )


class _Speech:
    """What stands between quotation marks. A mark that is never closed ends with its passage."""

    def __init__(self, text: str, spans: Sequence[tuple[int, int]]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self.narration: list[tuple[int, int]] = []
        for start, end in spans:
            reached, opened = start, -1
            for match in _QUOTE.finditer(text, start, end):
                at, mark = match.start(), match.group()
                if opened < 0 and mark in _CLOSING:
                    self.narration.append((reached, at))
                    opened = at
                elif opened >= 0 and mark in _CLOSING[text[opened]]:
                    self._add(opened, at)
                    reached, opened = at + 1, -1
            if opened >= 0:
                self._add(opened, end)
            else:
                self.narration.append((reached, end))

    def _add(self, start: int, end: int) -> None:
        self._starts.append(start)
        self._ends.append(end)

    def holds(self, position: int) -> bool:
        number = bisect_right(self._starts, position) - 1
        return number >= 0 and position < self._ends[number]
