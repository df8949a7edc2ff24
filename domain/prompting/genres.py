"""What a genre asks of a prompt, and what a project does that has a word of its own about it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

from domain.genre_overrides import GenreOverride, OwnShare
from domain.projects import Genre, Project
from domain.prompting.genre_profiles import WHOLE, GenreProfile, Share, read_profiles, sum_of_floors
from domain.reference_files import ReferenceKind

__all__ = ["GenreProfile", "Share", "all_profiles", "effective_profile", "genre_profile", "laid_over"]

_DATA = Path(__file__).with_name("genre_profiles.toml")


@cache
def _profiles() -> Mapping[Genre, GenreProfile]:
    return read_profiles(_DATA.read_text(encoding="utf-8"))


def genre_profile(genre: Genre) -> GenreProfile:
    return _profiles()[genre]


def all_profiles() -> Sequence[GenreProfile]:
    """In the genres' order."""
    return tuple(_profiles().values())


def effective_profile(project: Project) -> GenreProfile:
    """The genre's profile under the project's override.

    Shares always hold together: floors are not above ceilings and sum to 1 at most. An override is checked against the genre it is made
    for; where it meets another one later, the project's word stays and the genre's yields.
    """
    profile, override = genre_profile(project.genre), project.genre_override
    if override is None:
        return profile
    return replace(
        profile,
        emphasis=_weighed(profile.emphasis, override),
        shares=_settled(laid_over(profile.shares, override.shares), override.shares),
        guidance=profile.guidance if override.guidance is None else override.guidance,
        override=override,
    )


def laid_over(shares: Mapping[str, Share], own: Sequence[OwnShare]) -> Mapping[str, Share]:
    """The shares with what the project says in place of what the genre does, whether or not it all holds together."""
    over = {share.group: share for share in own}
    return MappingProxyType({group: _over(share, over.get(group)) for group, share in shares.items()})


def _over(share: Share, own: OwnShare | None) -> Share:
    if own is None:
        return share
    return Share(
        floor=share.floor if own.floor is None else own.floor,
        ceiling=share.ceiling if own.ceiling is None else own.ceiling,
    )


def _weighed(emphasis: Mapping[ReferenceKind, float], override: GenreOverride) -> Mapping[ReferenceKind, float]:
    return MappingProxyType({**emphasis, **{own.kind: own.weight for own in override.emphasis}})


def _settled(shares: Mapping[str, Share], own: Sequence[OwnShare]) -> Mapping[str, Share]:
    firm = {share.group for share in own if share.floor is not None}
    ordered = {
        group: Share(floor=share.floor, ceiling=max(share.ceiling, share.floor))
        if group in firm
        else Share(floor=min(share.floor, share.ceiling), ceiling=share.ceiling)
        for group, share in shares.items()
    }
    if sum_of_floors(ordered.values()) <= WHOLE:
        return MappingProxyType(ordered)
    left = max(0.0, WHOLE - sum_of_floors(share for group, share in ordered.items() if group in firm))
    yielding = left / sum_of_floors(share for group, share in ordered.items() if group not in firm)
    return MappingProxyType(
        {group: share if group in firm else replace(share, floor=share.floor * yielding) for group, share in ordered.items()}
    )
