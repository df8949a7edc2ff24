"""Finding where a text names reference files: by name or alias, whole words only, in any script."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from ahocorasick_rs import AhoCorasick, Implementation

from domain.prompting.ambiguous_names import ALSO_ORDINARY_WORDS, NOT_A_NAME
from domain.prompting.untrusted import clean
from domain.reference_files import ReferenceFile, ReferenceKind
from domain.writing.words import UNSPACED


@dataclass(frozen=True, slots=True)
class Mention:
    """`matched` is `text[start:end]`, counted in Unicode code points; a possessive's ending is not part of it."""

    file_id: UUID
    matched: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class NameMatch:
    """One place in a text, with every file that goes by this name there, the likeliest first."""

    file_ids: tuple[UUID, ...]
    matched: str
    start: int
    end: int


VERY_SHORT_NAME = 3
"""Up to this many characters, a name is found only as it is spelled: "Al" or "Ed" is too often a part of something else."""

MOST_OWNERS = 100
"""So many files can share a name, first those whose own name it is: one that still more go by tells none of them apart."""

_LEAST_PART_OF_NAME = 3
_FILE_ENDING = re.compile(r"\.(?:md|markdown|txt|text|docx?|odt|rtf|pdf|epub)$", re.IGNORECASE)
_UNSPACED = re.compile(f"[{UNSPACED}\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\uac00-\ud7a3]")
"""Scripts without spaces between words; Korean is among them because its particles follow a name without a space."""

_KATAKANA = re.compile("[\u30a1-\u30fa\u30fc-\u30ff\uff66-\uff9f]")
_SPACE = re.compile(r"\s")


def find_mentions(text: str, references: Sequence[ReferenceFile]) -> list[Mention]:
    """Every place where `text` names one of `references`, in reading order, without overlaps: the longest name wins.

    Upper and lower case are told apart only for names of up to three characters and for those that are ordinary words too ("Will").
    Simple English plurals count; accents matter. A name that several files share counts for the one whose own name it is.
    """
    return [Mention(match.file_ids[0], match.matched, match.start, match.end) for match in NameIndex(references).find(text)]


class NameIndex:
    """The names of a set of files, prepared for searching many texts."""

    def __init__(self, references: Iterable[ReferenceFile], *, parts_of_names: bool = False, most_sharing: int = 1) -> None:
        """With `parts_of_names`, a character also goes by each single word of its name that at most `most_sharing` characters have."""
        ordered = sorted(references, key=lambda file: (file.kind, file.name, file.id))
        self._patterns: dict[str, list[tuple[UUID, str, bool]]] = {}
        for file in ordered:
            self._add(file.id, _FILE_ENDING.sub("", file.name))
        for file in ordered:
            for alias in sorted(file.aliases):
                self._add(file.id, alias)
        if parts_of_names:
            own = set(self._patterns)
            for file_id, part in _single_words(ordered, most_sharing):
                if _fold(part) not in own:
                    self._add(file_id, part, exactly=True)
        self._folded = list(self._patterns)
        self.fingerprint = sha256(repr(sorted(self._patterns.items())).encode("utf-8", "surrogatepass")).hexdigest()
        # a contiguous automaton is built in a few milliseconds and searches nearly as fast as the far larger deterministic one
        self._automaton = AhoCorasick(self._folded, implementation=Implementation.ContiguousNFA, store_patterns=False)

    @property
    def size(self) -> int:
        """About how many bytes it takes up in memory."""
        return 500 * len(self._folded)

    def find(self, text: str) -> list[NameMatch]:
        """In reading order, without overlaps."""
        found = self._automaton.find_matches_as_indexes(_fold(text), overlapping=True)
        matches, reached = [], 0
        for index, start, end in sorted(found, key=lambda hit: (hit[1], -hit[2])):
            if start >= reached and (file_ids := self._owners(index, text, start, end)):
                matches.append(NameMatch(file_ids, text[start:end], start, end))
                reached = end
        return matches

    def _owners(self, index: int, text: str, start: int, end: int) -> tuple[UUID, ...]:
        if not (_is_border(text, start) and _is_border(text, end)):
            return ()
        matched = text[start:end]
        spelled = self._patterns[self._folded[index]]
        return tuple(dict.fromkeys(file_id for file_id, spelling, exactly in spelled if not exactly or _same_capitals(matched, spelling)))

    def _add(self, file_id: UUID, name: str, *, exactly: bool = False) -> None:
        """As it is, and without what nobody sees: texts are searched clean by prompts, and as they are by others."""
        for spelled in dict.fromkeys(" ".join(each.split()) for each in (name, clean(name))):
            self._add_spelled(file_id, spelled, exactly=exactly)

    def _add_spelled(self, file_id: UUID, name: str, *, exactly: bool) -> None:
        if not any(map(str.isalnum, name)):
            return
        exactly = exactly or len(name) <= VERY_SHORT_NAME or (name[0].isupper() and name.lower() in ALSO_ORDINARY_WORDS)
        for spelling in (name, *_plurals(name)):
            for form in ("NFC", "NFD"):
                written = unicodedata.normalize(form, spelling)
                owners = self._patterns.setdefault(_fold(written), [])
                if len(owners) < MOST_OWNERS and (file_id, written, exactly) not in owners:
                    owners.append((file_id, written, exactly))


