"""Where a story that is told in one tense goes over into the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
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

LEAST_POINTS: Final = 2.0
LEAST_WITHOUT_NAME: Final = 4.0
GROSS_POINTS: Final = 6.0
"""What a run's verbs in the wrong tense have to come to, see `_Run.points`; more where nobody is named, since "a man" who is "he" from then
on is told of in the present in any book."""

GROSS_ACTS: Final = 2
"""Without so many things that somebody does, it may be a description of what is still so."""

LEAST_VERBS: Final = 2
LEAST_SHARE: Final = 0.75
"""Of a run's recognised verbs, the part that has to be in the wrong tense."""


@dataclass(slots=True)
class _Run:
    """Sentences in a row, and their verbs in the wrong and in the right tense."""

    wrong: list[FiniteVerb] = field(default_factory=list)
    right: int = 0

    @property
    def points(self) -> float:
        """Two for what somebody does, one for what somebody is, which may still be so when the story is told, and a half for all else."""
        return sum(0.5 if verb.person is Person.OTHER else 1.0 + verb.acts for verb in self.wrong)

    @property
    def acts(self) -> int:
        return sum(verb.acts and verb.person is not Person.OTHER for verb in self.wrong)


def _tense_drift(reading: Reading, material: PromptMaterial) -> Measured | None:
    tense = material.project.tense
    if tense is None:
        return None
    apart = set_apart(reading)
    cast = named_cast(reading, material)
    of_author = _of_the_author(reading, material)
    verbs = [verb for verb in cast.verbs(reading) if not apart[verb.at] and verb.sentence not in of_author]
    if not verbs:
        return None
    is_first = material.project.point_of_view is PointOfView.FIRST
    runs = [run for run in _runs(verbs, tense) if _is_drift(reading, run, tense, cast, is_first=is_first)]
    drifted = sum(len(run.wrong) for run in runs)
    return Measured(drifted / len(verbs), foremost(_finding(reading, run, tense) for run in runs))


def _is_drift(reading: Reading, run: _Run, tense: Tense, cast: NamedCast, *, is_first: bool) -> bool:
    if len(run.wrong) < LEAST_VERBS or len(run.wrong) < LEAST_SHARE * (len(run.wrong) + run.right):
        return False
    if tense is Tense.PRESENT and any(reading.words[verb.at] in {"had", "hadn't"} for verb in run.wrong):
        return False
    if is_first and tense is Tense.PAST and sum(_happens(reading, verb) for verb in run.wrong) < LEAST_VERBS:
        return False  # what a narrator knows and is while telling the story is rightly told in the present
    return run.points >= (LEAST_POINTS if _names_somebody(reading, run, cast) else LEAST_WITHOUT_NAME)


def _of_the_author(reading: Reading, material: PromptMaterial) -> frozenset[int]:
    """Sentences that may be the author's own word on the story, or a letter without marks: they are of any tense."""
    point_of_view = material.project.point_of_view
    words = _OF_READERS if point_of_view in {PointOfView.FIRST, PointOfView.SECOND} else _OF_READERS | _OF_AUTHORS
    return frozenset(
        number
        for number, sentence in enumerate(reading.sentences)
        if any(reading.words[word] in words and not reading.spoken[word] for word in range(sentence.first_word, sentence.last_word))
    )


_OF_READERS: Final = frozenset({"reader", "readers"})
_OF_AUTHORS: Final = frozenset("i we you our my your".split())  # noqa: SIM905


def _happens(reading: Reading, verb: FiniteVerb) -> bool:
    """Whether it tells of something that happens in the story, and not of the narrator at the desk."""
    return verb.acts and (verb.person is Person.THIRD or (verb.person is Person.FIRST and reading.words[verb.at] not in _AT_THE_DESK))


_AT_THE_DESK: Final = frozenset(
    """
    remember recollect recall think know believe hope wish fear suppose forget understand mean want need love hate feel say write confess
    admit tell doubt regret trust dare seem see hear find live intend propose
    """.split()  # noqa: SIM905
)


def _names_somebody(reading: Reading, run: _Run, cast: NamedCast) -> bool:
    """Whether one of the cast is told of there by name."""
    first, last = reading.sentences[run.wrong[0].sentence], reading.sentences[run.wrong[-1].sentence]
    return any(word in cast.last_words for word in range(first.first_word, last.last_word))


def _runs(verbs: Sequence[FiniteVerb], tense: Tense) -> Iterator[_Run]:
    """Sentences in the wrong tense, one after the other; a sentence without a recognised verb between them breaks nothing."""
    run = _Run()
    sentence: list[FiniteVerb] = []
    for verb in [*verbs, None]:
        if sentence and (verb is None or verb.sentence != sentence[0].sentence):
            wrong = [each for each in sentence if each.tense is not tense]
            if 2 * len(wrong) > len(sentence):
                run.wrong += wrong
                run.right += len(sentence) - len(wrong)
            else:
                if run.wrong:
                    yield run
                run = _Run()
            sentence = []
        if verb is not None:
            sentence.append(verb)
    if run.wrong:
        yield run


def _finding(reading: Reading, run: _Run, tense: Tense) -> FoundIssue:
    wrong = Tense.PRESENT if tense is Tense.PAST else Tense.PAST
    first, last = reading.sentences[run.wrong[0].sentence], reading.sentences[run.wrong[-1].sentence]
    examples = ", ".join(f"“{word}”" for word in dict.fromkeys(reading.words[verb.at] for verb in run.wrong[:4]))
    return found(
        reading,
        Place(first.start, last.end),
        FoundIssue(
            metric="tenseDrift",
            category=FindingCategory.STYLE,
            severity=FindingSeverity.MAJOR if run.points >= GROSS_POINTS and run.acts >= GROSS_ACTS else FindingSeverity.MINOR,
            message=f"The book is told in the {tense.lower()} tense, this passage in the {wrong.lower()}: {examples}.",
            suggestion=f"Put the passage into the {tense.lower()} tense.",
        ),
    )


TENSE_DRIFT = Metric(
    name="tenseDrift",
    unit="share",
    description="How much of what is told stands in passages that have slipped into another tense than the book's.",
    better=Better.LOWER,
    noise=0.01,
    take=_tense_drift,
    english_only=True,
)
