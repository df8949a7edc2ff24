"""How hard a text is to read, by the length of its sentences and words."""

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from domain.assessing.metrics.metric import Better, Measured, Metric
from domain.assessing.metrics.reading import Reading
from domain.assessing.metrics.word_lists import english
from domain.prompting.material import PromptMaterial

FEWEST_WORDS = 100

_VOWELS = re.compile(r"[aeiou]+(?:y(?![aeiou]))?|y(?![aeiou])")
"""One sound for each group; a y before a vowel is a consonant."""

_SILENT = re.compile(
    r"(?<![aeiouy])(?:(?<![^aeiouylr]l)e$|(?<![dt])(?<![^aeiouylr]l)ed$|(?<![scxzhg])(?<![^aeiouylr]l)es$|e(?=(?:ly|ful|less|ment|ments|ness)$))"
)
"""The e of "made", "walked", "makes" and "lonely", but not that of "table", "wanted" and "houses"."""

_APART = re.compile(r"(?<![ctg])ia|(?<![tscxgnl])io|(?<![gq])ua|iet|(?<=[a-z]{3})ie(?:r|st)$|(?<=[aeou])ings?$|(?<=[^aeiou]y)ings?$|sms?$")
"""Groups of vowels that are two sounds, as in "material", "various", "actual", "quiet", "happier", "going"; and "criticism"."""


def syllables_of(word: str) -> int:
    """Of an English word in lower case, by its spelling; at least one. Those that spelling tells wrong are listed."""
    return sum(map(_syllables, word.split("-")))


def _syllables(part: str) -> int:
    if known := _exceptions().get(part):
        return known
    letters = part.replace("'", "")
    return max(1, len(_VOWELS.findall(letters)) - len(_SILENT.findall(letters)) + len(_APART.findall(letters)))


@cache
def _exceptions() -> Mapping[str, int]:
    entries = (entry.rpartition(":") for entry in english("syllable_exceptions"))
    return MappingProxyType({word: int(count) for word, _, count in entries})


def _grade(reading: Reading, _: PromptMaterial) -> Measured | None:
    """0.39 words per sentence + 11.8 syllables per word - 15.59: the Flesch-Kincaid grade of J. P. Kincaid, R. P. Fishburne, R. L. Rogers
    and B. S. Chissom, "Derivation of new readability formulas for Navy enlisted personnel", Naval Technical Training Command, 1975.
    """
    words = len(reading.words)
    if words < FEWEST_WORDS:
        return None
    syllables = sum(count * syllables_of(word) for word, count in Counter(reading.words).items())
    return Measured(0.39 * words / len(reading.sentences) + 11.8 * syllables / words - 15.59)


READABILITY_METRICS = (
    Metric(
        name="readingGrade",
        unit="school years",
        description="How many years of American school a reader needs to follow the sentences (Flesch-Kincaid).",
        better=Better.TYPICAL,
        noise=0.5,
        take=_grade,
        english_only=True,
        by_words=True,
    ),
)
