"""Genre profiles as they stand in genre_profiles.toml, read and checked as a whole: half a profile would starve prompts in silence."""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import fsum
from types import MappingProxyType
from typing import Any, Final, TypeVar

from domain.genre_overrides import GROUPS, HIGHEST_WEIGHT, LOWEST_WEIGHT, GenreOverride
from domain.projects import Genre
from domain.reference_files import ReferenceKind

Name = TypeVar("Name", bound=str)
Content = TypeVar("Content")

WHOLE: Final = 1.0
_FLOOR, _CEILING = "floor", "ceiling"


class BrokenProfiles(ValueError):  # noqa: N818  - what it says is about the file
    """The file cannot be used; the message names the genre and the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The least and the most of a prompt's optional room that a group may take, 0..1.

    The floor keeps a group that has candidates from being crowded out; what it has no use for is free for the others.
    """

    floor: float
    ceiling: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GenreProfile:
    """What a genre asks of a prompt, or what a project with an `override` does.

    `emphasis` multiplies the score of a reference file by its kind: 1 is neutral, and every kind is listed. `shares` lists every group of
    GROUPS; groups of the prompt that are not among these may take any room. `reason` says why the genre has these numbers.
    """

    genre: Genre
    emphasis: Mapping[ReferenceKind, float]
    shares: Mapping[str, Share]
    guidance: str
    reason: str
    override: GenreOverride | None = None


def read_profiles(source: str) -> Mapping[Genre, GenreProfile]:
    """Every genre's profile, in the genres' order. Raises BrokenProfiles."""
    try:
        document = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise BrokenProfiles(str(error)) from error
    return _each(document, Genre, _profile)


def sum_of_floors(shares: Iterable[Share]) -> float:
    """Rounded, so that 0.7 and 0.2 and 0.1 are no more than a whole."""
    return round(fsum(share.floor for share in shares), 6)


def _profile(content: Any, where: str) -> GenreProfile:
    parts = _each(content, ("reason", "guidance", "emphasis", "shares"), lambda part, _where: part, where=where)
    shares = _each(parts["shares"], GROUPS, _share, where=f"{where}.shares")
    if (floors := sum_of_floors(shares.values())) > WHOLE:
        raise BrokenProfiles(f"{where}.shares: the floors sum to {floors:g}, which is more than 1")
    return GenreProfile(
        genre=Genre(where),
        emphasis=_each(parts["emphasis"], ReferenceKind, _weight, where=f"{where}.emphasis"),
        shares=shares,
        guidance=_text(parts["guidance"], f"{where}.guidance"),
        reason=_text(parts["reason"], f"{where}.reason"),
    )


def _each(content: Any, names: Iterable[Name], read: Callable[[Any, str], Content], *, where: str = "") -> Mapping[Name, Content]:
    """What `read` makes of the content of each name, told its place, in a table that must have exactly these names."""
    if not isinstance(content, dict):
        raise BrokenProfiles(f"{where} must be a table")
    places = {name: f"{where}.{name}" if where else str(name) for name in names}
    for name, place in places.items():
        if name not in content:
            raise BrokenProfiles(f"{place} is missing")
    for name in content:
        if name not in places:
            raise BrokenProfiles(f"{where or 'the file'} cannot have {name}: known are {', '.join(places)}")
    return MappingProxyType({name: read(content[name], place) for name, place in places.items()})


def _weight(content: Any, where: str) -> float:
    return _number(content, where, lowest=LOWEST_WEIGHT, highest=HIGHEST_WEIGHT)


def _share(content: Any, where: str) -> Share:
    bounds = _each(content, (_FLOOR, _CEILING), lambda bound, place: _number(bound, place, lowest=0.0, highest=WHOLE), where=where)
    if bounds[_FLOOR] > bounds[_CEILING]:
        raise BrokenProfiles(f"{where}: the floor is above the ceiling")
    return Share(floor=bounds[_FLOOR], ceiling=bounds[_CEILING])


def _number(content: Any, where: str, *, lowest: float, highest: float) -> float:
    if not isinstance(content, int | float) or isinstance(content, bool) or not lowest <= content <= highest:
        raise BrokenProfiles(f"{where} must be a number from {lowest:g} to {highest:g}")
    return float(content)


def _text(content: Any, where: str) -> str:
    if not isinstance(content, str) or not content.strip():
        raise BrokenProfiles(f"{where} must be a text that is not blank")
    return content
