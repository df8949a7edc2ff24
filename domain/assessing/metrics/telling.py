"""Where narration stands between the reader and what happens: filter words, emotions by name, and sentences without a doer."""

from collections.abc import Callable, Iterator
from typing import Final

from domain.assessing.metrics.metric import Better, Measured, Metric
from domain.assessing.metrics.pointing import MOST_FINDINGS, closest_first, per_thousand, point, span
from domain.assessing.metrics.reading import Reading
from domain.assessing.metrics.word_lists import english
from domain.prompting.material import PromptMaterial

FEWEST_TOLD = 200
FEWEST_SENTENCES = 10
_BETWEEN: Final = frozenset("could can had have has also then now never always just only still even not almost did".split())  # noqa: SIM905
_DEGREES: Final = frozenset("an the his her so very too more quite rather a little bit almost suddenly not both still all now".split())  # noqa: SIM905
_WITHIN_PASSIVE: Final = frozenset("not never being been always often also now then already".split())  # noqa: SIM905
_IN_EMOTION: Final = frozenset("anger frustration disbelief despair horror surprise shock fear panic delight disgust amazement".split())  # noqa: SIM905


def _filter_words(reading: Reading, _: PromptMaterial) -> Measured | None:
    """Verbs of perceiving whose subject is a person, outside speech."""
    if reading.told < FEWEST_TOLD:
        return None
    verbs, after_could = english("filter_verbs"), english("filter_after_could")
    places = []
    for index in _told(reading):
        word = reading.words[index]
        if word in verbs or (word in after_could and index and reading.words[index - 1] in {"could", "can"}):
            subject = _subject_before(reading, index)
            if subject is not None:
                places.append((subject, index + 1))
    findings = tuple(
        point(
            reading,
            *span(reading, first, last),
            message=f"“{_quoted(reading, first, last)}” puts somebody who perceives between the reader and what is there.",
            suggestion="Go straight to what is there, where the reader knows through whom it is seen.",
        )
        for first, last in closest_first(places)[:MOST_FINDINGS]
    )
    return Measured(per_thousand(len(places), reading.told), findings)


def _named_emotions(reading: Reading, _: PromptMaterial) -> Measured | None:
    """Such as "She felt sad", "he was angry", "felt a deep sadness", "a pang of regret", "with relief", "in disbelief"; outside speech."""
    if reading.told < FEWEST_TOLD:
        return None
    patterns = _emotion_patterns()
    places: list[tuple[int, int]] = []
    for index in _told(reading):
        look = patterns.get(reading.words[index])
        found = look(reading, index) if look else None
        if found and (not places or found[0] >= places[-1][1]):
            places.append(found)
    findings = tuple(
        point(
            reading,
            *span(reading, first, last),
            message=f"“{_quoted(reading, first, last)}” names the emotion.",
            suggestion="Show it by what is done, said or noticed, and let the reader name it.",
        )
        for first, last in closest_first(places)[:MOST_FINDINGS]
    )
    return Measured(per_thousand(len(places), reading.told), findings)


_Look = Callable[[Reading, int], tuple[int, int] | None]


def _emotion_patterns() -> dict[str, _Look]:
    """By the word they begin with; words from first to before last."""
    looks: dict[str, _Look] = dict.fromkeys(english("emotion_states"), _is_in_emotion)
    looks |= dict.fromkeys(english("emotion_measures"), _measured_emotion)
    return looks | {"with": _with_emotion, "in": _in_emotion}


def _is_in_emotion(reading: Reading, index: int) -> tuple[int, int] | None:
    words = reading.words
    subject = _subject_before(reading, index)
    if subject is None:
        return None
    adjectives, nouns = english("emotion_adjectives"), english("emotion_nouns")
    feels = words[index].startswith("fe")
    for at in range(index + 1, min(index + 4, len(words))):
        if not _runs_on(reading, at):
            return None
        if words[at] in adjectives or (feels and words[at] in nouns):
            return subject, at + 1
        # What is felt may have an adjective of its own: "felt a deep sadness".
        if words[at] not in _DEGREES and not words[at].endswith("ly") and not (feels and words[at] not in english("function_words")):
            return None
    return None


def _measured_emotion(reading: Reading, index: int) -> tuple[int, int] | None:
    return _noun_soon(reading, index, index + 2) if reading.words[index + 1 : index + 2] == ["of"] else None


def _with_emotion(reading: Reading, index: int) -> tuple[int, int] | None:
    return _noun_soon(reading, index, index + 1)


