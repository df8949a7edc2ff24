"""Counting and cutting text in a model's own tokens, offline, with the rank files this package carries."""

import base64
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tiktoken

from domain.llm.model import REHEARSAL, Message

EncodingName = Literal["cl100k_base", "o200k_base"]

RANKS = Path(__file__).with_name("ranks")
SLICE_CHARACTERS = 16_384
"""At most 64 kB of UTF-8. On white space near a million characters long, tiktoken's regular expressions panic."""

_UPPER, _LOWER, _CONTRACTION = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]", r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
PATTERNS: dict[EncodingName, str] = {
    "cl100k_base": (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
    ),
    "o200k_base": (
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+{_CONTRACTION}|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*{_CONTRACTION}"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
}
"""What text is split into before pairs are merged: tiktoken's own patterns (tiktoken_ext/openai_public.py), which a test compares."""

_CARRIED: dict[str, EncodingName] = {"cl100k_base": "cl100k_base", "o200k_base": "o200k_base", "o200k_harmony": "o200k_base"}

# Between a letter or digit and white space, and between a line's end and a letter or digit, both patterns end one piece and begin the
# next whatever surrounds them: slices cut there have exactly as many tokens as the whole.
_EXACT_BORDER = re.compile(r"(?<=[^\W_])(?=[ \n])|(?<=\n)(?=[^\W_])")
_NEAR_CHARACTERS = 1024


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """`exact`: this is the model's own tokenizer; otherwise its counts are estimates for that model."""

    name: str
    exact: bool


class TokenCounter:
    """Thread-safe. The first use of an encoding loads it (0.25 s); counting runs at some 15 MB/s with the interpreter lock released."""

    def __init__(self) -> None:
        self._encodings: dict[EncodingName, tiktoken.Encoding] = {}
        self._loading = threading.Lock()

    def tokenizer(self, model: str) -> Tokenizer:
        name, exact = _encoding_of(model)
        return Tokenizer(name, exact)

    def count(self, text: str, *, model: str) -> int:
        encoding = self._encoding(model)
        return sum(len(encoding.encode_ordinary(part)) for part in _slices(_well_formed(text)))

    def count_messages(self, messages: Sequence[Message], *, model: str) -> int:
        """What a chat request with these messages is billed as.

        OpenAI's recipe: 3 tokens around each message, those of its role and text, and 3 that open the answer
        (openai-cookbook, "How to count tokens with tiktoken", `num_tokens_from_messages`).
        """
        return 3 + sum(3 + self.count(message.role, model=model) + self.count(message.text, model=model) for message in messages)

    def shared(self, one: str, other: str, *, model: str) -> int:
        """How many tokens both texts begin with. Where they part within a character, tokens of its first bytes may be among them."""
        encoding, same = self._encoding(model), 0
        for first, second in zip(_encoded(encoding, one), _encoded(encoding, other), strict=False):
            if first != second:
                break
            same += 1
        return same

    def take(self, text: str, *, model: str, tokens: int) -> str:
        """The longest beginning, up to the end of a token, that counts at most `tokens`; never half a character."""
        encoding, left, length = self._encoding(model), max(0, tokens), 0
        for part in _slices(_well_formed(text)):
            encoded = encoding.encode_ordinary(part)
            if len(encoded) > left:
                length += len(encoding.decode_bytes(encoded[:left]).decode(errors="ignore"))
                break
            left, length = left - len(encoded), length + len(part)
        taken = text[:length]
        # Where half a character was left out, or a slice was cut hard, this can count a few more tokens on its own than within the text.
        while taken and (excess := self.count(taken, model=model) - tokens) > 0:
            taken = taken[:-excess]
        return taken

    def take_last(self, text: str, *, model: str, tokens: int) -> str:
        """The longest end, from the beginning of a token, that counts at most `tokens`; never half a character."""
        encoding, left, length = self._encoding(model), max(0, tokens), 0
        for part in reversed([*_slices(_well_formed(text))]):
            encoded = encoding.encode_ordinary(part)
            if len(encoded) > left:
                length += len(encoding.decode_bytes(encoded[len(encoded) - left :]).decode(errors="ignore"))
                break
            left, length = left - len(encoded), length + len(part)
        taken = text[len(text) - length :]
        while taken and (excess := self.count(taken, model=model) - tokens) > 0:
            taken = taken[excess:]
        return taken

    def _encoding(self, model: str) -> tiktoken.Encoding:
        name, _ = _encoding_of(model)
        with self._loading:
            if name not in self._encodings:
                self._encodings[name] = _load(name)
            return self._encodings[name]


def _encoding_of(model: str) -> tuple[EncodingName, bool]:
    if model == REHEARSAL:
        return "o200k_base", True
    try:
        name = tiktoken.encoding_name_for_model(model.removeprefix("openai/"))
    except KeyError:
        return "o200k_base", False
    return (_CARRIED[name], True) if name in _CARRIED else ("o200k_base", False)


def _load(name: EncodingName) -> tiktoken.Encoding:
    # tiktoken's own loader would look in a cache folder first, delete what it does not recognise there, and then go to the network.
    lines = (RANKS / f"{name}.tiktoken").read_bytes().splitlines()
    ranks = {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, lines)}
    return tiktoken.Encoding(name=name, pat_str=PATTERNS[name], mergeable_ranks=ranks, special_tokens={})


def _well_formed(text: str) -> str:
    """The text with as many code points, lone surrogates (which no UTF-8 can say) replaced."""
    return text.encode(errors="replace").decode()


def _encoded(encoding: tiktoken.Encoding, text: str) -> Iterator[int]:
    for part in _slices(_well_formed(text)):
        yield from encoding.encode_ordinary(part)


def _slices(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > SLICE_CHARACTERS:
        end = _border_before(text, start, start + SLICE_CHARACTERS)
        yield text[start:end]
        start = end
    yield text[start:]


def _border_before(text: str, start: int, limit: int) -> int:
    """The last exact border in the window: near its end, else anywhere in it, else a hard cut (which can cost a token or two)."""
    for begin in (limit - _NEAR_CHARACTERS, start + 1):
        borders = [match.start() for match in _EXACT_BORDER.finditer(text, begin, limit)]
        if borders:
            return borders[-1]
    return limit
