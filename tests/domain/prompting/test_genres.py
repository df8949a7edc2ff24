"""Genre profiles are complete and differ."""

from domain.projects import Genre
from domain.prompting.genres import genre_profile
from domain.reference_files import ReferenceKind


def test_every_genre_weighs_every_kind_of_reference_within_reason_and_guides_in_its_own_words():
    profiles = [genre_profile(genre) for genre in Genre]
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
