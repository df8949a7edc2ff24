"""Finding in a text what somebody quotes from it, and nothing that only resembles it.

Models type plain quotation marks for typographic ones, join lines, leave Markdown's emphasis out and put dots at a quote's ends. They are
also shown the text without what nobody can see. That much is forgiven; a changed word is not. What is kept is the text's own wording,
between our own offsets.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, takewhile

from domain.prompting.untrusted import is_invisible

_PLAIN = str.maketrans({
    **dict.fromkeys("‘’‚‛′ʼ", "'"),  # noqa: RUF001  - meant as typed
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―", "-"),  # noqa: RUF001
    **dict.fromkeys(map(chr, range(0xD800, 0xE000)), "\ufffd"),  # halves of a pair, as `clean` shows them
})  # fmt: skip
_EMPHASIS = frozenset("*_")
_ENDS = re.compile(r"^(?:\.{3}|…|\s|\[|\()+|(?:\.{3}|…|\s|\]|\))+$")
CONTEXT_CHARACTERS = 200
MOST_HITS = 200
"""Of more places that a quote could mean (it is a word or two), the first so many are told apart by their surroundings."""


@dataclass(frozen=True, slots=True)
class Place:
    """Code points `start` to `end` of a text."""

    start: int
    end: int


class QuotedText:
    """A text in which quotes are looked for. Made once per text: some 10 ms for 30,000 characters."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._plain, self._places = _plainly(text)

    def find(self, quote: str, *, before: str = "", after: str = "") -> Place | None:
        """Where the quote stands; of several places the one whose surroundings are most like `before` and `after`, else the first.

        None when it stands nowhere, or says nothing.
        """
        wanted = _plainly(quote)[0].strip()
        for attempt in dict.fromkeys((wanted, _ENDS.sub("", wanted), _ENDS.sub("", wanted).strip('"'))):
            if any(map(str.isalnum, attempt)) and (hits := list(islice(self._occurrences(attempt), MOST_HITS))):
                return max(hits, key=lambda hit: self._likeness(hit, before, after))
        return None

    def _occurrences(self, wanted: str) -> Iterator[Place]:
        at = self._plain.find(wanted)
        while at >= 0:
            end = at + len(wanted)
            if _is_border(self._plain, at) and _is_border(self._plain, end):
                yield Place(self._places[at], self._places[end - 1] + 1)
            at = self._plain.find(wanted, at + 1)

    def _likeness(self, hit: Place, before: str, after: str) -> int:
        stands_before = _plainly(self.text[max(0, hit.start - CONTEXT_CHARACTERS) : hit.start])[0].strip()
        stands_after = _plainly(self.text[hit.end : hit.end + CONTEXT_CHARACTERS])[0].strip()
        return _common(stands_before[::-1], _plainly(before)[0].strip()[::-1]) + _common(stands_after, _plainly(after)[0].strip())


def same_quote(one: str, other: str) -> bool:
    """Whether two quotes say the same, however they were typed."""
    return _plainly(one)[0].strip().casefold() == _plainly(other)[0].strip().casefold()


def _plainly(text: str) -> tuple[str, list[int]]:
    """The text as a careless typist would copy it, and where in the text each character of that comes from."""
    kept: list[str] = []
    places: list[int] = []
    blank = False
    for place, character in enumerate(text.translate(_PLAIN)):
        if not character.isprintable() and is_invisible(character):
            continue
        if character.isspace():
            blank = True
        elif character not in _EMPHASIS:
            if blank:
                kept.append(" ")
                places.append(place - 1)
            kept.append(character)
            places.append(place)
            blank = False
    return "".join(kept), places


def _is_border(text: str, at: int) -> bool:
    """A quote does not begin or end within a word, where words have borders."""
    return not (0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum() and (text[at - 1] + text[at]).isascii())


def _common(one: str, other: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
