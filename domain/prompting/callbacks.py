"""Call-backs: rare words and phrases of the request that stand in one sentence far back, so that the chapter probably returns to it."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log2

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
    asked = [words(line) for line in lines]
    places = _places(asked, texts)
    content = {word for line in asked for word in line if word not in STOP_WORDS}
    if language.lower().split("-")[0] == "en":
        bits = in_english(content)
    else:
        counts, total = _counts(content, texts)
        bits = in_this_book(content, counts=counts, total=total)
    found: list[tuple[float, _Run, _Place]] = []
    for run, where in places.items():
        line = asked[run.sentence]
        everywhere = where | {place for wider, more in places.items() if _holds(wider, run) for place in more}
        distance = position - max(texts[place.text].chapter.position for place in everywhere)
        if len(everywhere) <= MOST_TIMES and distance >= LEAST_DISTANCE:
            chance = _chance(line[run.first : run.last], bits, distance, names)
            found.append((chance, run, min(where, key=lambda place: (place.text, place.span, place.word))))
    found.sort(key=lambda one: (-one[0], one[1].sentence, one[1].first, one[1].last))
    return [
        Callback(
            text=place.text,
            span=place.span,
            asked=_stretch(lines[run.sentence], run.first, run.last),
            said=_stretch(texts[place.text].content.text[slice(*place.span)], place.word, place.word + run.last - run.first),
            chance=chance,
        )
        for chance, run, place in _without_overlaps(found)
    ]


def _stretch(line: str, first: int, last: int) -> str:
    """The words `[first, last)` of a sentence as they stand there."""
    spans = list(word_spans(line))
    return line[spans[first][1] : spans[last - 1][2]]


def _holds(wider: _Run, run: _Run) -> bool:
    return wider != run and wider.sentence == run.sentence and wider.first <= run.first and run.last <= wider.last


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
    spans: dict[tuple[int, int], list[Span]] = {}
    lines: dict[tuple[int, Span], list[str]] = {}
    for seed in _seeds(asked, texts):
        wanted = asked[seed.sentence]
        pattern = re.compile(rf"(?<!\w){re.escape(seed.word).replace(chr(39), APOSTROPHE)}(?!\w)", re.IGNORECASE)
        for text, passage in sorted(seed.passages):
            content = texts[text].content
            if (text, passage) not in spans:
                spans[text, passage] = list(sentences(content.text, content.index.spans[passage]))
            for span in spans[text, passage]:
                if not pattern.search(content.text, *span):
                    continue
                if (text, span) not in lines:
                    lines[text, span] = words(content.text[span[0] : span[1]])
                for first, last, start in _shared(wanted, lines[text, span], seed.index):
                    places.setdefault(_Run(seed.sentence, first, last), set()).add(_Place(text, start, span))
    return places


APOSTROPHE = "['’]"  # noqa: RUF001  - both are typed


def _seeds(asked: Sequence[Sequence[str]], texts: Sequence[ChapterText]) -> Iterator[_Seed]:
    """Words that hardly any passage holds, and words that stand with their neighbour in few."""
    holding: dict[str, frozenset[tuple[int, int]]] = {}
    for sentence, line in enumerate(asked):
        previous: frozenset[tuple[int, int]] = frozenset()
        for index, word in enumerate(line):
            if word in STOP_WORDS or line.count(word) > MOST_TIMES:
                continue
            term = stem(word)
            if term not in holding:
                holding[term] = _holding(term, texts)
            together = previous & holding[term]
            if len(holding[term]) <= RARE:
                yield _Seed(sentence, index, word, holding[term])
            elif 0 < len(together) <= RARE:
                yield _Seed(sentence, index, word, together)
            previous = holding[term]


def _holding(term: str, texts: Sequence[ChapterText]) -> frozenset[tuple[int, int]]:
    return frozenset((number, passage) for number, text in enumerate(texts) for passage in text.content.index.postings.get(term, ())[::2])


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
