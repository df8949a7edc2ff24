"""What a project says for itself of how its genre fills a prompt. Whatever it leaves unsaid is the genre's to say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from domain.reference_files import ReferenceKind

Name = TypeVar("Name", bound=str)
Entry = TypeVar("Entry")

LOWEST_WEIGHT: Final = 0.25
HIGHEST_WEIGHT: Final = 4.0
"""Beyond these a weight would decide alone: it multiplies scores from 0 to 1."""

GROUPS: Final = ("cast", "world", "research", "notes", "outline", "style", "story so far", "recent text", "earlier text")
"""The groups of optional material that share a prompt's room, by their names in receipts.

`story so far` are summaries of earlier chapters, `recent text` is the previous chapter's end, `earlier text` are passages of all of them
that the chapter may come back to.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWeight:
    kind: ReferenceKind
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnShare:
    """Shares of a prompt's optional room, 0..1; None leaves a bound to the genre, but not both of them."""

    group: str
    floor: float | None
    ceiling: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GenreOverride:
    """Each kind and each group at most once. A guidance of "" has nothing said about the genre; None leaves it to the genre."""

    emphasis: tuple[OwnWeight, ...] = ()
    shares: tuple[OwnShare, ...] = ()
    guidance: str | None = None


def changed(override: GenreOverride | None, changes: Mapping[str, Any]) -> GenreOverride | None:
    """The override after `changes` of its parts, as checks.GENRE_PROFILE accepts them; None when nothing is left of it.

    An entry takes the place of what was said of its kind or group, and one that says nothing takes that away; None takes away a part.
    """
    override = override or GenreOverride()
    weights = _changed({own.kind: own for own in override.emphasis}, changes.get("emphasis", {}))
    shares = _changed({own.group: own for own in override.shares}, changes.get("shares", {}))
    result = GenreOverride(
        emphasis=tuple(weights[kind] for kind in ReferenceKind if kind in weights),
        shares=tuple(shares[group] for group in GROUPS if group in shares),
        guidance=changes.get("guidance", override.guidance),
    )
    return None if result == GenreOverride() else result


def _changed(said: Mapping[Name, Entry], changes: Mapping[Name, Entry | None] | None) -> Mapping[Name, Entry]:
    if changes is None:
        return {}
    return {name: entry for name, entry in {**said, **changes}.items() if entry is not None}
