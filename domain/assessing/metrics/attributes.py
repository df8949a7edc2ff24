"""Attributes of people that texts name in a closed vocabulary, and where a text names them: eyes, hair, beard, the better hand, and how many
children, sisters and brothers somebody has.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

_EYES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "blue": frozenset({"blue"}),
        "green": frozenset({"green"}),
        "brown": frozenset({"brown"}),
        "grey": frozenset({"grey"}),
        "gray": frozenset({"grey"}),
        "black": frozenset({"black", "brown"}),
        "hazel": frozenset({"hazel", "brown", "green"}),
        "amber": frozenset({"amber", "brown", "hazel"}),
        "violet": frozenset({"violet", "blue"}),
    }
)
"""What each word may mean of eyes: two statements contradict each other when their meanings have nothing in common."""

_HAIR: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        **dict.fromkeys(("blond", "blonde", "fair", "golden", "flaxen", "yellow"), frozenset({"fair"})),
        "sandy": frozenset({"fair", "red"}),
        **dict.fromkeys(("brown", "chestnut"), frozenset({"brown", "dark"})),
        "auburn": frozenset({"red", "brown"}),
        **dict.fromkeys(("red", "ginger", "copper"), frozenset({"red"})),
        **dict.fromkeys(("black", "raven", "jet-black"), frozenset({"black", "dark"})),
        "dark": frozenset({"black", "brown", "dark"}),
        **dict.fromkeys(("grey", "gray", "white", "silver"), frozenset({"white"})),
    }
)
_BEARD: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {"clean-shaven": frozenset({"shaven"}), "beardless": frozenset({"shaven"}), "bearded": frozenset({"bearded"})}
)
_HAND: Final[Mapping[str, frozenset[str]]] = MappingProxyType({"left-handed": frozenset({"left"}), "right-handed": frozenset({"right"})})


_NUMBERS: Final = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split()  # noqa: SIM905
)
_KIN: Final = "children|sons|daughters|brothers|sisters"
_COUNTED: Final = re.compile(rf"\b({'|'.join(_NUMBERS)}|[2-9]|1\d|20) ({_KIN})\b", re.IGNORECASE)


def _either(words: Mapping[str, frozenset[str]]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_ADJECTIVE: Final = r"(?:[a-z]+(?:-[a-z]+)?,? )"
_SHADE: Final = r"(?:very |rather |quite |so |always |still |a |of a |an |the |deep |dark |light |pale |palest |deepest |bright |clear |soft |cold |warm |sea-|ice-|steel-)*"
_LINK: Final = r"(?:\s*[:–—=-]\s*|,? (?:which |that )?(?:are|were|is|was) | of |, (?:[a-z]+ and )?)"  # noqa: RUF001  - dashes as typed


def _of(part: str, adjective: str, colours: Mapping[str, frozenset[str]]) -> re.Pattern[str]:
    """As in "green eyes", "green, laughing eyes", "eyes: green", "eyes were a dark green", "green-eyed"; the colour is group 1, 2 or 3."""
    either = _either(colours)
    return re.compile(
        rf"\b(?:({either})(?:ish)?(?:[ -](?:{either}))?,? (?:and )?{_ADJECTIVE}?{part}\b(?![-'’])"  # noqa: RUF001  - apostrophes as typed
        rf"|{part}{_LINK}{_SHADE}({either})\b"
        rf"|({either})[- ]{adjective}\b)",
        re.IGNORECASE,
    )


_WORD: Final = {
    "beard": re.compile(rf"\b({_either(_BEARD)})\b", re.IGNORECASE),
    "hand": re.compile(rf"\b({_either(_HAND)})\b", re.IGNORECASE),
}
_PATTERNS: Final[Mapping[str, tuple[re.Pattern[str], Mapping[str, frozenset[str]]]]] = MappingProxyType(
    {
        "eyes": (_of("eyes", "eyed", _EYES), _EYES),
        "hair": (_of("(?:hair|curls|locks|tresses)", "haired", _HAIR), _HAIR),
        "beard": (_WORD["beard"], _BEARD),
        "hand": (_WORD["hand"], _HAND),
    }
)
_LIKELY: Final = frozenset(f"eyes eyed hair haired curls locks tresses bearded beardless {_KIN.replace('|', ' ')}".split())
_LIKELY_ENDINGS: Final = ("eyed", "haired", "-handed", "-shaven")


def may_state(word: str) -> bool:
    """Whether a lower-cased word is one of those that every statement has: a text without them need not be looked at more closely."""
    return word in _LIKELY or word.endswith(_LIKELY_ENDINGS)


@dataclass(frozen=True, slots=True)
class Statement:
    """`text[start:end]` says `word` of the `attribute`; `meanings`: what that may mean."""

    attribute: str
    word: str
    meanings: frozenset[str]
    start: int
    end: int


def statements(text: str, start: int, end: int) -> Iterator[Statement]:
    """In a part of the text, by attribute. Several words for the same thing ("blue-grey eyes") mean any of them."""
    for attribute, (pattern, words) in _PATTERNS.items():
        for match in pattern.finditer(text, start, end):
            said = [word.lower() for word in re.findall(r"[a-z]+(?:-(?:shaven|handed|black))?", match[0], re.IGNORECASE)]
            meant = [words[word.removesuffix("ish")] for word in said if word.removesuffix("ish") in words]
            if meant:
                word = next(word for word in said if word.removesuffix("ish") in words)
                yield Statement(attribute, word, frozenset().union(*meant), match.start(), match.end())
    for match in _COUNTED.finditer(text, start, end):
        number = match[1].lower()
        value = number if number.isdecimal() else str(_NUMBERS.index(number) + 2)
        yield Statement(match[2].lower(), number, frozenset({value}), match.start(), match.end())
