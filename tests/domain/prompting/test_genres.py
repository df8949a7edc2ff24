"""Genre profiles are complete and differ, and a project's own word is laid over them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.genre_overrides import GROUPS, GenreOverride, OwnShare, OwnWeight
from domain.llm.tokens import TokenCounter
from domain.projects import Genre
from domain.prompting.genres import Share, all_profiles, effective_profile, genre_profile
from domain.prompting.optimizer import build_prompt
from domain.reference_files import ReferenceKind
from tests.domain.prompting.book import project, salt_road, wish

TOKENS = TokenCounter()


def test_every_genre_weighs_every_kind_of_reference_within_reason_and_guides_in_its_own_words():
    profiles = [genre_profile(genre) for genre in Genre]
    assert list(all_profiles()) == profiles
    assert [profile.genre for profile in profiles] == list(Genre)
    assert all(set(profile.emphasis) == set(ReferenceKind) for profile in profiles)
    assert all(0.5 <= weight <= 1.5 for profile in profiles for weight in profile.emphasis.values())
    assert len({profile.guidance for profile in profiles}) == len(profiles)
    assert all(40 <= len(profile.guidance.split()) <= 100 for profile in profiles)


def test_genres_favour_what_they_live_on():
    def favourite(genre):
        emphasis = genre_profile(genre).emphasis
        return max(emphasis, key=emphasis.__getitem__)

    assert favourite(Genre.FANTASY) is ReferenceKind.WORLD
    assert favourite(Genre.ROMANCE) is ReferenceKind.CHARACTER
    assert favourite(Genre.MYSTERY) is ReferenceKind.OUTLINE
    assert favourite(Genre.HISTORICAL) is ReferenceKind.RESEARCH


def test_genres_keep_room_for_what_they_live_on():
    assert genre_profile(Genre.FANTASY).shares["research"].ceiling < genre_profile(Genre.HISTORICAL).shares["research"].ceiling
    assert genre_profile(Genre.NON_FICTION).shares["research"].floor > genre_profile(Genre.NON_FICTION).shares["cast"].floor
    novels = [profile for profile in all_profiles() if profile.genre not in {Genre.NON_FICTION, Genre.MEMOIR}]
    assert all(profile.shares["cast"].floor >= 0.3 for profile in novels)
    assert max(novels, key=lambda profile: profile.shares["earlier text"].floor).genre is Genre.MYSTERY


def test_a_project_that_says_nothing_has_its_genres_profile():
    assert effective_profile(project(genre=Genre.ROMANCE)) == genre_profile(Genre.ROMANCE)


def test_a_projects_own_word_replaces_what_it_names_and_nothing_else():
    override = GenreOverride(
        emphasis=(OwnWeight(kind=ReferenceKind.WORLD, weight=3.0),),
        shares=(OwnShare(group="research", floor=0.2, ceiling=None), OwnShare(group="cast", floor=None, ceiling=0.5)),
        guidance="Gaslight.",
    )
    own, genre = effective_profile(project(genre=Genre.ROMANCE, genre_override=override)), genre_profile(Genre.ROMANCE)
    assert own.emphasis == {**genre.emphasis, ReferenceKind.WORLD: 3.0}
    assert own.shares == {
        **genre.shares,
        # The project's floor is above the genre's ceiling, which yields.
        "research": Share(floor=0.2, ceiling=0.2),
        "cast": Share(floor=0.4, ceiling=0.5),
        # Its floors come to 0.9 now, so that no other has to yield.
    }
    assert (own.guidance, own.reason, own.genre, own.override) == ("Gaslight.", genre.reason, Genre.ROMANCE, override)


def test_a_genres_floor_yields_to_a_projects_ceiling():
    override = GenreOverride(shares=(OwnShare(group="cast", floor=None, ceiling=0.1),))
    assert effective_profile(project(genre=Genre.ROMANCE, genre_override=override)).shares["cast"] == Share(floor=0.1, ceiling=0.1)


def test_floors_of_the_genre_shrink_alike_where_the_project_keeps_more():
    override = GenreOverride(shares=(OwnShare(group="world", floor=0.5, ceiling=0.9),))
    shares, genre = effective_profile(project(genre=Genre.ROMANCE, genre_override=override)).shares, genre_profile(Genre.ROMANCE).shares
    assert shares["world"] == Share(floor=0.5, ceiling=0.9)
    assert shares["cast"].floor == pytest.approx(0.5 * 0.4 / 0.65)
    assert shares["cast"].floor / shares["earlier text"].floor == pytest.approx(genre["cast"].floor / genre["earlier text"].floor)
    assert sum(share.floor for share in shares.values()) == pytest.approx(1.0)


@st.composite
def overrides(draw):
    """Shares that hold together by themselves, as any that were ever accepted do."""
    left, shares = 1.0, []
    for group in draw(st.lists(st.sampled_from(GROUPS), unique=True)):
        floor = draw(st.none() | st.floats(0, left))
        ceiling = draw(st.none() | st.floats(floor or 0.0, 1))
        left -= floor or 0.0
        shares.append(OwnShare(group=group, floor=floor, ceiling=ceiling))
    return GenreOverride(shares=tuple(shares))


@given(st.sampled_from(list(Genre)), overrides())
def test_effective_shares_hold_together_whatever_genre_an_override_meets(genre, override):
    shares = effective_profile(project(genre=genre, genre_override=override)).shares
    assert list(shares) == list(GROUPS)
    assert all(0 <= share.floor <= share.ceiling <= 1 for share in shares.values())
    assert sum(share.floor for share in shares.values()) <= 1 + 1e-5
    for own in override.shares:
        assert own.floor is None or shares[own.group].floor == own.floor
        assert own.ceiling is None or shares[own.group].ceiling == own.ceiling


def prompt(**changes):
    return build_prompt(salt_road(project=project(**changes)), wish(), tokens=TOKENS)


def test_the_prompt_follows_the_projects_own_word():
    override = GenreOverride(emphasis=(OwnWeight(kind=ReferenceKind.CHARACTER, weight=0.25),), guidance="Only tide\u202e tables.")
    plain, own = prompt(), prompt(genre_override=override)

    def best(built):
        return max(item.score for item in built.receipt.items if item.group == "cast" and item.reason == "MENTIONED")

    assert best(own) == pytest.approx(0.25 * best(plain))
    assert genre_profile(Genre.HISTORICAL).guidance in plain.messages[0].text
    assert genre_profile(Genre.HISTORICAL).guidance not in own.messages[0].text
    assert "Only tide tables." in own.messages[0].text


def test_an_empty_guidance_says_nothing_of_the_genre():
    own = prompt(genre_override=GenreOverride(guidance=" \n"))
    assert not [item for item in own.receipt.items if item.label.startswith("Genre")]
    assert "The genre" not in own.messages[0].text
