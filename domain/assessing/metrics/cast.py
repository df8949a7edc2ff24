"""Who of the book's cast is named where in a text, and what is known of them; found once for each text."""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from threading import Lock
from typing import Final
from uuid import UUID
from weakref import WeakKeyDictionary

from domain.assessing.metrics.reading import Reading
from domain.assessing.metrics.verbs import FiniteVerb, finite_verbs
from domain.prompting.material import PromptMaterial, ReferenceText
from domain.prompting.mentions import NameIndex
from domain.reference_files import ReferenceKind

NAMED_KINDS: Final = frozenset({ReferenceKind.CHARACTER, ReferenceKind.WORLD})
_HE: Final = frozenset("he him his himself".split())  # noqa: SIM905
_SHE: Final = frozenset("she her hers herself".split())  # noqa: SIM905
_HIS_TITLES: Final = frozenset("mr sir lord father brother uncle king prince duke count baron archdeacon".split())  # noqa: SIM905
_HER_TITLES: Final = frozenset("mrs miss ms lady madame sister aunt mother queen princess duchess countess".split())  # noqa: SIM905
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
"""Half a character, which no search takes; what stands in its place has the same length."""

_CLEARLY: Final = 3
"""So many times more often has a sheet to say "he" than "she"."""


class Gender(Enum):
    HE = "he"
    SHE = "she"


@dataclass(frozen=True, slots=True)
class Named:
    """Words `first` to before `last` of a text name `file_ids`, the likeliest first; `spoken` where somebody says it."""

    file_ids: tuple[UUID, ...]
    first: int
    last: int
    spoken: bool
    is_possessive: bool = False


class Cast:
    """Characters and places that this chapter may know of. Names that several share are told apart by nobody, so they name all of them."""

    def __init__(self, material: PromptMaterial) -> None:
        position = material.chapter.position
        self.references: Mapping[UUID, ReferenceText] = {
            reference.file.id: reference
            for reference in material.references
            if reference.file.kind in NAMED_KINDS and reference.file.visible_at(position)
        }
        files = [reference.file for reference in self.references.values()]
        names = tuple(sorted((file.id, file.name, file.aliases, file.kind) for file in files))
        self.names = material.memory.derived(
            ("names of a cast", names), lambda: NameIndex(files, parts_of_names=True, most_sharing=3), size=lambda index: index.size
        )
        self._memory = material.memory

    @cached_property
    def characters(self) -> Sequence[ReferenceText]:
        return [reference for reference in self.references.values() if reference.file.kind is ReferenceKind.CHARACTER]

    def gender(self, file_id: UUID) -> Gender | None:
        """As the sheet's own words have it: a title in the name, else the pronouns that it uses nearly alone."""
        reference = self.references[file_id]
        key = ("gender", reference.file.name, reference.file.aliases, reference.key)
        return self._memory.derived(key, lambda: _gender(reference), size=lambda _: 16, of=reference.key)


def _gender(reference: ReferenceText) -> Gender | None:
    if stated := _STATED.search(reference.content.text):
        return Gender.SHE if stated[1].lower() in {"female", "woman", "she"} else Gender.HE
    titles = {word.strip(".").lower() for name in (reference.file.name, *reference.file.aliases) for word in name.split()}
    if (titles & _HIS_TITLES) and not (titles & _HER_TITLES):
        return Gender.HE
    if (titles & _HER_TITLES) and not (titles & _HIS_TITLES):
        return Gender.SHE
    counts = Counter(reference.content.text.lower().replace(".", " ").replace(",", " ").split())
    he = sum(counts[word] for word in _HE) + 9 * (counts["male"] + counts["man"])
    she = sum(counts[word] for word in _SHE) + 9 * (counts["female"] + counts["woman"])
    if he > _CLEARLY * she:
        return Gender.HE
    if she > _CLEARLY * he:
        return Gender.SHE
    return _RELATIONS.get(match[0].lower()) if (match := _RELATION.search(reference.content.text)) and not he + she else None


_STATED: Final = re.compile(r"\b(?:gender|sex|pronouns)\W{1,6}(female|woman|she|male|man|he)\b", re.IGNORECASE)
_RELATIONS: Final[Mapping[str, Gender]] = {
    **dict.fromkeys(("father", "son", "brother", "husband", "uncle", "nephew", "grandfather", "grandson", "boy", "widower"), Gender.HE),
    **dict.fromkeys(("mother", "daughter", "sister", "wife", "aunt", "niece", "grandmother", "granddaughter", "girl", "widow"), Gender.SHE),
}
_RELATION: Final = re.compile(rf"\b(?:{'|'.join(_RELATIONS)})\b", re.IGNORECASE)
"""A sheet without pronouns says with the first of these words who its person is: "the squire's second daughter"."""


class NamedCast:
    """The places of a text that name somebody, in reading order."""

    def __init__(self, reading: Reading, cast: Cast) -> None:
        self.cast = cast
        self.named: list[Named] = []
        for match in cast.names.find(_SURROGATE.sub("\ufffd", reading.text)):
            # A possessive's ending is part of the word, and not of the name.
            first, last = bisect_left(reading.starts, match.start), bisect_left(reading.starts, match.end)
            if last > first:
                is_possessive = reading.words[last - 1].endswith(("'s", "s'"))
                self.named.append(Named(match.file_ids, first, last, bool(reading.spoken[first]), is_possessive))
        self._firsts = [each.first for each in self.named]
        self._verbs: Sequence[FiniteVerb] | None = None

    @cached_property
    def last_words(self) -> frozenset[int]:
        """Of names of characters, where they are told and could do something."""
        kinds = {file_id: reference.file.kind for file_id, reference in self.cast.references.items()}
        return frozenset(each.last - 1 for each in self.named if not each.spoken and kinds[each.file_ids[0]] is ReferenceKind.CHARACTER)

    @cached_property
    def words(self) -> frozenset[int]:
        """All words that are part of a name."""
        return frozenset(word for each in self.named for word in range(each.first, each.last))

    def verbs(self, reading: Reading) -> Sequence[FiniteVerb]:
        """Of the same reading, which is not kept here: it would never be forgotten."""
        if self._verbs is None:
            self._verbs = tuple(finite_verbs(reading, self.last_words))
        return self._verbs

    def within(self, first: int, last: int) -> Sequence[Named]:
        """Those that begin from word `first` to before `last`."""
        return self.named[bisect_left(self._firsts, first) : bisect_left(self._firsts, last)]

    def nearest_before(self, word: int) -> Named | None:
        at = bisect_right(self._firsts, word - 1) - 1
        return self.named[at] if at >= 0 else None


_known: WeakKeyDictionary[Reading, tuple[PromptMaterial, NamedCast]] = WeakKeyDictionary()
"""Several metrics ask for the cast of the same reading. It is gone with the reading."""

_lock = Lock()


def named_cast(reading: Reading, material: PromptMaterial) -> NamedCast:
    """CPU-bound: some 3 ms for 5,000 words."""
    with _lock:
        known = _known.get(reading)
    if known is not None and known[0] is material:
        return known[1]
    made = NamedCast(reading, Cast(material))
    with _lock:
        _known[reading] = (material, made)
    return made
