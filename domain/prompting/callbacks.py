"""Call-backs: rare words and phrases of the request that stand in one sentence far back, so that the chapter probably returns to it."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from math import exp, log2
from typing import TypeAlias

from domain.prompting.index.passages import Span, sentences
from domain.prompting.index.terms import STOP_WORDS, stem, word_spans, words
from domain.prompting.material import ChapterText
from domain.prompting.surprise import in_english, in_this_book

MOST_TIMES = 3
"""What the book has said more often is its way of speaking, no event to come back to."""

LEAST_DISTANCE = 3
"""Chapters: what is nearer reaches the model as recent text."""

RARE = 12
"""Passages: a word, in all its forms, or two neighbouring words that stand in more of them are not looked at more closely."""

ORDINARY_BITS = 6.0
"""The surprise of a word that is nothing special: only what exceeds it counts."""


@dataclass(frozen=True, slots=True)
class Callback:
    """A sentence `span` of the text with this number, and its chance (0..1) to be needed.

    `asked` stands in the request, and `said` in the sentence: the same words, perhaps with other capitals and points between them.
    """

    text: int
    span: Span
    asked: str
    said: str
    chance: float


@dataclass(frozen=True, slots=True)
class _Run:
    """Words `[first, last)` of a sentence of the request, found in a sentence of a text."""

    sentence: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Place:
    """`word`: the number of the stretch's first word in the sentence `span`."""

    text: int
    word: int
    span: Span


def callbacks(request: str, texts: Sequence[ChapterText], *, position: int, names: Collection[str], language: str = "en") -> list[Callback]:
    """The likeliest first, at most one for each stretch of the request.

    `position` is that of the chapter to be written; `names` are words that name somebody or something on file; `language` is a BCP 47
    tag.
    """
    lines = [request[start:end] for start, end in sentences(request, (0, len(request)))]
    stretches = [list(word_spans(line)) for line in lines]
    asked = [[word for word, _, _ in line] for line in stretches]
    places = _places(asked, texts)
    content = {word for line in asked for word in line if word not in STOP_WORDS}
    if language.lower().split("-")[0] == "en":
        bits = in_english(content)
    else:
        counts, total = _counts(content, texts)
        bits = in_this_book(content, counts=counts, total=total)
    found: list[tuple[float, _Run, _Place]] = []
    covering = _covering(places)
    for run, where in places.items():
        line = asked[run.sentence]
        everywhere = where.union(*(places[wider] for wider in covering[run.sentence, run.first] if run.last <= wider.last))
        distance = position - max(texts[place.text].chapter.position for place in everywhere)
        if len(everywhere) <= MOST_TIMES and distance >= LEAST_DISTANCE:
            chance = _chance(line[run.first : run.last], bits, distance, names)
            found.append((chance, run, min(where, key=lambda place: (place.text, place.span, place.word))))
    found.sort(key=lambda one: (-one[0], one[1].sentence, one[1].first, one[1].last))
    return [
        Callback(
            text=place.text,
            span=place.span,
            asked=_stretch(lines[run.sentence], stretches[run.sentence], run.first, run.last),
            said=_said(texts[place.text].content.text[slice(*place.span)], place.word, run.last - run.first),
            chance=chance,
        )
        for chance, run, place in _without_overlaps(found)
    ]


def _stretch(line: str, spans: Sequence[tuple[str, int, int]], first: int, last: int) -> str:
    """The words `[first, last)` of a sentence as they stand there."""
    return line[spans[first][1] : spans[last - 1][2]]


def _said(line: str, first: int, number: int) -> str:
    return _stretch(line, list(word_spans(line)), first, first + number)


def _covering(runs: Iterable[_Run]) -> Mapping[tuple[int, int], Sequence[_Run]]:
    """By sentence and word of the request, the runs that hold it: to look for the wider ones among all would take time by their square."""
    covering: dict[tuple[int, int], list[_Run]] = {}
    for run in runs:
        for word in range(run.first, run.last):
            covering.setdefault((run.sentence, word), []).append(run)
    return covering


def _without_overlaps(found: Iterable[tuple[float, _Run, _Place]]) -> Iterator[tuple[float, _Run, _Place]]:
    taken: set[tuple[int, int]] = set()
    quoted: set[tuple[int, Span]] = set()
    for chance, run, place in found:
        stretch = {(run.sentence, number) for number in range(run.first, run.last)}
        if chance > 0 and not taken & stretch and (place.text, place.span) not in quoted:
            taken |= stretch
            quoted.add((place.text, place.span))
            yield chance, run, place


@dataclass(frozen=True, slots=True)
class _Seed:
    """A word of the request, by its place in it, and the passages where something rare may begin with it."""

    sentence: int
    index: int
    word: str
    passages: Collection[tuple[int, int]]


def _places(asked: Sequence[Sequence[str]], texts: Sequence[ChapterText]) -> Mapping[_Run, set[_Place]]:
    """The longest stretches around a seed that a sentence of the request shares with a sentence of a text."""
    places: dict[_Run, set[_Place]] = {}
    read: dict[tuple[int, int], _Part] = {}
    for seed in _seeds(asked, texts):
        wanted = asked[seed.sentence]
        for text, passage in sorted(seed.passages):
            if (text, passage) not in read:
                content = texts[text].content
                read[text, passage] = _Part(content.text, content.index.spans[passage])
            for line in read[text, passage].lines_with(seed.word):
                for first, last, word in _shared(wanted, line.words, seed.index):
                    places.setdefault(_Run(seed.sentence, first, last), set()).add(_Place(text, word, line.span))
    return places


