"""Global ids: what kind of entity, and its UUID in 26 lowercase Crockford base32 digits, such as `chapter_06f3…`."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final
from uuid import UUID

from strawberry import ID

from domain.access import User
from domain.assessing.assessment import Assessment, Finding
from domain.chapters import Chapter, ChapterVersion
from domain.errors import NotFound
from domain.jobs.job import Job
from domain.projects import Project
from domain.reference_files import ReferenceFile

Entity = User | Project | Chapter | ChapterVersion | ReferenceFile | Job | Assessment | Finding

PREFIXES: Final[Mapping[type[Entity], str]] = MappingProxyType(
    {
        User: "user",
        Project: "project",
        Chapter: "chapter",
        ChapterVersion: "version",
        ReferenceFile: "reference",
        Job: "job",
        Assessment: "assessment",
        Finding: "finding",
    }
)
_DIGITS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH: Final = 26  # 128 bits in digits of 5
_HALF: Final = 1 << 70
_PAIRS: Final = [first + second for first in _DIGITS for second in _DIGITS]


@lru_cache(maxsize=16_384)
def encode(kind: type[Entity], value: UUID) -> ID:
    """Long lists have hundreds of ids, so the digits are written two at a time, without a loop, and those of late are remembered."""
    high, low = divmod(value.int, _HALF)
    return ID(
        f"{PREFIXES[kind]}_{_PAIRS[high >> 50]}{_PAIRS[high >> 40 & 1023]}{_PAIRS[high >> 30 & 1023]}{_PAIRS[high >> 20 & 1023]}"
        f"{_PAIRS[high >> 10 & 1023]}{_PAIRS[high & 1023]}{_PAIRS[low >> 60]}{_PAIRS[low >> 50 & 1023]}{_PAIRS[low >> 40 & 1023]}"
        f"{_PAIRS[low >> 30 & 1023]}{_PAIRS[low >> 20 & 1023]}{_PAIRS[low >> 10 & 1023]}{_PAIRS[low & 1023]}"
    )


def decode(text: str) -> tuple[type[Entity], UUID] | None:
    """What `text` names, or None if it was not made by `encode`: every entity has exactly one spelling."""
    prefix, _, digits = text.partition("_")
    kind = next((kind for kind, known in PREFIXES.items() if known == prefix), None)
    if kind is None or len(digits) != _LENGTH or not set(digits) <= set(_DIGITS):
        return None
    number = 0
    for digit in digits:
        number = number << 5 | _DIGITS.index(digit)
    return (kind, UUID(int=number)) if number < 1 << 128 else None


def find(kind: type[Entity], text: str) -> UUID | None:
    match decode(text):
        case (found, value) if found is kind:
            return value
        case _:
            return None


def require(kind: type[Entity], text: str, *path: str) -> UUID:
    """Raises NotFound, as for an entity that does not exist, when `text` cannot be the id of a `kind`."""
    value = find(kind, text)
    if value is None:
        raise NotFound(text, path=path)
    return value
