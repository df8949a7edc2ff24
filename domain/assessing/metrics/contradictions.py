"""What a text says of its people's looks against what their sheets, and earlier chapters, have said."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from domain.assessing.assessment import FindingCategory, FindingEvidence, FindingSeverity, FoundIssue
from domain.assessing.metrics.attributes import Statement, may_state, statements
from domain.assessing.metrics.cast import Cast, Gender, Named, NamedCast, named_cast
from domain.assessing.metrics.metric import Better, Measured, Metric
from domain.assessing.metrics.pointing import foremost, found
from domain.assessing.metrics.reading import Reading, Sentence
from domain.assessing.quotes import Place
from domain.prompting.index.passages import sentences
from domain.prompting.material import ChapterText, PromptMaterial, ReferenceText
from domain.prompting.receipts import Source, SourceKind
from domain.reference_files import ReferenceKind

_RELATIVES: Final = re.compile(
    r"\b(?:(?:mother|father)(?! of\b)|parents?|sisters?|brothers?|wife|husband|sons?|daughters?|aunt|uncle|grand\w+|twin|cousin|friend|lover|baby|child|"
    r"child's|dog|cat|horse|doll|portrait|picture|family|like)\b",
    re.IGNORECASE,
)
"""Where a sheet or a sentence speaks of these, the eyes may be theirs."""

_UNSURE: Final = re.compile(
    r"\b(?:not|never|no longer|dyed|dye|wig|once|used to|had been|would|if|seemed|looked almost|as (?:if|though)|turned|turning|became|glow\w*|contacts?|"
    r"lenses|disguise\w*|false|formerly|two black|monster|jealousy)\b|n't\b",
    re.IGNORECASE,
)
_HIS: Final = frozenset("he his him".split())  # noqa: SIM905
_HER: Final = frozenset("she her".split())  # noqa: SIM905
_NO_NAMES: Final = frozenset("i i'm i'd i'll i've mr mrs miss dr lady lord sir".split())  # noqa: SIM905
_LONGEST_SENTENCE: Final = 150
"""Words of a sentence before a statement, beyond which nobody could say whose eyes they are."""

_BARE: Final = frozenset("the was is were are with had has whose".split())  # noqa: SIM905
_FAR: Final = 400
"""Characters of a sentence before a statement that are looked at."""

_REACH: Final = 8
"""Words before a statement in which the pronoun or name stands that it belongs to: "her wide, frightened green eyes"."""


@dataclass(frozen=True, slots=True)
class Fact:
    """That the quote of the source says this of somebody."""

    file_id: UUID
    attribute: str
    word: str
    meanings: frozenset[str]
    evidence: FindingEvidence


def _contradicted_facts(reading: Reading, material: PromptMaterial) -> Measured | None:
    cast = named_cast(reading, material)
    said = list(_attributed(reading, cast))
    if not said and not cast.cast.characters:
        return None
    sheets = _by_person(fact for reference in cast.cast.characters for fact in _sheet_facts(material, reference))
    asked = {(file_id, statement.attribute) for file_id, statement in said} - sheets.keys()
    book = _by_person(_book_facts(material, cast.cast)) if asked else {}
    findings = []
    for file_id, statement in said:
        known = sheets.get((file_id, statement.attribute)) or book.get((file_id, statement.attribute)) or []
        # Sheets and chapters that contradict themselves say nothing that could be contradicted.
        if known and all(not (fact.meanings & statement.meanings) for fact in known):
            findings.append(_finding(reading, cast, statement, known[0]))
    return Measured(float(len(findings)), foremost(findings))


def _by_person(facts: Iterator[Fact]) -> dict[tuple[UUID, str], list[Fact]]:
    known: dict[tuple[UUID, str], list[Fact]] = {}
    for fact in facts:
        known.setdefault((fact.file_id, fact.attribute), []).append(fact)
    return known


def _sheet_facts(material: PromptMaterial, reference: ReferenceText) -> Sequence[Fact]:
    return material.memory.derived(
        ("facts", reference.key), lambda: _read_sheet(reference), size=lambda facts: 200 + 400 * len(facts), of=reference.key
    )


def _read_sheet(reference: ReferenceText) -> Sequence[Fact]:
    text = reference.content.text
    source = Source(SourceKind.REFERENCE_FILE, reference.file.id)
    return [
        Fact(reference.file.id, each.attribute, each.word, each.meanings, FindingEvidence(source, text[start:end]))
        for start, end in sentences(text, (0, len(text)))
        for each in statements(text, start, end)
        if not (_RELATIVES.search(text, start, each.start) or _UNSURE.search(text, start, each.end))
    ]


def _book_facts(material: PromptMaterial, cast: Cast) -> Iterator[Fact]:
    for chapter in material.earlier:
        key = ("told facts", chapter.key, cast.names.fingerprint)
        yield from material.memory.derived(
            key, partial(_read_chapter, chapter, cast), size=lambda facts: 200 + 400 * len(facts), of=chapter.key
        )


def _read_chapter(chapter: ChapterText, cast: Cast) -> Sequence[Fact]:
    text = chapter.content.text
    source = Source(SourceKind.CHAPTER_VERSION, chapter.version_id)
    facts = []
    for match in _PARAGRAPH.finditer(text):
        if next(statements(text, match.start(), match.end()), None) is None:
            continue
        reading = Reading(match[0], language="en")
        for file_id, each in _attributed(reading, NamedCast(reading, cast)):
            sentence = _sentence_at(reading, each)
            facts.append(Fact(file_id, each.attribute, each.word, each.meanings, FindingEvidence(source, sentence)))
    return facts


_PARAGRAPH: Final = re.compile(r"[^\n]+(?:\n(?!\s*\n)[^\n]+)*")


def _sentence_at(reading: Reading, statement: Statement) -> str:
    first, _ = reading.words_within(Place(statement.start, statement.end))
    sentence = reading.sentence_of(first)
    return reading.text[sentence.start : sentence.end]


def _attributed(reading: Reading, cast: NamedCast) -> Iterator[tuple[UUID, Statement]]:
    """What is told of whom. What is said of nobody, or of somebody who might be another, is left out."""
    likely = {word for word in set(reading.words) if may_state(word)}
    for paragraph in reading.paragraphs:
        if likely.isdisjoint(reading.words[paragraph.first_word : paragraph.last_word]):
            continue
        for statement in statements(reading.text, paragraph.start, paragraph.end):
            first, last = reading.words_within(Place(statement.start, statement.end))
            if last <= first or reading.spoken[first] or reading.spoken[last - 1]:
                continue
            sentence = reading.sentence_of(first)
            start = max(sentence.start, statement.start - _FAR)
            if _UNSURE.search(reading.text, start, statement.end) or _RELATIVES.search(reading.text, start, statement.start):
                continue
            owner = _owner(reading, cast, first, last, paragraph.first_word)
            if owner is not None:
                yield owner, statement


def _owner(reading: Reading, cast: NamedCast, first: int, last: int, begin: int) -> UUID | None:
    sentence = reading.sentence_of(first)
    if first - sentence.first_word > _LONGEST_SENTENCE:
        return None
    if (direct := _named_owner(reading, cast, first, last)) is not None:
        return direct
    before = range(first - 1, max(sentence.first_word, first - _REACH) - 1, -1)
    pronoun = next((reading.words[at] for at in before if reading.words[at] in _HIS | _HER), None)
    if pronoun is None:
        return _only_one(cast, sentence, last) if first > sentence.first_word and reading.words[first - 1] in _BARE else None
    gender = Gender.HE if pronoun in _HIS else Gender.SHE
    previous = (
        max(begin, first - 2 * _LONGEST_SENTENCE, reading.sentence_of(sentence.first_word - 1).first_word)
        if sentence.first_word > begin
        else begin
    )
    told = [each for each in cast.within(previous, last) if not each.spoken and _is_character(cast, each)]
    fitting = {each.file_ids for each in told if _may_be(cast, each, gender)}
    if len(fitting) != 1 or _names_a_stranger(reading, cast, previous, first):
        return None
    (file_ids,) = fitting
    known = cast.cast.gender(file_ids[0])
    # Whoever is named alone is meant, even if the sheet does not say whether that is a he or a she.
    sure = known is gender or (known is None and len({each.file_ids for each in told}) == 1)
    return file_ids[0] if len(file_ids) == 1 and sure else None


def _names_a_stranger(reading: Reading, cast: NamedCast, first: int, last: int) -> bool:
    """Whether a capital within a sentence may be the name of somebody without a sheet, whose eyes they may be."""
    return any(
        reading.raw[word][0].isupper()
        and not reading.spoken[word]
        and word not in cast.words
        and reading.words[word] not in _NO_NAMES
        and reading.sentence_of(word).first_word != word
        for word in range(first, last)
    )


def _only_one(cast: NamedCast, sentence: Sentence, last: int) -> UUID | None:
    """As in "Mara was blue-eyed", "the light fell on Mara and found the blue eyes open": nobody else is in the sentence."""
    named = {
        each.file_ids
        for each in cast.within(sentence.first_word, min(sentence.last_word, last + _LONGEST_SENTENCE))
        if _is_character(cast, each)
    }
    begun = any(each.last <= last for each in cast.within(sentence.first_word, last))
    if len(named) != 1 or not begun:
        return None
    (file_ids,) = named
    return file_ids[0] if len(file_ids) == 1 else None


def _named_owner(reading: Reading, cast: NamedCast, first: int, last: int) -> UUID | None:
    """As in "Mara's green eyes", "green-eyed Mara"."""
    for each in cast.within(max(0, first - 4), first):
        only_adjectives = reading.text[reading.ends[each.last - 1] : reading.starts[first]].replace(",", "").replace(" ", "").isalpha()
        if each.is_possessive and (each.last == first or only_adjectives) and len(each.file_ids) == 1:
            return each.file_ids[0]
    following = next(iter(cast.within(last, last + 1)), None)
    if (
        following is not None
        and following.first == last
        and len(following.file_ids) == 1
        and reading.words[last - 1].endswith(("ed", "-shaven"))
    ):
        return following.file_ids[0]
    return None


def _is_character(cast: NamedCast, named: Named) -> bool:
    return cast.cast.references[named.file_ids[0]].file.kind is ReferenceKind.CHARACTER


def _may_be(cast: NamedCast, named: Named, gender: Gender) -> bool:
    return any(cast.cast.gender(file_id) in {gender, None} for file_id in named.file_ids)


def _finding(reading: Reading, cast: NamedCast, statement: Statement, fact: Fact) -> FoundIssue:
    name = cast.cast.references[fact.file_id].file.name
    where = "the sheet" if fact.evidence.source.kind is SourceKind.REFERENCE_FILE else "an earlier chapter"
    return found(
        reading,
        Place(statement.start, statement.end),
        FoundIssue(
            metric="contradictedFacts",
            category=FindingCategory.CONTINUITY,
            severity=FindingSeverity.MAJOR,
            message=f"{name}: “{statement.word}” here, “{fact.word}” in {where} ({_ATTRIBUTES.get(statement.attribute, statement.attribute)}).",
            suggestion="Keep to what is known, or change it where it was said first.",
            conflicts_with=fact.evidence,
        ),
    )


_ATTRIBUTES: Final[Mapping[str, str]] = {"eyes": "eyes", "hair": "hair", "beard": "beard", "hand": "the better hand"}

CONTRADICTED_FACTS = Metric(
    name="contradictedFacts",
    unit="places",
    description="How often the chapter says something else of somebody's looks than the sheets and the earlier chapters.",
    better=Better.LOWER,
    noise=0.5,
    take=_contradicted_facts,
    english_only=True,
)
