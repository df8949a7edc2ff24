"""A text as it is saved: with its index beside it, in the same row, so that no prompt has to make it."""

import hashlib
from dataclasses import dataclass
from typing import Final, Self

from domain.prompting.index import text_index
from domain.prompting.index.text_index import IndexedText, cleaned, index_text, indexed, pack, unpack

SEAL_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class NewText:
    """`index` is packed, behind a seal that says of which text it is and in which format."""

    text: str
    index: bytes

    @classmethod
    def of(cls, text: str) -> Self:
        """CPU-bound: some 20 ms for a chapter of 5,000 words, half a second for a megabyte. Off the event loop, before a transaction."""
        return cls(text, _seal(text) + pack(index_text(text)))


@dataclass(frozen=True, slots=True)
class StoredText:
    """`index` is None where the text was saved before texts had one."""

    text: str
    index: bytes | None

    def indexed(self) -> IndexedText:
        """With the index that was saved, or with one made anew. CPU-bound: some 6 ms for a chapter of 5,000 words, else as `NewText.of`.

        An index that is not of this text and format is not looked into: a server of another version may have left it behind, which
        changed the text without knowing of its index, or packed it in another way.
        """
        if self.index is not None and self.index.startswith(_seal(self.text)):
            index = unpack(self.index[SEAL_BYTES:])
            if index is not None:
                return IndexedText(cleaned(self.text), index)
        return indexed(self.text)


def _seal(text: str) -> bytes:
    # The format of the moment, read by its module: what is sealed must be what `pack` makes.
    person = f"index {text_index.FORMAT}".encode()
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=SEAL_BYTES, person=person).digest()
