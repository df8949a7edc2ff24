"""The dead who speak: characters who have died by their sheet, or before the eyes of the reader, and act again."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from domain.assessing.assessment import FindingCategory, FindingEvidence, FindingSeverity, FoundIssue
from domain.assessing.metrics.cast import Named, NamedCast, named_cast
from domain.assessing.metrics.english_verbs import SPEAKING
from domain.assessing.metrics.metric import Better, Measured, Metric
from domain.assessing.metrics.pointing import foremost, found, words_place
from domain.assessing.metrics.reading import Reading, Sentence
from domain.prompting.index.passages import sentences
from domain.prompting.material import PromptMaterial, ReferenceText
from domain.prompting.receipts import Source, SourceKind

_BY_FORCE: Final = r"(?:killed|murdered|executed|drowned|hanged|shot)(?=\s+(?:by|in|at|on|off|near|when|while|during|with|before|after)\b|\s*(?:$|[.,;:(]))"
_DEAD_LINE: Final = re.compile(
    r"^[\s>*_#\-•]*(?:(?:status|fate|state|condition)\W{0,6}\s*)?(?:is |was )?(?:(?:dead|died|deceased|perished)\b|" + _BY_FORCE + ")",
    re.IGNORECASE,
)
_DIES: Final = re.compile(
    r"^(?:(?:has |had )?(?:died|perished|passed away)\b|(?:is|was|has been|had been) (?:now |already |long )?"
    r"(?:dead\b|deceased\b|buried\b|" + _BY_FORCE + "))",
    re.IGNORECASE,
)
_APPOSED: Final = re.compile(
    r"^[^.;:,]{1,60}, (?:who )?(?:(?:died|perished) (?:at|in|by|on|of|when|aged|before|after|from)\b|dead (?:since|these|for|of)\b|"
    + _BY_FORCE
    + ")",
    re.IGNORECASE,
)
"""As in "Pilot of Hallick, drowned at forty-seven"; behind a relative's noun, it may be the relative who is dead."""

_RELATIVE: Final = re.compile(
    r"\b(?:wife|husband|widow|widower|mother|father|son|daughter|sister|brother|friend|aunt|uncle|niece|nephew|orphan|heir|servant|master|\w+'s)\b",
    re.IGNORECASE,
)
_NOT_DEAD: Final = re.compile(
    r"\b(?:believed|thought|presumed|supposed|reported|feared|pretend\w*|fak\w+|feign\w*|nearly|almost|not|never|ghost|undead|spirit|vampire|"
    r"resurrect\w*|returns?|revived|would|will|may|might|could|if|unless|until|alive|survive\w*|to the world)\b",
    re.IGNORECASE,
)
_IN_CHAPTER: Final = re.compile(r"\bch(?:apter|\.)?\s*(\d{1,4})\b", re.IGNORECASE)
_PRONOUN: Final = re.compile(r"^(?:he|she|they)\s+", re.IGNORECASE)
_REMEMBERED: Final = frozenset(
    """
    had hadn't would used once remembered remember remembers remembering memory memories dream dreamed dreamt dreams portrait ghost picture
    photograph grave tomb spirit recalled alive voice if when before dead late been whose imagined vision always years ago
    """.split()  # noqa: SIM905
)
"""Words of a sentence that may look back, or at an image."""

_ACTS: Final = frozenset(
    """
    walked turned nodded smiled stood sat came went entered laughed took looked shook rose ran stepped leaned leant reached opened closed
    walks turns nods smiles stands sits comes enters laughs takes looks shakes rises runs steps leans reaches opens closes shrugged shrugs
    sighed sighs frowned frowns paused pauses glanced glances grinned grins bowed bows crossed crosses poured pours knocked knocks
    """.split()  # noqa: SIM905
)


_AROUND: Final = 40
"""Words of a sentence on either side of a name that are looked at."""


@dataclass(frozen=True, slots=True)
class _Death:
    evidence: FindingEvidence
    by_sheet: bool


def _the_dead_speaking(reading: Reading, material: PromptMaterial) -> Measured | None:
    cast = named_cast(reading, material)
    deaths = _deaths(cast, material)
    if not deaths:
        return None
    findings = []
    for named in cast.named:
        dead = deaths.get(named.file_ids[0]) if len(named.file_ids) == 1 and not named.spoken else None
        if dead is not None and (verb := _present_act(reading, named)) is not None:
            findings.append(_finding(reading, cast, named, verb, dead))
    return Measured(float(len(findings)), foremost(findings))


