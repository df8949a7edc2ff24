"""Keeping material apart from instructions: cleaning its text and fencing it in.

Reference files, earlier chapters and summaries may hold anything, also text that pretends to be an instruction or the end of the
material. They are sent between two lines with a marker that occurs in none of them, and the system message says what that means.
"""

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import count

_LINE_ENDS = re.compile("\r\n?|[\u0085\u2028\u2029]")
_INVISIBLE = re.compile(
    "["
    "\u0000-\u0008\u000b-\u001f\u007f-\u009f"  # control characters, apart from tabs and line feeds
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # soft hyphens, fillers
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # zero widths and direction overrides; joiners stay, scripts need them
    "\U000e0000-\U000e0fff"  # tags, which spell out hidden ASCII, and supplementary variation selectors
    "]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """The text with line feeds as its only line ends and without characters that a reader cannot see or that reorder what they see."""
    if text.isascii() and text.isprintable():
        return text
    return _SURROGATE.sub("\ufffd", _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text)))


def is_invisible(character: str) -> bool:
    """Whether `clean` leaves this character out. (Line ends it keeps, as line feeds.)"""
    return _INVISIBLE.match(character) is not None and character not in "\r\u0085"


@dataclass(frozen=True, slots=True)
class Fence:
    marker: str

    @property
    def opening(self) -> str:
        return f"<material {self.marker}>"

    @property
    def closing(self) -> str:
        return f"</material {self.marker}>"


def fence_for(seed: bytes, texts: Collection[str]) -> Fence:
    """A fence that none of `texts` can forge, because its marker occurs in none of them.

    The same for the same seed until a text contains its marker, so that prompts of one project share their first tokens.
    """
    markers = (hashlib.sha256(seed + attempt.to_bytes(4, "big")).hexdigest()[:8] for attempt in count())
    return Fence(next(marker for marker in markers if not any(marker in text for text in texts)))
