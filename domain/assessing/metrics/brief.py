"""Which of the brief's beats a text covers: whether their words occur in it, close together."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from domain.assessing.assessment import FindingCategory, FindingSeverity, FoundIssue
from domain.assessing.metrics.cast import Cast
from domain.assessing.metrics.metric import Better, Measured, Metric
from domain.assessing.metrics.pointing import MOST_FINDINGS
from domain.assessing.metrics.reading import Reading
from domain.prompting.index.terms import STOP_WORDS, stem, words
from domain.prompting.material import PromptMaterial
from domain.prompting.surprise import in_english

WINDOW: Final = 300
"""Words in which a beat's words have to stand together: a beat is a page or two of a chapter."""

STEP: Final = 100
FEWEST_TERMS: Final = 3
"""Of a beat that can be looked for at all."""

COVERED: Final = 0.34
ABSENT: Final = 0.2
"""Parts of a beat's weight that the best window holds: from the one on it is covered, below the other nearly nothing of it is there. Only
the latter is said in other languages than English, whose words change in more ways than are known here.
"""

COVERED_IF_SHORT: Final = 0.55
LONG_ENOUGH: Final = 0.9
SHORT: Final = 0.75
"""Words of the chapter, divided by those it is meant to have. A chapter that is too short has probably left something out, so the shorter
it is, up to `SHORT`, the more of a beat has to be found."""

MOST_BEATS: Final = 100
MOST_TERMS: Final = 40
LEAST_WEIGHT: Final = 12.0
ORDINARY_BITS: Final = 7.0
"""What every page holds weighs nothing."""

MOST_BITS: Final = 16.0
NAME_WEIGHT: Final = 4.0
"""Bits: a name weighs as much as a word that is nothing special. Who is there is soon said, and not what happens."""

_LIST_ITEM: Final = re.compile(r"^\s*(?:[-*+•–—]|\d{1,3}[.)])\s+", re.MULTILINE)  # noqa: RUF001  - dashes as typed
KNOWN_WORDS: Final = 1 << 15
_PREFIX: Final = 6
"""Letters by which "refusal" is found again in "refused"."""


@dataclass(frozen=True, slots=True)
class Beat:
    """Of a brief. `terms`: what to look for, with how much each says."""

    text: str
    terms: Mapping[str, float]

    @property
    def weight(self) -> float:
        return sum(self.terms.values())


def _brief_coverage(reading: Reading, material: PromptMaterial) -> Measured | None:
    beats = _beats(material)
    if not beats or not reading.words:
        return None
    # Where words are not spaced, brief and text are both looked at by pairs of characters.
    said = reading.words if reading.spaced else words(reading.text)
    places = _places(said)
    shares = [_best_share(beat, places, len(said)) for beat in beats]
    needed = _needed(len(reading.words), material.chapter.target_word_count) if reading.english else ABSENT
    findings = [
        _finding(beat, absent=reading.english and share < ABSENT + needed - COVERED)
        for beat, share in zip(beats, shares, strict=True)
        if share < needed
    ]
    return Measured(1 - len(findings) / len(beats), tuple(findings[:MOST_FINDINGS]))


def _needed(length: int, target: int | None) -> float:
    if not target or target < 0:
        return COVERED
    missing = (LONG_ENOUGH - length / target) / (LONG_ENOUGH - SHORT)
    return COVERED + (COVERED_IF_SHORT - COVERED) * min(1.0, max(0.0, missing))


def _beats(material: PromptMaterial) -> Sequence[Beat]:
    """The sentences and list items of the brief that say enough to be looked for."""
    brief = _LIST_ITEM.sub("\n\n", material.chapter.brief)
    names = _name_stems(Cast(material))
    reading = Reading(brief, language=material.project.language)
    texts = (brief[sentence.start : sentence.end] for sentence in reading.sentences)
    beats = (Beat(" ".join(text.split()), _terms(text, names)) for text in texts)
    return [beat for beat in beats if len(beat.terms) >= FEWEST_TERMS and beat.weight >= LEAST_WEIGHT][:MOST_BEATS]


def _name_stems(cast: Cast) -> frozenset[str]:
    files = (reference.file for reference in cast.references.values())
    return frozenset(_key(word) for file in files for name in (file.name, *file.aliases) for word in words(name))


def _terms(text: str, names: frozenset[str]) -> Mapping[str, float]:
    said = [word for word in words(text) if word not in STOP_WORDS]
    bits = in_english([form for word in said for form in _forms(word)])
    terms: dict[str, float] = {}
    for word in said:
        key = _key(word)
        weight = NAME_WEIGHT if key in names else max(0.0, min(MOST_BITS, *(bits[form] for form in _forms(word))) - ORDINARY_BITS)
        if weight > 0:
            terms[key] = max(weight, terms.get(key, 0.0))
    heaviest = sorted(terms, key=lambda term: -terms[term])[:MOST_TERMS]
    return {term: terms[term] for term in heaviest}


def _forms(word: str) -> Sequence[str]:
    """The word and what it may be a form of. A brief is told in the present and a novel in the past, so that "takes" is rare, and "take" is not."""
    bases = [
        word[: -len(ending)] for ending in ("s", "es", "d", "ed", "ing", "'s") if word.endswith(ending) and len(word) - len(ending) > 2
    ]
    return [word, *bases, *(base + "e" for base in bases)]


@lru_cache(maxsize=KNOWN_WORDS)
def _key(word: str) -> str:
    return stem(word)[:_PREFIX]


def _places(said: Sequence[str]) -> Mapping[str, Sequence[int]]:
    places: dict[str, list[int]] = {}
    for place, word in enumerate(said):
        if word not in STOP_WORDS:
            places.setdefault(_key(word), []).append(place)
    return places


def _best_share(beat: Beat, places: Mapping[str, Sequence[int]], length: int) -> float:
    """The greatest part of the beat's weight that some window of the text holds. Windows begin every `STEP` words."""
    windows = max(1, -(-(length - WINDOW) // STEP) + 1)
    weights = [0.0] * windows
    for term, weight in beat.terms.items():
        reached = 0
        for place in places.get(term, ()):
            last = min(place // STEP, windows - 1)
            for window in range(max(reached, (place - WINDOW) // STEP + 1), last + 1):
                weights[window] += weight
            reached = max(reached, last + 1)
    return max(weights) / beat.weight


def _finding(beat: Beat, *, absent: bool) -> FoundIssue:
    return FoundIssue(
        category=FindingCategory.BRIEF,
        severity=FindingSeverity.MAJOR if absent else FindingSeverity.MINOR,
        message=f"The brief asks for “{beat.text}”, and {'nearly nothing' if absent else 'little'} of it can be found in the chapter.",
        suggestion="Write it, or take it out of the brief if the chapter should do without it.",
        metric="briefCoverage",
    )


BRIEF_COVERAGE = Metric(
    name="briefCoverage",
    unit="share",
    description="How many of the things that the brief asks for can be found in the chapter.",
    better=Better.HIGHER,
    noise=0.1,
    take=_brief_coverage,
)