class _Part:
    """A passage or a sentence of a text, looked at no closer than it is asked."""

    def __init__(self, text: str, span: Span) -> None:
        self.span = span
        self._text = text
        self._lowered = text[span[0] : span[1]].lower().replace("’", "'")  # noqa: RUF001  - meant as typed

    @cached_property
    def words(self) -> list[str]:
        return words(self._text[self.span[0] : self.span[1]])

    @cached_property
    def _lines(self) -> list["_Part"]:
        return [_Part(self._text, span) for span in sentences(self._text, self.span)]

    def lines_with(self, word: str) -> list["_Part"]:
        """The sentences in which the word stands in this very form."""
        return [line for line in self._lines if _stands_in(line._lowered, word)] if _stands_in(self._lowered, word) else []  # noqa: SLF001


def _stands_in(lowered: str, word: str) -> bool:
    """Whether the word stands there by itself, and with no underscore beside it."""
    at = lowered.find(word)
    while at >= 0:
        before, behind = lowered[at - 1 : at], lowered[at + len(word) : at + len(word) + 1]
        if not (before.isalnum() or before == "_" or behind.isalnum() or behind == "_"):
            return True
        at = lowered.find(word, at + 1)
    return False


def _seeds(asked: Sequence[Sequence[str]], texts: Sequence[ChapterText]) -> Iterator[_Seed]:
    """Words that hardly any passage holds, and words that stand with their neighbour in few."""
    holding = _looked_up({stem(word) for line in asked for word in line if word not in STOP_WORDS}, texts)
    for sentence, line in enumerate(asked):
        previous: _Holding = {}
        times = Counter(line)
        for index, word in enumerate(line):
            if word in STOP_WORDS or times[word] > MOST_TIMES:
                continue
            term = stem(word)
            few = _few(holding[term], holding[term])
            if few is not None:
                yield _Seed(sentence, index, word, few)
            elif together := _few(previous, holding[term]):
                yield _Seed(sentence, index, word, together)
            previous = holding[term]


_Holding: TypeAlias = Mapping[int, Sequence[int]]
"""By text, the postings of a term."""


def _few(one: _Holding, other: _Holding) -> Collection[tuple[int, int]] | None:
    """The passages that hold both, by text and number; None if they are not rare."""
    both: list[tuple[int, int]] = []
    for number, posting in one.items():
        if number in other:
            both += [(number, passage) for passage in sorted({*posting[::2]}.intersection(other[number][::2]))]
            if len(both) > RARE:
                return None
    return both


def _looked_up(asked: AbstractSet[str], texts: Sequence[ChapterText]) -> Mapping[str, _Holding]:
    holding: dict[str, dict[int, Sequence[int]]] = {term: {} for term in asked}
    for number, text in enumerate(texts):
        postings = text.content.index.postings
        for term in asked & postings.keys():
            holding[term][number] = postings[term]
    return holding


def _shared(wanted: Sequence[str], line: Sequence[str], index: int) -> Iterator[tuple[int, int, int]]:
    """Maximal stretches `[first, last)` of `wanted` around `index` that stand in `line`, and where they begin there."""
    if line.count(wanted[index]) > MOST_TIMES:
        return  # a refrain
    for at, word in enumerate(line):
        if word != wanted[index]:
            continue
        before = 0
        while before < min(index, at) and wanted[index - before - 1] == line[at - before - 1]:
            before += 1
        after = 1
        while index + after < len(wanted) and at + after < len(line) and wanted[index + after] == line[at + after]:
            after += 1
        yield index - before, index + after, at - before


def _counts(asked: Collection[str], texts: Sequence[ChapterText]) -> tuple[Mapping[str, int], int]:
    """How often these words stand in the texts, in any form, and how many words these have."""
    counts = {word: sum(sum(text.content.index.postings.get(stem(word), ())[1::2]) for text in texts) for word in asked}
    return counts, sum(sum(text.content.index.lengths) for text in texts)


def _chance(phrase: Sequence[str], bits: Mapping[str, float], distance: int, names: Collection[str]) -> float:
    """A logistic model of whether a shared phrase is a call-back; its numbers are round, and were fitted on novels."""
    content = [word for word in phrase if word not in STOP_WORDS and not _is_name(word, names)]
    if not content:
        return 0.0
    strength = (
        -14.5
        + 0.27 * sum(bits[word] - ORDINARY_BITS for word in content)
        + 0.35 * max(bits[word] for word in content)
        + 1.0 * (len(phrase) == 1)
        + 1.0 * min(2, sum(word in STOP_WORDS for word in phrase))
        - 0.15 * log2(distance)
    )
    return 1 / (1 + exp(-strength))


def _is_name(word: str, names: Collection[str]) -> bool:
    return word in names or any(word.endswith(ending) and word[: -len(ending)] in names for ending in ("'s", "s'", "es", "s"))