def _fold(text: str) -> str:
    """Lower-cased, typographic apostrophes and all white space made plain; every character keeps its place."""
    folded = text.replace("İ", "I").lower().replace("ς", "σ").replace("’", "'").replace("‘", "'")  # noqa: RUF001  - meant as typed
    return _SPACE.sub(" ", folded)


def _same_capitals(matched: str, spelling: str) -> bool:
    return matched == spelling or (len(spelling) > VERY_SHORT_NAME and matched == spelling.upper())


def _is_border(text: str, position: int) -> bool:
    """Whether a word may begin or end at `position`."""
    if not 0 < position < len(text):
        return True
    before, after = text[position - 1], text[position]
    if not (_is_part_of_word(before) and _is_part_of_word(after)):
        return True
    if _KATAKANA.match(before) and _KATAKANA.match(after):
        return False
    return bool(_UNSPACED.match(before) or _UNSPACED.match(after)) and not unicodedata.combining(after)


def _is_part_of_word(character: str) -> bool:
    return character.isalnum() or character == "_" or (not character.isascii() and unicodedata.category(character)[0] == "M")


def _plurals(name: str) -> Iterator[str]:
    """Simple English plurals of the last word."""
    if len(name) <= VERY_SHORT_NAME - 1 or not (name[-1].isascii() and name[-1].isalpha()):
        return
    lowered = name.lower()
    if lowered.endswith(("s", "x", "z", "ch", "sh")):
        yield name + "es"
    elif lowered.endswith("y") and lowered[-2] not in "aeiou":
        yield name[:-1] + "ies"
        yield name + "s"
    else:
        yield name + "s"
    if lowered.endswith(("lf", "af", "ife")):
        yield re.sub("fe?$", "ves", name, flags=re.IGNORECASE)


def _single_words(files: Iterable[ReferenceFile], most_sharing: int) -> Iterator[tuple[UUID, str]]:
    """The words of characters' names that may stand for them alone: no titles."""
    owners: dict[str, set[UUID]] = {}
    words: dict[tuple[UUID, str], None] = {}
    for file in files:
        if file.kind is ReferenceKind.CHARACTER:
            for word in _FILE_ENDING.sub("", clean(file.name)).split():
                if word[0].isupper() and word.isalpha() and len(word) >= _LEAST_PART_OF_NAME and word.lower() not in NOT_A_NAME:
                    owners.setdefault(_fold(word), set()).add(file.id)
                    words[file.id, word] = None
    return ((file_id, word) for file_id, word in words if len(owners[_fold(word)]) <= most_sharing)