def _deaths(cast: NamedCast, material: PromptMaterial) -> Mapping[UUID, _Death]:
    deaths: dict[UUID, _Death] = {}
    for reference in cast.cast.characters:
        key = ("death", reference.key, reference.file.name)
        told = material.memory.derived(key, partial(_told_deaths, reference), size=lambda quotes: 200 + 100 * len(quotes), of=reference.key)
        for quote in told:
            chapter = _IN_CHAPTER.search(quote)
            if chapter is None or int(chapter[1]) < material.chapter.position:
                source = Source(SourceKind.REFERENCE_FILE, reference.file.id)
                deaths.setdefault(reference.file.id, _Death(FindingEvidence(source, quote), by_sheet=True))
    return deaths


def _told_deaths(reference: ReferenceText) -> Sequence[str]:
    """The sentences of a sheet that say plainly that its person is dead."""
    text = reference.content.text
    return [text[start:end] for start, end in sentences(text, (0, len(text))) if _says_dead(text[start:end], reference.file.name)]


def _says_dead(sentence: str, name: str) -> bool:
    if _NOT_DEAD.search(sentence):
        return False
    if _DEAD_LINE.match(sentence):
        return True
    if apposed := _APPOSED.match(sentence):
        return _RELATIVE.search(apposed[0]) is None
    behind = _PRONOUN.sub("", sentence, count=1)
    if behind == sentence:
        parts = sorted({name, *name.split()}, key=len, reverse=True)
        behind = next((sentence[len(part) :].lstrip(" ,") for part in parts if sentence.startswith(part + " ")), "")
    return bool(behind) and _DIES.match(behind) is not None


def _present_act(reading: Reading, named: Named) -> int | None:
    """The word by which the named one speaks or acts in the story's own time. None where it may be remembered."""
    sentence = reading.sentence_of(named.first)
    verb = next((at for at in _verb_places(reading, named, sentence)), None)
    if verb is None:
        return None
    around = range(max(sentence.first_word, named.first - _AROUND), min(sentence.last_word, named.last + _AROUND))
    told = (reading.words[at] for at in around if not reading.spoken[at])
    return None if _REMEMBERED.intersection(told) or _is_likened(reading, named, sentence) else verb


def _verb_places(reading: Reading, named: Named, sentence: Sentence) -> Iterator[int]:
    """As in "Tom said", "Tom quietly said", "said Tom", "it was Tom who said", and what Tom did."""
    words = reading.words
    first = (
        named.last + 1
        if words[named.last : named.last + 1] == ["who"] and words[named.first - 2 : named.first] == ["it", "was"]
        else named.last
    )
    for at in range(first, min(first + 2, sentence.last_word)):
        if reading.text[reading.ends[at - 1] : reading.starts[at]] != " ":
            break
        if words[at] in SPEAKING or words[at] in _ACTS:
            yield at
        elif not words[at].endswith("ly"):
            break
    before = named.first - 1
    if before >= sentence.first_word and words[before] in SPEAKING and not reading.spoken[before]:
        yield before


def _is_likened(reading: Reading, named: Named, sentence: Sentence) -> bool:
    before = reading.words[max(sentence.first_word, named.first - 2) : named.first]
    return bool({"as", "like", "what", "that", "than"}.intersection(before))


def _finding(reading: Reading, cast: NamedCast, named: Named, verb: int, death: _Death) -> FoundIssue:
    name = cast.cast.references[named.file_ids[0]].file.name
    sentence = reading.sentence_of(named.first)
    speaks = reading.words[verb] in SPEAKING and any(reading.spoken[sentence.first_word : sentence.last_word])
    return found(
        reading,
        words_place(reading, min(named.first, verb), max(named.last, verb + 1)),
        FoundIssue(
            metric="theDeadSpeaking",
            category=FindingCategory.CONTINUITY,
            severity=FindingSeverity.BLOCKING if death.by_sheet and speaks else FindingSeverity.MAJOR,
            message=f"{name} is dead by now, and {'speaks' if speaks else 'acts'} here.",
            suggestion="Give this to somebody who is alive, or make plain that it is remembered.",
            conflicts_with=death.evidence,
        ),
    )


THE_DEAD_SPEAKING = Metric(
    name="theDeadSpeaking",
    unit="places",
    description="How often somebody speaks or acts who is dead by then.",
    better=Better.LOWER,
    noise=0.5,
    take=_the_dead_speaking,
    english_only=True,
)
