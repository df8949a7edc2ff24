"""What the book has made of each reference file so far: how often, how recently and in whose company it was named.

Nothing here depends on the request, so it is worked out once for the chapters and names as they are, and kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log, log1p, log2
from uuid import UUID

from domain.prompting.appearances import Appearances

PRESENT = 0.34
"""How much it takes to be present in a chapter: one mention that is shared with three or more other files is not enough."""

PAGE_CHARACTERS = 4_400
"""Some 1,000 tokens: what has just happened."""

STAGE_CHARACTERS = 3_500
"""Over so many characters, having been named fades to a third."""

FADING, SLOW_FADING, WEIGHT_FADING = 2, 8, 6
"""Chapters after which a chapter counts half: for who is about, for who comes with whom, for how much is made of somebody."""

NEVER = 20
"""How many chapters ago somebody is taken to have been named who never was."""

FIRST_PERSON_FROM, FIRST_PERSON_FULLY = 0.015, 0.03
"""The share of "I" and "my" in the narration from which a book is told in the first person."""

Cast = Mapping[UUID, float]
"""Who is present in a chapter, with weights: 1 + log2 of how often they are named."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """An earlier chapter: where its passages stand, and who is named where."""

    spans: Sequence[tuple[int, int]]
    appearances: Appearances


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """`static`: for each file, the features that do not depend on the request. `stage`: who is on the page now; sums to 1.

    `recently`: in how many of the recent chapters each file is present, 0..1. `fading[i]`: how much chapter `i` still counts.
    """

    casts: Sequence[Cast]
    static: Mapping[UUID, Mapping[str, float]]
    stage: Mapping[UUID, float]
    last_cast: Mapping[UUID, float]
    recently: Mapping[UUID, float]
    fading: Sequence[float]
    chapters_with: Mapping[UUID, Sequence[int]]

    @property
    def size(self) -> int:
        """About how many bytes it takes up in memory."""
        return 1_500 * len(self.static) + sum(100 * len(cast) for cast in self.casts)


def history(files: Mapping[UUID, bool], chapters: Sequence[Chapter]) -> History:
    """`files` says of each file whether it is a character's. CPU-bound: some 10 ms for a novel of 200,000 words."""
    number = len(chapters)
    counts = [{file_id: named for file_id, named in each.appearances.named.items() if file_id in files} for each in chapters]
    casts = [{file_id: 1 + log2(max(named, 1)) for file_id, named in each.items() if named >= PRESENT} for each in counts]
    chapters_with: dict[UUID, list[int]] = {}
    for index, cast in enumerate(casts):
        for file_id in cast:
            chapters_with.setdefault(file_id, []).append(index)
    recent, slow = _fading(number, FADING), _fading(number, SLOW_FADING)
    page = _page(chapters, files)
    shared = _Shared(
        characters=sum(files.values()),
        number=number,
        recently=_presence(casts, recent),
        prominence=_prominence(casts, recent, files),
        weight=_usual_weight(casts),
        page=page,
        totals=_totals(counts),
        told=_told(chapters),
        carried=_carried(casts, files),
        cast_size=_cast_size(casts, files),
        first_person=_first_person(chapters),
    )
    stage = {file_id: log1p(named) for file_id, named in page.stage.items()}
    whole = sum(stage.values()) or 1.0
    return History(
        casts=casts,
        static={file_id: shared.features(file_id, is_character, counts, casts, chapters_with) for file_id, is_character in files.items()},
        stage={file_id: named / whole for file_id, named in stage.items()},
        last_cast={file_id: log1p(named) for file_id, named in counts[-1].items() if files[file_id]} if counts else {},
        recently=_presence(casts, slow),
        fading=slow,
        chapters_with=chapters_with,
    )


