"""Where a story leaves the person it is told in, or the head it is told from."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from domain.assessing.assessment import FindingCategory, FindingSeverity, FoundIssue
from domain.assessing.metrics.cast import NamedCast, named_cast
from domain.assessing.metrics.metric import Better, Measured, Metric
from domain.assessing.metrics.pointing import foremost, found
from domain.assessing.metrics.reading import Reading
from domain.assessing.metrics.set_apart import set_apart
from domain.assessing.metrics.verbs import FiniteVerb, Person
from domain.assessing.quotes import Place
from domain.projects import PointOfView, Tense
from domain.prompting.material import PromptMaterial
from domain.prompting.mentions import NameIndex

_OF_FIRST_PERSON: Final = frozenset("i me my mine myself i'm i've i'd i'll".split())  # noqa: SIM905
_TOGETHER: Final = frozenset("we us our ours ourselves".split())  # noqa: SIM905
_OF_SECOND_PERSON: Final = frozenset("you your yours yourself".split())  # noqa: SIM905
_MAY_BE_THE_AUTHOR: Final = frozenset(
    "said mentioned told spoke spoken described thought meant called hoped feared promised introduced knew heard ventured".split()  # noqa: SIM905
)
"""What an author who steps forward says of the telling: "as I said", "of whom I told"."""

_OF_AUTHORS: Final = frozenset(
    "reader readers story tale hero heroine page pages chapter chapters book books friend friends narrative pen".split()  # noqa: SIM905
)
_SAID_BY_AUTHORS: Final = frozenset(
    "will must may can cannot shall think know fear hope trust do don't say suppose believe am have".split()  # noqa: SIM905
)
"""As in "my readers", and in "I must", "I will not describe"."""

_INNER: Final = frozenset("thought wondered knew felt remembered wanted hoped feared realised realized wished recalled regretted".split())  # noqa: SIM905
_RUN: Final = 3
"""Sentences in the wrong person, nearly one after the other, that cannot be a slip of the pen."""

_MANY: Final = 4
_NEIGHBOURS: Final = 2
"""A sentence of a run is at most so many sentences behind the one before."""

_FEWEST_TOLD_WORDS: Final = 40
"""Of a paragraph, below which it says nothing of who tells it."""


@dataclass(frozen=True, slots=True)
class _Slip:
    """Sentences `first` to `last`, of which `count` are told in the wrong way."""

    first: int
    last: int
    count: int


def _point_of_view_drift(reading: Reading, material: PromptMaterial) -> Measured | None:
    point_of_view = material.project.point_of_view
    if point_of_view is None or not any(not spoken for spoken in reading.spoken):
        return None
    cast = named_cast(reading, material)
    apart = set_apart(reading)
    verbs = [verb for verb in cast.verbs(reading) if not apart[verb.at]]
    findings, slipped = _LOOKS[point_of_view](_Told(reading, material, cast, apart, verbs))
    return Measured(slipped / max(1, len(reading.sentences)), foremost(findings))


@dataclass(frozen=True, slots=True)
class _Told:
    reading: Reading
    material: PromptMaterial
    cast: NamedCast
    apart: bytearray
    verbs: Sequence[FiniteVerb]


_Found = tuple[list[FoundIssue], int]


def _omniscient(told: _Told) -> _Found:
    """The author of such a book may say "I", but does not walk about in it: only passages in which an "I" acts are looked at."""
    slips = [slip for slip in _grouped(_sentences_of_an_acting_i(told)) if _is_passage(told, slip) and _acts(told, slip)]
    return [_person_finding(told, slip, "third", "first") for slip in slips], sum(slip.count for slip in slips)


def _limited(told: _Told) -> _Found:
    slips = list(_grouped(_sentences_of_an_acting_i(told)))
    heads = list(_grouped(_sentences_in_other_heads(told)))
    findings = [_person_finding(told, slip, "third", "first") for slip in slips] + [_head_finding(told, slip) for slip in heads]
    return findings, sum(slip.count for slip in (*slips, *heads))


def _second(told: _Told) -> _Found:
    slips = [slip for slip in _grouped(_sentences_of_an_acting_i(told)) if slip.count >= 2]
    return [_person_finding(told, slip, "second", "first") for slip in slips], sum(slip.count for slip in slips)


def _first(told: _Told) -> _Found:
    """Paragraphs in which the narrator is somebody with a name, who acts, and nobody says "I"."""
    reading, narrator = told.reading, told.material.chapter.point_of_view_character
    if not narrator or not narrator.strip():
        return [], 0
    own = _words_of(narrator)
    acting = {verb.sentence for verb in told.verbs if verb.person is Person.THIRD and reading.words[verb.subject] in own}
    slips = []
    for paragraph in reading.paragraphs:
        words = range(paragraph.first_word, paragraph.last_word)
        told_words = {reading.words[word] for word in words if not reading.spoken[word]}
        length = sum(not reading.spoken[word] for word in words)
        sentences = [number for number in range(paragraph.first_sentence, paragraph.last_sentence) if number in acting]
        if sentences and length >= _FEWEST_TOLD_WORDS and not told_words & (_OF_FIRST_PERSON | _TOGETHER):
            slips.append(_Slip(paragraph.first_sentence, paragraph.last_sentence - 1, max(_RUN, len(sentences))))
    return [_person_finding(told, slip, "first", "third") for slip in slips], sum(slip.count for slip in slips)


_LOOKS: Mapping[PointOfView, Callable[[_Told], _Found]] = MappingProxyType(
    {
        PointOfView.FIRST: _first,
        PointOfView.SECOND: _second,
        PointOfView.THIRD_LIMITED: _limited,
        PointOfView.THIRD_OMNISCIENT: _omniscient,
    }
)


def _sentences_of_an_acting_i(told: _Told) -> Iterator[int]:
    """Sentences in which an "I" that nobody has said takes part in the story, by what it does in the story's tense or by what is its own."""
    reading, story_tense = told.reading, told.material.project.tense or Tense.PAST
    verbs: dict[int, list[FiniteVerb]] = {}
    for verb in told.verbs:
        verbs.setdefault(verb.sentence, []).append(verb)
    addressed = _paragraphs_that_address_somebody(told)
    for number, sentence in enumerate(reading.sentences):
        if sentence.paragraph in addressed:
            continue
        own = [word for word in range(sentence.first_word, sentence.last_word) if _is_own(told, word)]
        if not own or any(_speaks_as_author(told, word) for word in own):
            continue
        in_first = [verb for verb in verbs.get(number, ()) if reading.words[verb.subject] == "i"]
        of_the_telling = [verb for verb in in_first if reading.words[verb.at] in _MAY_BE_THE_AUTHOR]
        if all(verb.tense is story_tense for verb in in_first) and (not in_first or len(of_the_telling) < len(in_first)):
            yield number


