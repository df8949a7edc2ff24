"""A project's own word on its genre, said piece by piece."""

from domain.genre_overrides import GenreOverride, OwnShare, OwnWeight, changed
from domain.reference_files import ReferenceKind

WORLD = OwnWeight(kind=ReferenceKind.WORLD, weight=2.0)
STYLE = OwnWeight(kind=ReferenceKind.STYLE, weight=0.5)
CAST = OwnShare(group="cast", floor=0.2, ceiling=None)
NOTES = OwnShare(group="notes", floor=None, ceiling=0.1)
SAID = GenreOverride(emphasis=(WORLD,), shares=(CAST,), guidance="Gaslight.")


def test_the_first_word_is_kept_in_the_order_of_kinds_and_groups():
    changes = {"emphasis": {ReferenceKind.STYLE: STYLE, ReferenceKind.WORLD: WORLD}, "shares": {"notes": NOTES, "cast": CAST}}
    assert changed(None, changes) == GenreOverride(emphasis=(WORLD, STYLE), shares=(CAST, NOTES))


def test_what_is_not_named_stays():
    assert changed(SAID, {}) == SAID
    assert changed(SAID, {"emphasis": {ReferenceKind.STYLE: STYLE}}) == GenreOverride(
        emphasis=(WORLD, STYLE), shares=(CAST,), guidance="Gaslight."
    )


def test_an_entry_takes_the_place_of_what_was_said_of_its_group():
    other = OwnShare(group="cast", floor=None, ceiling=0.7)
    changes = changed(SAID, {"shares": {"cast": other}})
    assert changes is not None
    assert changes.shares == (other,)


def test_entries_that_say_nothing_and_parts_that_are_null_go_back_to_the_genre():
    assert changed(SAID, {"emphasis": {ReferenceKind.WORLD: None}, "shares": None}) == GenreOverride(guidance="Gaslight.")
    assert changed(SAID, {"guidance": None}) == GenreOverride(emphasis=(WORLD,), shares=(CAST,))


def test_nothing_is_left_when_all_is_taken_back_but_an_empty_guidance_is_something():
    assert changed(SAID, {"emphasis": None, "shares": {"cast": None}, "guidance": None}) is None
    assert changed(None, {}) is None
    assert changed(None, {"guidance": ""}) == GenreOverride(guidance="")