@dataclass(frozen=True, slots=True)
class _Page:
    """Who has been named on the last page: at all, outside of speech, and how vividly they still stand before the reader."""

    named: dict[UUID, float]
    told: dict[UUID, float]
    stage: dict[UUID, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """What the features of all files are made of."""

    characters: int
    number: int
    recently: Mapping[UUID, float]
    prominence: Mapping[UUID, float]
    weight: Mapping[UUID, float]
    page: _Page
    totals: Mapping[UUID, float]
    told: Mapping[UUID, tuple[float, float]]
    carried: float
    cast_size: float
    first_person: float

    def features(
        self,
        file_id: UUID,
        is_character: bool,
        counts: Sequence[Mapping[UUID, float]],
        casts: Sequence[Cast],
        chapters_with: Mapping[UUID, Sequence[int]],
    ) -> Mapping[str, float]:
        seen = chapters_with.get(file_id, ())
        share = len(seen) / self.number if self.number else 0.0
        told, addressed = self.told.get(file_id, (0.0, 0.0))
        recently = self.recently.get(file_id, 0.0)
        return {
            "on_page": log1p(self.page.named.get(file_id, 0.0)),
            "on_page_told": log1p(max(0.0, self.page.told.get(file_id, 0.0))),
            "absence": log1p(self.number - 1 - seen[-1] if seen else NEVER),
            "recent": recently,
            "steady_recent": (self.carried - 0.5) * recently,
            "away_regular": share if self.number and file_id not in casts[-1] else 0.0,
            "once_only": float(len(seen) == 1),
            "last_but_one": log1p(counts[-2].get(file_id, 0.0)) if self.number > 1 else 0.0,
            "per_chapter": log1p(self.totals.get(file_id, 0.0) / self.number) if self.number else 0.0,
            "prominence": self.prominence.get(file_id, 0.0),
            "commonness": log(share + 0.02),
            "usual_weight": self.weight.get(file_id, 2.2),
            "narrator": self.first_person * addressed / (addressed + 2 * told + 3) if is_character else 0.0,
            "cast_size": self.cast_size,
        }


def _fading(number: int, half: int) -> list[float]:
    return [0.5 ** ((number - 1 - index) / half) for index in range(number)]


def _presence(casts: Sequence[Cast], fading: Sequence[float]) -> Mapping[UUID, float]:
    whole, present = sum(fading) or 1.0, dict[UUID, float]()
    for cast, counted in zip(casts, fading, strict=True):
        for file_id in cast:
            present[file_id] = present.get(file_id, 0.0) + counted / whole
    return present


def _prominence(casts: Sequence[Cast], fading: Sequence[float], files: Mapping[UUID, bool]) -> Mapping[UUID, float]:
    """The share of all weight, among characters or among the others."""
    whole, prominence = sum(fading) or 1.0, dict[UUID, float]()
    for cast, counted in zip(casts, fading, strict=True):
        weights = {kind: sum(weight for file_id, weight in cast.items() if files[file_id] is kind) for kind in (True, False)}
        for file_id, weight in cast.items():
            prominence[file_id] = prominence.get(file_id, 0.0) + counted * weight / max(1.0, weights[files[file_id]]) / whole
    return prominence


def _usual_weight(casts: Sequence[Cast]) -> Mapping[UUID, float]:
    """The weight somebody has where they are present, drawn towards 2.2 while little is known."""
    sums: dict[UUID, tuple[float, float]] = {}
    for cast, counted in zip(casts, _fading(len(casts), WEIGHT_FADING), strict=True):
        for file_id, weight in cast.items():
            weighted, times = sums.get(file_id, (4.4, 2.0))
            sums[file_id] = (weighted + counted * weight, times + counted)
    return {file_id: weighted / times for file_id, (weighted, times) in sums.items()}


def _page(chapters: Sequence[Chapter], files: Mapping[UUID, bool]) -> _Page:
    page, back = _Page({}, {}, {}), 0.0
    for chapter in reversed(chapters):
        for (start, end), passage in zip(reversed(chapter.spans), reversed(chapter.appearances.passages), strict=True):
            middle = back + (end - start) / 2
            back += end - start
            for file_id, named in passage.named.items():
                if file_id not in files:
                    continue
                if middle <= PAGE_CHARACTERS:
                    page.named[file_id] = page.named.get(file_id, 0.0) + named
                    page.told[file_id] = page.told.get(file_id, 0.0) + named - passage.in_speech.get(file_id, 0.0)
                if files[file_id]:
                    page.stage[file_id] = page.stage.get(file_id, 0.0) + named * exp(-middle / STAGE_CHARACTERS)
            if middle > 6 * PAGE_CHARACTERS:
                return page
    return page


def _totals(counts: Sequence[Mapping[UUID, float]]) -> Mapping[UUID, float]:
    totals: dict[UUID, float] = {}
    for each in counts:
        for file_id, named in each.items():
            totals[file_id] = totals.get(file_id, 0.0) + named
    return totals


def _told(chapters: Sequence[Chapter]) -> Mapping[UUID, tuple[float, float]]:
    """How often each file is named outside of speech, and how often somebody is called by its name."""
    told: dict[UUID, tuple[float, float]] = {}
    for chapter in chapters:
        spoken: dict[UUID, float] = {}
        for passage in chapter.appearances.passages:
            for file_id, named in passage.in_speech.items():
                spoken[file_id] = spoken.get(file_id, 0.0) + named
        for file_id, named in chapter.appearances.named.items():
            narrated, addressed = told.get(file_id, (0.0, 0.0))
            called = chapter.appearances.addressed.get(file_id, 0.0)
            told[file_id] = (narrated + named - spoken.get(file_id, 0.0), addressed + called)
    return told


def _carried(casts: Sequence[Cast], files: Mapping[UUID, bool]) -> float:
    """The share of a chapter's characters that this book carries on into the next."""
    people = [{file_id for file_id in cast if files[file_id]} for cast in casts]
    both = sum(len(one & other) for one, other in pairwise(people))
    return (both + 2) / (sum(map(len, people[1:])) + 4)


def _cast_size(casts: Sequence[Cast], files: Mapping[UUID, bool]) -> float:
    """The share of all characters that a chapter of this book needs."""
    characters = sum(files.values())
    recent = sum(sum(files[file_id] for file_id in cast) for cast in casts[-5:])
    return (recent + 0.3 * characters) / (max(1, characters) * (min(5, len(casts)) + 1))


def _first_person(chapters: Sequence[Chapter]) -> float:
    recent = [chapter.appearances for chapter in chapters[-3:]]
    share = sum(each.first_person for each in recent) / max(1, sum(each.narrated for each in recent))
    return min(share / FIRST_PERSON_FULLY, 1.5) if share > FIRST_PERSON_FROM else 0.0
