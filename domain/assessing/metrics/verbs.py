"""The finite verbs of what is told that can be recognised without a parser: those right behind a pronoun or a name of the cast.

About half of all finite verbs are found that way, nearly all of them rightly, which is enough to say in which tense and person a passage
is told. Behind any other noun only forms like "is" and "was" are looked at.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from domain.assessing.metrics.english_verbs import BASES, OF_EITHER_TENSE, PASTS, THIRD_PERSON
from domain.assessing.metrics.reading import Reading
from domain.projects import Tense

FIRST_PERSON: Final = frozenset("i we".split())  # noqa: SIM905
THIRD_PERSON_SUBJECTS: Final = frozenset("he she".split())  # noqa: SIM905
_OTHER_SUBJECTS: Final = frozenset("it they you there".split())  # noqa: SIM905
_PLURAL: Final = frozenset("i we they you".split())  # noqa: SIM905
_BETWEEN: Final = frozenset(
    """
    also always at never not now often only once ever soon still just then even almost already again there thus too first
    """.split()  # noqa: SIM905
)
_PAST_AUXILIARIES: Final = frozenset("was were had did could would might wasn't weren't hadn't didn't couldn't wouldn't".split())  # noqa: SIM905
_PRESENT_OF_ONE: Final = frozenset("is has does isn't hasn't doesn't".split())  # noqa: SIM905
_PRESENT_OF_ALL: Final = frozenset("can will cannot can't won't".split())  # noqa: SIM905
_PRESENT_OF_OTHERS: Final = frozenset("am are have do aren't haven't don't".split())  # noqa: SIM905
_STATES: Final = frozenset(
    """
    can will cannot can't won't is has does isn't hasn't doesn't am are have do aren't haven't don't seems appears means remains knows lives stands lies likes loves
    believes thinks understands wants needs comes
    """.split()  # noqa: SIM905
)
"""What a narrator may say of people and places that are still there, in whatever tense the story is told."""

_NOT_INDICATIVE: Final = frozenset("that if whether should lest though let make see hear".split())  # noqa: SIM905
_FEWEST_LETTERS_OF_PAST: Final = 4
REACH: Final = 3
"""Words behind the subject in which its verb is looked for, adverbs between them."""


_JOINING: Final = frozenset("and but then".split())  # noqa: SIM905
_OFTEN_NOUNS: Final = frozenset(
    """
    looks turns rests rings runs sets sounds stays steps talks walks wants works wishes hopes fears tears doubts needs places smiles sighs shouts
    kisses dresses answers touches points notices changes covers dances demands ends leads cries hates
    """.split()  # noqa: SIM905
)
"""Forms that behind "and" are as likely something else."""


class Person(Enum):
    FIRST = "first"
    THIRD = "third"
    OTHER = "other"


_ANYWHERE: Final[Mapping[str, Tense]] = {
    **dict.fromkeys(("was", "were", "did"), Tense.PAST),
    **dict.fromkeys(("is", "are", "has", "does"), Tense.PRESENT),
}
"""Forms that are finite wherever they stand, so that their subject need not be known."""

_PERSONS: Final[Mapping[str, Person]] = {
    **dict.fromkeys(FIRST_PERSON, Person.FIRST),
    **dict.fromkeys(THIRD_PERSON_SUBJECTS, Person.THIRD),
    **dict.fromkeys(_OTHER_SUBJECTS, Person.OTHER),
}


@dataclass(frozen=True, slots=True)
class FiniteVerb:
    """Word `at` of the reading, which has the word `subject` before it; `acts` when it tells of something that somebody does there."""

    subject: int
    at: int
    sentence: int
    person: Person
    tense: Tense
    acts: bool


def finite_verbs(reading: Reading, names: Collection[int]) -> Iterator[FiniteVerb]:
    """In reading order, of what is told. `names`: the last words of the cast's names."""
    words, spoken = reading.words, reading.spoken
    for number, sentence in enumerate(reading.sentences):
        last: FiniteVerb | None = None
        for subject in range(sentence.first_word, sentence.last_word):
            if spoken[subject]:
                continue
            word = words[subject]
            if word in _ANYWHERE and (last is None or subject > last.at):
                found: FiniteVerb | None = FiniteVerb(subject, subject, number, Person.OTHER, _ANYWHERE[word], acts=False)
            elif word in _JOINING:
                found = None if last is None else _joined(reading, subject, last, sentence.last_word)
            elif (person := _PERSONS.get(word, Person.THIRD if subject in names else None)) is None:
                continue
            else:
                found = _verb_of(reading, subject, person, number)
            if found is not None and (last is None or found.at > last.at):
                last = found
                yield found


def _verb_of(reading: Reading, subject: int, person: Person, number: int) -> FiniteVerb | None:
    sentence = reading.sentences[number]
    at = _verb_behind(reading, subject, sentence.last_word)
    if at is None or _depends(reading, subject, sentence.first_word):
        return None
    tense = _tense(reading.words[at], reading.words[subject])
    return None if tense is None else FiniteVerb(subject, at, number, person, tense, reading.words[at] not in _STATES)


def _joined(reading: Reading, joining: int, last: FiniteVerb, end: int) -> FiniteVerb | None:
    """The verb of "and looked", behind "he came": of the same subject."""
    at = _verb_behind(reading, joining, end)
    if at is None or reading.words[at] in _OFTEN_NOUNS:
        return None
    tense = _tense(reading.words[at], reading.words[last.subject])
    return None if tense is None else FiniteVerb(last.subject, at, last.sentence, last.person, tense, reading.words[at] not in _STATES)


def _verb_behind(reading: Reading, subject: int, end: int) -> int | None:
    """The next word, if need be behind adverbs; none where a comma or a quotation mark stands between."""
    words = reading.words
    for at in range(subject + 1, min(end, subject + 1 + REACH)):
        if reading.text[reading.ends[at - 1] : reading.starts[at]] not in {" ", "\n"}:
            return None
        if words[at] not in _BETWEEN and not (words[at].endswith("ly") and words[at] not in BASES):
            return at
    return None


def _tense(verb: str, subject: str) -> Tense | None:
    if verb in _PAST_AUXILIARIES or verb in PASTS or (verb.endswith("ed") and len(verb) >= _FEWEST_LETTERS_OF_PAST):
        return Tense.PAST
    if verb in _PRESENT_OF_ALL:
        return Tense.PRESENT
    if subject in _PLURAL:
        return Tense.PRESENT if verb in _PRESENT_OF_OTHERS or (verb in BASES and verb not in OF_EITHER_TENSE) else None
    return Tense.PRESENT if verb in _PRESENT_OF_ONE or verb in THIRD_PERSON else None


def _depends(reading: Reading, subject: int, first: int) -> bool:
    """Whether the verb may be no indicative, as in "lest he go"."""
    return subject > first and reading.words[subject - 1] in _NOT_INDICATIVE
