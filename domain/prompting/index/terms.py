"""The terms a text is searched by: words without their endings, and pairs of characters where words are not spaced."""

import re
from collections.abc import Iterator
from functools import lru_cache

from domain.prompting.index.irregular_forms import BASE_FORMS
from domain.writing.words import UNSPACED

_TOKEN = re.compile(f"[{UNSPACED}]+|[^\\W_{UNSPACED}]+(?:['’][^\\W_{UNSPACED}]+)*")  # noqa: RUF001  - apostrophes as typed
_SPACED_TOKEN = re.compile("[^\\W_]+(?:['’][^\\W_]+)*")  # noqa: RUF001  - apostrophes as typed
"""The same where no script is unspaced, found in less time."""

_UNSPACED = re.compile(f"[{UNSPACED}]")

_ENDINGS = (("ies", "y"), ("sses", "ss"), ("ing", ""), ("edly", ""), ("ed", ""), ("ly", ""), ("es", ""), ("s", ""))
"""English inflections, with what takes their place. In other languages little harm is done: question and text lose the same letters."""

STOP_WORDS = frozenset(
    """
    a about after again all also am an and any are as at be been before being between both but by can cannot could d did do does down each
    few for from had has have he her here hers herself him himself his how i if in into is it its itself just ll m many may me might mine
    more most much must my myself no nor not now of on one only or other our out over own re s said same shall she should so some such t
    than that the their them themselves then there these they this those through to too under until up upon us ve very was we were what
    when where which who whom why will with would you your yourself
    """.split()  # noqa: SIM905  - as a list it would be pages of quotation marks
)


KNOWN_TOKENS = 1 << 15
"""Tokens whose words are remembered: a prompt looks at the same few thousand again and again. Runs of unspaced scripts are not among them."""


def words(text: str) -> list[str]:
    """All words in reading order, lower-cased, with plain apostrophes; of unspaced scripts, the overlapping pairs of characters."""
    if not _has_unspaced(text):
        return [token.lower().replace("’", "'") for token in _SPACED_TOKEN.findall(text)]  # noqa: RUF001  - meant as typed
    found: list[str] = []
    for token in _TOKEN.findall(text):
        word = token.lower().replace("’", "'")  # noqa: RUF001  - meant as typed
        if not word.isascii() and _UNSPACED.match(word):
            found.extend(word[index : index + 2] for index in range(max(1, len(word) - 1)))
        else:
            found.append(word)
    return found


def word_spans(text: str) -> Iterator[tuple[str, int, int]]:
    """As `words`, each with where it stands."""
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        word = match.group().lower().replace("’", "'")  # noqa: RUF001  - meant as typed
        if not word.isascii() and _UNSPACED.match(word):
            yield from ((word[index : index + 2], start + index, min(start + index + 2, end)) for index in range(max(1, len(word) - 1)))
        else:
            yield word, start, end


def terms(text: str) -> Iterator[str]:
    """In reading order, with repetitions, without stop words."""
    if not _has_unspaced(text):
        return (base for base, is_stop_word in map(_known, _SPACED_TOKEN.findall(text)) if not is_stop_word)
    return (stem(word) for word in words(text) if word not in STOP_WORDS)


def stems(text: str) -> Iterator[tuple[str, str]]:
    """Every word but the stop words, as it stands in the text, with its stem."""
    if not _has_unspaced(text):
        found = _SPACED_TOKEN.findall(text)
        return ((token, base) for token, (base, stops) in zip(found, map(_known, found), strict=True) if not stops)
    return ((text[start:end], stem(word)) for word, start, end in word_spans(text) if word not in STOP_WORDS)


def _has_unspaced(text: str) -> bool:
    return not text.isascii() and _UNSPACED.search(text) is not None


@lru_cache(maxsize=KNOWN_TOKENS)
def _known(token: str) -> tuple[str, bool]:
    """The stem of a token that is one word, and whether it is a stop word."""
    word = token.lower().replace("’", "'")  # noqa: RUF001  - meant as typed
    return stem(word), word in STOP_WORDS


def stem(word: str) -> str:
    """A word's base form where it is an irregular one, then without one ending, a last e and a doubled consonant."""
    word = word.removesuffix("'s")
    word = BASE_FORMS.get(word, word)
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not (ending == "s" and word.endswith("ss")):
            word = word[: -len(ending)] + instead
            break
    if len(word) > 4 and word[-1] == "e":
        word = word[:-1]
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiouls":
        word = word[:-1]
    return word