def _is_passage(told: _Told, slip: _Slip) -> bool:
    """Two sentences, or one that says "I" and "my" all the time."""
    reading = told.reading
    words = range(reading.sentences[slip.first].first_word, reading.sentences[slip.last].last_word)
    return slip.count > 1 or sum(_is_own(told, word) for word in words) >= _MANY


def _acts(told: _Told, slip: _Slip) -> bool:
    """Whether "I" is the subject of a recognised verb in it."""
    first = bisect_left(told.verbs, slip.first, key=lambda verb: verb.sentence)
    last = bisect_right(told.verbs, slip.last, key=lambda verb: verb.sentence)
    return any(told.reading.words[verb.subject] == "i" for verb in told.verbs[first:last])


def _paragraphs_that_address_somebody(told: _Told) -> set[int]:
    """Where "you" is told, the author speaks to the reader, or a letter or a speech is given without marks."""
    reading = told.reading
    return {
        sentence.paragraph
        for sentence in reading.sentences
        for word in range(sentence.first_word, sentence.last_word)
        if reading.words[word] in _OF_SECOND_PERSON and not reading.spoken[word]
    }


def _is_own(told: _Told, word: int) -> bool:
    return told.reading.words[word] in _OF_FIRST_PERSON and not told.reading.spoken[word] and not told.apart[word]


def _speaks_as_author(told: _Told, word: int) -> bool:
    """As in "my readers", "my friend the archdeacon", "I will", "I must"."""
    words = told.reading.words
    following = words[word + 1 : word + 3]
    if words[word] == "i":
        return bool(following) and following[0] in _SAID_BY_AUTHORS and following[1:] != ["have"]
    return not _OF_AUTHORS.isdisjoint(following)


def _sentences_in_other_heads(told: _Told) -> Iterator[int]:
    """Sentences that begin with somebody of the cast who thinks or feels, and is not the one from whose head the chapter is told."""
    viewpoint = told.material.chapter.point_of_view_character
    if not viewpoint or not viewpoint.strip():
        return
    index = NameIndex([reference.file for reference in told.cast.cast.characters], parts_of_names=True, most_sharing=3)
    own = {file_id for match in index.find(viewpoint) for file_id in match.file_ids}
    words = _words_of(viewpoint)
    reading = told.reading
    for verb in told.verbs:
        sentence = reading.sentences[verb.sentence]
        named = told.cast.nearest_before(verb.subject + 1)
        if reading.words[verb.at] not in _INNER or named is None or named.last - 1 != verb.subject or named.first != sentence.first_word:
            continue
        if not own.intersection(named.file_ids) and not words.intersection(reading.words[named.first : named.last]):
            yield verb.sentence


def _grouped(sentences: Iterable[int]) -> Iterator[_Slip]:
    slip: _Slip | None = None
    for number in dict.fromkeys(sentences):
        if slip is not None and number - slip.last <= _NEIGHBOURS:
            slip = _Slip(slip.first, number, slip.count + 1)
            continue
        if slip is not None:
            yield slip
        slip = _Slip(number, number, 1)
    if slip is not None:
        yield slip


def _words_of(name: str) -> frozenset[str]:
    return frozenset(word.lower() for word in name.replace(".", " ").split())


def _person_finding(told: _Told, slip: _Slip, person: str, other: str) -> FoundIssue:
    return _finding(
        told,
        slip,
        message=f"The book is told in the {person} person, this passage in the {other}.",
        suggestion=f"Tell the passage in the {person} person, or mark it as speech, thought or a letter.",
    )


def _head_finding(told: _Told, slip: _Slip) -> FoundIssue:
    viewpoint = told.material.chapter.point_of_view_character
    return _finding(
        told,
        slip,
        message=f"This is what somebody other than {viewpoint} thinks or feels, from whose point of view the chapter is told.",
        suggestion=f"Show what {viewpoint} could see or hear of it.",
    )


def _finding(told: _Told, slip: _Slip, *, message: str, suggestion: str) -> FoundIssue:
    reading = told.reading
    return found(
        reading,
        Place(reading.sentences[slip.first].start, reading.sentences[slip.last].end),
        FoundIssue(
            metric="pointOfViewDrift",
            category=FindingCategory.STYLE,
            severity=FindingSeverity.MAJOR if slip.count >= _RUN else FindingSeverity.MINOR,
            message=message,
            suggestion=suggestion,
        ),
    )


POINT_OF_VIEW_DRIFT = Metric(
    name="pointOfViewDrift",
    unit="share",
    description="How many of the sentences leave the person the book is told in, or the head the chapter is told from.",
    better=Better.LOWER,
    noise=0.005,
    take=_point_of_view_drift,
    english_only=True,
)
