"""Finding how a term stands in a text for the first time, without reading all of the text for it."""

from collections.abc import Mapping, Sequence
from functools import cache

from domain.prompting.index.irregular_forms import BASE_FORMS
from domain.prompting.index.terms import stem, stems


def first_words(text: str, bases: Sequence[str]) -> list[str]:
    """For each of these stems, which must be there, the first word of the text that has it, as it stands."""
    lowered = text.lower().replace("’", "'")  # noqa: RUF001  - meant as typed
    return [_found(text, lowered, base) or _read(text, base) for base in bases]


def _found(text: str, lowered: str, base: str) -> str | None:
    """None where looking for how its words begin does not promise to find the first one.

    A word begins with its stem, but for the stem's last letter ("carries": "carry"), or is one of few irregular forms. A text that is
    not as long lower-cased, or where sigma is another letter at a word's end, is read instead.
    """
    if len(base) < 2 or not base.isascii() or len(lowered) != len(text) or "Σ" in text:
        return None
    first, reach = None, len(text)
    for beginning in (base[:-1], *_irregular_forms().get(base, ())):
        at = lowered.find(beginning, 0, reach)
        while at >= 0:
            if _begins(lowered, at) and (word := _word_of(text, at, base)) is not None:
                first, reach = word, at
                break
            at = lowered.find(beginning, at + 1, reach)
    return first


def _begins(lowered: str, at: int) -> bool:
    """Whether a word begins there, and does not go on behind an apostrophe."""
    before = lowered[at - 1 : at]
    return not (before.isalnum() or (before == "'" and lowered[at - 2 : at - 1].isalnum()))


def _word_of(text: str, at: int, base: str) -> str | None:
    """The word that begins there, if it has this stem."""
    word, found = next(stems(text[at : at + _LONGEST_WORD]), ("", ""))
    return word if found == base and len(word) < _LONGEST_WORD else None


_LONGEST_WORD = 60


def _read(text: str, base: str) -> str:
    return next(word for word, found in stems(text) if found == base)


@cache
def _irregular_forms() -> Mapping[str, Sequence[str]]:
    forms: dict[str, list[str]] = {}
    for form in BASE_FORMS:
        forms.setdefault(stem(form), []).append(form)
    return forms
