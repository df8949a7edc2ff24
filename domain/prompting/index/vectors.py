"""Vectors of texts as they are stored and kept: by the sha256 of exactly the text that was embedded."""

import hashlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import fsum, sqrt
from operator import mul
from sys import byteorder
from typing import Final, TypeAlias

Vector: TypeAlias = "array[float]"
"""Single precision, of length 1 or all zeros."""

MOST_VECTORS: Final = 8_000
"""Of one project, the newest are known to a prompt: 50 MB at 1,536 numbers each. A novel has some 2,000 passages."""

ENTRY_BYTES: Final = 200


@dataclass(frozen=True, slots=True)
class StoredVector:
    """`number` rises within a project in the order in which vectors are added; `key` is the text's `text_key`."""

    number: int
    key: bytes
    packed: bytes


@dataclass(frozen=True, slots=True)
class KnownVectors:
    """A project's vectors of one `model` up to number `last`, the newest last."""

    model: str = ""
    last: int = 0
    vectors: Mapping[bytes, Vector] = field(default_factory=dict)

    def with_newer(self, stored: Sequence[StoredVector], *, most: int = MOST_VECTORS) -> "KnownVectors":
        """Together with those behind `last`, in their order; the oldest make room, so that it does not matter when each was read."""
        if not stored:
            return self
        together = {**self.vectors, **{each.key: unpack_vector(each.packed) for each in stored}}
        kept = dict(islice(together.items(), max(0, len(together) - most), None))
        return KnownVectors(self.model, stored[-1].number, kept)

    @property
    def size(self) -> int:
        """About how many bytes it takes up in memory."""
        return sum(ENTRY_BYTES + 4 * len(vector) for vector in self.vectors.values())


def text_key(text: str) -> bytes:
    """The sha256 by which the vector of exactly this text is stored."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


def unit_vector(numbers: Iterable[float]) -> Vector:
    """Of finite numbers."""
    values = array("d", numbers)
    largest = max(map(abs, values), default=0.0)
    if not largest:
        return array("f", values)
    scaled = array("d", (value / largest for value in values))
    length = sqrt(fsum(map(mul, scaled, scaled)))
    return array("f", (value / length for value in scaled))


def pack_vector(vector: Vector) -> bytes:
    """Little-endian, four bytes a number."""
    return _as_stored(vector).tobytes()


def unpack_vector(packed: bytes) -> Vector:
    """Raises ValueError when it is no whole number of numbers."""
    vector = array("f")
    vector.frombytes(packed)
    return _as_stored(vector)


def _as_stored(vector: Vector) -> Vector:
    if byteorder == "big":
        vector = vector[:]
        vector.byteswap()
    return vector