def _noun_soon(reading: Reading, first: int, begin: int) -> tuple[int, int] | None:
    """An emotion's name among two words from `begin` on."""
    for at in range(begin, min(begin + 2, len(reading.words))):
        if not _runs_on(reading, at):
            return None
        if reading.words[at] in english("emotion_nouns"):
            return first, at + 1
    return None


def _in_emotion(reading: Reading, index: int) -> tuple[int, int] | None:
    following = reading.words[index + 1 : index + 2]
    return (index, index + 2) if following and following[0] in _IN_EMOTION and _runs_on(reading, index + 1) else None


def _passive_sentences(reading: Reading, _: PromptMaterial) -> Measured | None:
    """Sentences of narration with a form of "be" and a participle. Pointed at are those that could as well name the doer first ("by"),
    and those that do it twice.
    """
    told = list(reading.told_sentences())
    if len(told) < FEWEST_SENTENCES:
        return None
    be = english("be_forms")
    passives: list[list[tuple[int, int]]] = []
    for sentence in told:
        indices = (index for index in range(sentence.first_word, sentence.last_word - 1) if reading.words[index] in be)
        if places := [place for index in indices if (place := _passive_at(reading, index))]:
            passives.append(places)
    telling = [each for each in passives if len(each) > 1 or reading.words[each[0][1] : each[0][1] + 1] == ["by"]]
    findings = tuple(
        point(
            reading,
            *span(reading, each[0][0], each[-1][1]),
            message=f"“{_quoted(reading, *each[0])}”: the sentence looks at what something is done to, and away from who does it.",
            suggestion="Let whoever does it be the subject, unless hiding them is the point.",
        )
        for each in sorted(telling, key=len, reverse=True)[:MOST_FINDINGS]
    )
    return Measured(100 * len(passives) / len(told), findings)


def _passive_at(reading: Reading, index: int) -> tuple[int, int] | None:
    """The words of "was never seen", for the "was" at the index."""
    irregular, other = english("irregular_participles"), english("not_passive")
    for at in range(index + 1, min(index + 4, len(reading.words))):
        word = reading.words[at]
        if not _runs_on(reading, at):
            return None
        if (word in irregular or (word.endswith("ed") and len(word) > 3)) and word not in other:
            return index, at + 1
        if word not in _WITHIN_PASSIVE and not word.endswith("ly"):
            return None
    return None


def _told(reading: Reading) -> Iterator[int]:
    """The words that nobody speaks."""
    return (index for index, spoken in enumerate(reading.spoken) if not spoken)


def _quoted(reading: Reading, first: int, last: int) -> str:
    return " ".join(reading.raw[first:last])


def _runs_on(reading: Reading, index: int) -> bool:
    """Whether nothing but white space stands between the word and the one before."""
    return reading.text[reading.ends[index - 1] : reading.starts[index]].isspace()


def _subject_before(reading: Reading, index: int) -> int | None:
    """The person that stands before a verb, with at most one word such as "could" or "suddenly" between."""
    for at in range(index - 1, max(index - 3, -1), -1):
        if not _runs_on(reading, at + 1):
            return None
        if _is_person(reading, at):
            return at
        if reading.words[at] not in _BETWEEN and not reading.words[at].endswith("ly"):
            return None
    return None


def _is_person(reading: Reading, index: int) -> bool:
    """A pronoun, or a word with a capital that is none of the words that merely begin a sentence."""
    word = reading.words[index]
    return word in english("persons") or (
        reading.raw[index][0].isupper() and word not in english("function_words") and not word.endswith("ly")
    )


TELLING_METRICS = (
    Metric(
        name="filterWords",
        unit="per 1,000 words of narration",
        description="How often narration says that somebody saw, heard, felt, knew or wondered.",
        better=Better.LOWER,
        noise=1.5,
        take=_filter_words,
        english_only=True,
    ),
    Metric(
        name="namedEmotions",
        unit="per 1,000 words of narration",
        description="How often narration names an emotion instead of showing it.",
        better=Better.LOWER,
        noise=1.0,
        take=_named_emotions,
        english_only=True,
    ),
    Metric(
        name="passiveSentences",
        unit="% of sentences of narration",
        description="How many sentences of narration have something done in them by nobody in particular (the passive voice).",
        better=Better.LOWER,
        noise=3.0,
        take=_passive_sentences,
        english_only=True,
    ),
)
