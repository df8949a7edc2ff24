"""The terms a text is searched by: words without their endings, and pairs of characters where words are not spaced."""

import re
from collections.abc import Iterator

from domain.writing.words import UNSPACED

_TOKEN = re.compile(f"[{UNSPACED}]+|[^\\W_{UNSPACED}]+(?:['’][^\\W_{UNSPACED}]+)*")  # noqa: RUF001  - apostrophes as typed
_UNSPACED = re.compile(f"[{UNSPACED}]")

ENDINGS = (("sses", "ss"), ("ies", "y"), ("edly", ""), ("ing", ""), ("ed", ""), ("ly", ""), ("es", ""), ("s", ""))
"""English inflections, the longest first, with what takes their place; at least three letters stay. In other languages little harm is
done: question and text lose the same letters.
"""

STOP_WORDS = frozenset(
    """
    a about after again all also am an and another any are as at be because been before being between both but by came can cannot come
    could did do does done down each even ever every few for from get go had has have having he her here hers herself him himself his how
    i if in into is it its itself just like made make many may me might mine more most much must my myself never no nor not now of off
    on once one only or other our ours out over own re same shall she should since so some still such than that the their them
    themselves then there these they this those through thus to too under until up upon us very was we well went were what when where
    which while who whom whose why will with without would yet you your yours yourself
    """.split()  # noqa: SIM905  - as a list it would be pages of quotation marks
)


def terms(text: str) -> Iterator[str]:
    """In reading order, with repetitions, without stop words."""
    for match in _TOKEN.finditer(text):
        word = match.group().lower()
        if not word.isascii() and _UNSPACED.match(word):
            yield from (word[index : index + 2] for index in range(max(1, len(word) - 1)))
        elif (plain := _without_clitic(word)) not in STOP_WORDS:
            yield stem(plain)


def stem(word: str) -> str:
    for ending, instead in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            return word[: -len(ending)] + instead
    return word


def _without_clitic(word: str) -> str:
    """Without a possessive's or an auxiliary's ending: "aunt's" is about an aunt."""
    return re.split("['’]", word, maxsplit=1)[0] if "'" in word or "’" in word else word  # noqa: RUF001
