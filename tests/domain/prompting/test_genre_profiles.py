"""The file of genre profiles: what ships is whole, and what is broken is refused with its place."""

import re
from pathlib import Path

import pytest

from domain.genre_overrides import GROUPS
from domain.projects import Genre
from domain.prompting import genre_profiles
from domain.prompting.genre_profiles import BrokenProfiles, read_profiles, sum_of_floors
from domain.prompting.sections import Section
from domain.reference_files import ReferenceKind

SHIPPED = Path(genre_profiles.__file__).with_suffix(".toml").read_text(encoding="utf-8")
NEVER_OPTIONAL_OR_OF_NO_SIZE = {"instructions", "brief", "premise"}


def broken(old: str, new: str, *, genre: str = "ROMANCE") -> str:
    """What ships, with the first `old` behind a genre's heading replaced."""
    before, heading, rest = SHIPPED.partition(f"[{genre}]\n")
    assert old in rest
    return before + heading + rest.replace(old, new, 1)


def test_what_ships_has_every_genre_kind_and_group_once_and_in_order():
    profiles = read_profiles(SHIPPED)
    assert list(profiles) == list(Genre)
    for genre, profile in profiles.items():
        assert profile.genre is genre
        assert list(profile.emphasis) == list(ReferenceKind)
        assert list(profile.shares) == list(GROUPS)
        assert profile.override is None


def test_every_group_of_optional_material_has_a_share():
    assert {section.group for section in Section} - NEVER_OPTIONAL_OR_OF_NO_SIZE <= set(GROUPS)


def test_reasons_are_given_and_differ():
    reasons = [profile.reason for profile in read_profiles(SHIPPED).values()]
    assert len(set(reasons)) == len(Genre)
    assert all(20 <= len(reason.split()) <= 80 for reason in reasons)


def test_most_of_the_room_is_left_to_merit_and_the_ceilings_leave_none_of_it_empty():
    for profile in read_profiles(SHIPPED).values():
        assert sum_of_floors(profile.shares.values()) <= 0.7
        assert sum(share.ceiling for share in profile.shares.values()) >= 1.5


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("CHARACTER = 1.3", "CHARACTER = 4.01", "ROMANCE.emphasis.CHARACTER must be a number from 0.25 to 4"),
        ("CHARACTER = 1.3", "CHARACTER = 0.2", "ROMANCE.emphasis.CHARACTER must be"),
        ("CHARACTER = 1.3", "CHARACTER = nan", "ROMANCE.emphasis.CHARACTER must be"),
        ("CHARACTER = 1.3", "CHARACTER = true", "ROMANCE.emphasis.CHARACTER must be"),
        ("CHARACTER = 1.3", "CHARACTER = '1'", "ROMANCE.emphasis.CHARACTER must be"),
        ("CHARACTER = 1.3\n", "", "ROMANCE.emphasis.CHARACTER is missing"),
        ("CHARACTER = 1.3", "CHARACTER = 1.3\nANIMAL = 1.0", "ROMANCE.emphasis cannot have ANIMAL: known are CHARACTER, WORLD"),
        ("cast = { floor = 0.4,", "cast = { floor = -0.1,", "ROMANCE.shares.cast.floor must be a number from 0 to 1"),
        ("cast = { floor = 0.4, ceiling = 1.0", "cast = { floor = 0.4, ceiling = 1.1", "ROMANCE.shares.cast.ceiling must be"),
        (
            "cast = { floor = 0.4, ceiling = 1.0",
            "cast = { floor = 0.4, ceiling = 0.3",
            "ROMANCE.shares.cast: the floor is above the ceiling",
        ),
        ("cast = { floor = 0.4, ceiling = 1.0", "cast = { floor = 0.4", "ROMANCE.shares.cast.ceiling is missing"),
        ("cast = { floor = 0.4, ceiling = 1.0 }", "cast = 0.4", "ROMANCE.shares.cast must be a table"),
        ("cast = { floor = 0.4,", "cast = { floor = 0.8,", "ROMANCE.shares: the floors sum to 1.1"),
        ("cast = { floor = 0.4", "people = { floor = 0.4", "ROMANCE.shares.cast is missing"),
        ("cast = {", "pace = { floor = 0.0, ceiling = 1.0 }\ncast = {", "ROMANCE.shares cannot have pace: known are"),
        ("reason = ", "why = ", "ROMANCE.reason is missing"),
        ("reason = ", "reason = ' '\nwhy = ", "ROMANCE cannot have why: known are"),
        ("[ROMANCE.emphasis]", "[ROMANCE.emphases]", "ROMANCE.emphasis is missing"),
        ("[HORROR]", "[GOTHIC]", "GOTHIC"),
        ("[HORROR]", "[ROMANCE]", "ROMANCE"),
    ],
)
def test_a_broken_file_is_refused_with_the_genre_and_the_key(old, new, place):
    with pytest.raises(BrokenProfiles) as refused:
        read_profiles(broken(old, new))
    assert place in str(refused.value)


@pytest.mark.parametrize("key", ["reason", "guidance"])
@pytest.mark.parametrize("content", ["' '", "7", "['a']"])
def test_a_text_that_says_nothing_is_refused(key, content):
    source, replaced = re.subn(rf'(\[ROMANCE\]\n(?:.*\n)*?{key} = )"""[^"]*"""', rf"\g<1>{content}", SHIPPED, count=1)
    assert replaced
    with pytest.raises(BrokenProfiles, match=rf"ROMANCE\.{key} must be a text"):
        read_profiles(source)


def test_a_genre_that_is_missing_or_unknown_is_named():
    with pytest.raises(BrokenProfiles, match="FANTASY is missing"):
        read_profiles("")
    with pytest.raises(BrokenProfiles, match="the file cannot have GOTHIC: known are FANTASY"):
        read_profiles(SHIPPED + "\n[GOTHIC]\n")
    with pytest.raises(BrokenProfiles, match="ROMANCE must be a table"):
        read_profiles("ROMANCE = 1\n" + SHIPPED[: SHIPPED.index("[ROMANCE]")] + SHIPPED[SHIPPED.index("[HORROR]") :])


def test_what_is_not_toml_is_refused_with_its_line():
    with pytest.raises(BrokenProfiles, match="line 1"):
        read_profiles("= what")
