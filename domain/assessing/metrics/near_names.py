"""Names that are nearly those of the cast: an "Elisabeth" in a book about an Elizabeth."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from rapidfuzz.distance import OSA

from domain.assessing.assessment import FindingCategory, FindingSeverity, FoundIssue
from domain.assessing.metrics.cast import named_cast
from domain.assessing.metrics.metric import Better, Measured, Metric
from domain.assessing.metrics.pointing import foremost, found, words_place
from domain.assessing.metrics.reading import Reading
from domain.prompting.ambiguous_names import NOT_A_NAME
from domain.prompting.index.terms import stem
from domain.prompting.material import PromptMaterial
from domain.prompting.surprise import in_english

SHORTEST: Final = 5
"""Letters. Of shorter names half the alphabet is near: "Mary", "Mark", "Gary"."""

LONG: Final = 8
"""From so many letters on, two changes make another spelling; below, only one."""

_CAPITALISED_NOUNS: Final = frozenset({"de", "lb", "nds"})
"""Languages in which a short capitalised word is as likely a noun."""

PERSON_OF_ITS_OWN: Final = 3
"""A name that stands so often in a chapter is no slip."""

ORDINARY_BITS: Final = 18.5
"""A word that is more frequent in novels than this is a word, whatever name it is like."""

_ENDINGS: Final = ("'s", "s'", "es", "s", "ish", "ian", "ite", "y", "ie")
_OTHER_NAMES: Final = frozenset(
    frozenset(pair.split("/"))
    for pair in """
    frances/francis louis/louise louisa/louise julia/julie julia/julian julie/julian maria/marie maria/mario marian/marion marie/mario
    anna/anne anna/annie anne/annie daniel/daniela daniel/danielle gabriel/gabriela eric/erica martin/martina carol/carola paul/paula
    robert/roberta christian/christina christine/christina christian/christine george/georgia henri/henry jean/jeanne joan/joanna
    joanna/joanne joseph/josepha justin/justine michael/michaela michel/michael nicola/nicole nicolas/nicola oliver/olivia simon/simone
    stephan/stephanie victor/victoria william/williams robert/roberts john/johns john/johnson peter/peters harris/harry ellen/helen
    ellen/elena elena/helena alice/alicia claire/clare clara/clare clara/claire laura/lauren emily/emilia amelia/emilia augustus/augusta
    philip/philippa andre/andrea andrea/andreas andrew/andrews edward/edwards richard/richards roger/rogers susan/susanna susanne/susanna
    harriet/harriot katherine/katharina theresa/theresia elisa/eliza sophia/sophie rosa/rose rosie/rose lucia/lucie jane/janet
    fanny/danny kitty/kathy jenny/penny jimmy/timmy billy/willy bobby/robby
    """.split()  # noqa: SIM905
)
"""Names of different people that differ in a letter or two, from lists of given names in use."""


def _name_near_misses(reading: Reading, material: PromptMaterial) -> Measured | None:
    cast = named_cast(reading, material)
    names = _single_names(name for each in cast.cast.references.values() for name in (each.file.name, *each.file.aliases))
    if not names:
        return None
    by_letter: dict[str, list[tuple[str, str]]] = {}
    for key, name in names.items():
        by_letter.setdefault(key[0], []).append((key, name))
    shortest = LONG if reading.language in _CAPITALISED_NOUNS else SHORTEST
    findings = []
    for spelled, words in _strangers(reading, material, cast.words, names):
        if len(spelled) < shortest:
            continue
        near = [name for key, name in by_letter.get(spelled[0].lower(), ()) if _is_near(spelled.lower(), key)]
        if near:
            findings += [_finding(reading, word, min(near)) for word in words]
    return Measured(float(len(findings)), foremost(findings))


def _single_names(names: Iterable[str]) -> Mapping[str, str]:
    """The words of names that may be misspelled, by their lower-cased spelling."""
    return {
        word.lower(): word
        for name in sorted(names)
        for word in name.replace(".", " ").replace("-", " ").split()
        if len(word) >= SHORTEST and word[0].isupper() and word.isalpha() and word.lower() not in NOT_A_NAME
    }


def _strangers(
    reading: Reading, material: PromptMaterial, named: frozenset[int], names: Mapping[str, str]
) -> Iterator[tuple[str, list[int]]]:
    """Capitalised words that nobody is known by, here or in earlier chapters, and that are no words of the language, with their places."""
    lowered = Counter(reading.words)
    places: dict[str, list[int]] = {}
    for word, raw in enumerate(reading.raw):
        if raw[0].isupper() and len(raw) >= SHORTEST and word not in named:
            places.setdefault(_without_possessive(raw), []).append(word)
    frequent = in_english([spelled.lower() for spelled in places]) if reading.english else {}
    for spelled, words in places.items():
        key = spelled.lower()
        if not spelled.isalpha() or not (spelled.istitle() or spelled.isupper()) or _is_form_of_name(key, names):
            continue
        if len(words) >= PERSON_OF_ITS_OWN or lowered[key] > len(words) or frequent.get(key, ORDINARY_BITS) < ORDINARY_BITS:
            continue
        if not any(stem(key) in chapter.content.index.postings for chapter in material.earlier):
            yield spelled, words


def _without_possessive(raw: str) -> str:
    return raw[:-2] if raw[-2:] in {"'s", "’s", "'S", "’S"} else raw.rstrip("'’")  # noqa: RUF001  - apostrophes as typed


def _is_form_of_name(key: str, names: Mapping[str, str]) -> bool:
    return (
        key in names
        or any(key.endswith(ending) and key[: -len(ending)] in names for ending in _ENDINGS)
        or any(key + ending in names for ending in _ENDINGS)
    )


def _is_near(key: str, name: str) -> bool:
    """Few changes, none of them to the first letter: people mistype the inside of a name, and "Gary" is not "Mary"."""
    if key[0] != name[0] or abs(len(key) - len(name)) > 2 or frozenset((key, name)) in _OTHER_NAMES:
        return False
    if min(len(key), len(name)) >= LONG:
        return OSA.distance(key, name, score_cutoff=2) <= 2
    return OSA.distance(key, name, score_cutoff=1) <= 1 and not _is_another_sound(key, name)


def _is_another_sound(key: str, name: str) -> bool:
    """Whether a letter has become one that sounds otherwise: "Hardy" is not "Harry", and "Elisa" may be "Eliza"."""
    if len(key) != len(name):
        return False
    changed = [{one, other} for one, other in zip(key, name, strict=True) if one != other]
    return len(changed) == 1 and not (changed[0] <= _VOWELS or any(changed[0] <= set(alike) for alike in _ALIKE))


_VOWELS: Final = frozenset("aeiouyäöüéèêëàâáíîïóôúûаеёиоуыэюя")  # noqa: RUF001  - Latin and Cyrillic
_ALIKE: Final = ("sz", "ck", "gj", "td", "mn", "bp", "vw", "fv", "cs", "kq", "lr")


def _finding(reading: Reading, word: int, name: str) -> FoundIssue:
    place = words_place(reading, word, word + 1)
    return found(
        reading,
        place,
        FoundIssue(
            metric="nameNearMisses",
            category=FindingCategory.CONTINUITY,
            severity=FindingSeverity.MAJOR,
            message=f"“{reading.raw[word]}” is nearly “{name}”, whom the book knows, and nobody of that spelling is known.",
            suggestion=f"Write “{name}” if that is who is meant; else give this person a name that is less like it.",
            replacement=_in_place_of(reading.raw[word], name),
        ),
    )


def _in_place_of(raw: str, name: str) -> str:
    return name + raw[len(_without_possessive(raw)) :]


NAME_NEAR_MISSES = Metric(
    name="nameNearMisses",
    unit="places",
    description="How often a name stands in the chapter that is nearly one of the cast's, and nobody's.",
    better=Better.LOWER,
    noise=0.5,
    take=_name_near_misses,
)
