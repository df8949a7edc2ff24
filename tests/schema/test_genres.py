"""Genre profiles, and what projects say of their own."""

import pytest

from domain.projects import Genre
from domain.prompting.genres import genre_profile

PROFILE = """genre guidance reason overridden guidanceOverridden emphasis { kind weight overridden }
    shares { group floor ceiling overridden }"""
OWN = f"genre genreProfile {{ {PROFILE} }}"
GROUPS = ["cast", "world", "research", "notes", "outline", "style", "story so far", "recent text", "earlier text"]
SAID = {
    "emphasis": [{"kind": "WORLD", "weight": 2}, {"kind": "STYLE", "weight": 0.25}],
    "shares": [{"group": "cast", "floor": 0.2, "ceiling": 0.6}, {"group": "earlier text", "ceiling": 0.15}],
    "guidance": "Fog,\r\nand more fog.",
}


async def profile_of(api, project):
    return (await api.ask(f"query($id: ID!) {{ project(id: $id) {{ {OWN} }} }}", id=project))["project"]["genreProfile"]


def weights(profile):
    return {entry["kind"]: entry["weight"] for entry in profile["emphasis"]}


def shares(profile):
    return {entry["group"]: (entry["floor"], entry["ceiling"]) for entry in profile["shares"]}


def overridden(profile):
    named = [entry.get("kind") or entry["group"] for part in ("emphasis", "shares") for entry in profile[part] if entry["overridden"]]
    return named + ["guidance"] * profile["guidanceOverridden"]


async def test_genres_show_everything_there_is_to_know(api):
    genres = (await api.ask(f"{{ genres {{ {PROFILE} }} }}"))["genres"]
    assert [profile["genre"] for profile in genres] == [genre.value for genre in Genre]
    for profile in genres:
        known = genre_profile(Genre(profile["genre"]))
        assert (profile["guidance"], profile["reason"]) == (known.guidance, known.reason)
        assert weights(profile) == known.emphasis
        assert list(shares(profile)) == GROUPS
        assert shares(profile) == {group: (share.floor, share.ceiling) for group, share in known.shares.items()}
        assert (profile["overridden"], overridden(profile)) == (False, [])


async def test_a_project_has_its_genres_profile_until_it_says_otherwise(api):
    project = await api.project(genre="MYSTERY")
    genres = (await api.ask(f"{{ genres {{ {PROFILE} }} }}"))["genres"]
    assert await profile_of(api, project) == next(profile for profile in genres if profile["genre"] == "MYSTERY")


async def test_what_a_new_project_says_is_laid_over_its_genre(api):
    project = await api.project(genre="MYSTERY", genreProfile=SAID)
    own, genre = await profile_of(api, project), genre_profile(Genre.MYSTERY)
    assert weights(own) == {**genre.emphasis, "WORLD": 2.0, "STYLE": 0.25}
    assert shares(own)["cast"] == (0.2, 0.6)
    assert shares(own)["earlier text"] == (0.1, 0.15)
    assert shares(own)["world"] == (0.05, 0.4)
    assert own["guidance"] == "Fog,\nand more fog."
    assert own["reason"] == genre.reason
    assert own["overridden"] is True
    assert overridden(own) == ["WORLD", "STYLE", "cast", "earlier text", "guidance"]


async def test_an_update_changes_what_it_names_and_null_takes_it_back(api):
    project = await api.project(genre="MYSTERY", genreProfile=SAID)

    async def said(**parts):
        changed = await api.mutate("updateProject", OWN, id=project, genreProfile=parts)
        return overridden(changed["genreProfile"])

    assert await said() == ["WORLD", "STYLE", "cast", "earlier text", "guidance"]
    assert await said(emphasis=[{"kind": "OTHER", "weight": 4}, {"kind": "WORLD", "weight": None}], guidance=None) == [
        "STYLE",
        "OTHER",
        "cast",
        "earlier text",
    ]
    assert await said(shares=[{"group": "cast"}, {"group": "notes", "floor": 0.05}]) == ["STYLE", "OTHER", "notes", "earlier text"]
    assert await said(shares=None) == ["STYLE", "OTHER"]
    assert await said(emphasis=[]) == ["STYLE", "OTHER"]
    assert await said(guidance="") == ["STYLE", "OTHER", "guidance"]
    assert (await profile_of(api, project))["guidance"] == ""
    changed = await api.mutate("updateProject", OWN, id=project, genreProfile=None)
    assert (changed["genreProfile"]["overridden"], overridden(changed["genreProfile"])) == (False, [])


async def test_the_projects_word_stays_when_other_things_change(api):
    project = await api.project(genre="MYSTERY", genreProfile=SAID)
    await api.mutate("updateProject", "id", id=project, title="New", settings={"maxRevisions": 2})
    assert overridden(await profile_of(api, project)) == ["WORLD", "STYLE", "cast", "earlier text", "guidance"]


async def test_another_genre_keeps_the_projects_word_and_yields_to_it(api):
    large = {"shares": [{"group": "earlier text", "floor": 0.4}]}
    project = await api.project(genre="MYSTERY", genreProfile=large)
    changed = await api.mutate("updateProject", OWN, id=project, genre="NON_FICTION")
    own = changed["genreProfile"]
    assert (changed["genre"], own["genre"], overridden(own)) == ("NON_FICTION", "NON_FICTION", ["earlier text"])
    assert shares(own)["earlier text"] == (0.4, 0.45)
    assert shares(own)["research"][0] < genre_profile(Genre.NON_FICTION).shares["research"].floor
    assert sum(floor for floor, _ in shares(own).values()) == pytest.approx(1.0)


async def test_shares_are_held_against_the_genre_that_comes_with_them(api):
    project = await api.project(genre="FANTASY")
    said = {"shares": [{"group": "research", "floor": 0.5}]}
    assert (await api.refusal("updateProject", id=project, genreProfile=said))["path"] == ["input", "genreProfile", "shares", "0"]
    changed = await api.mutate(
        "updateProject", OWN, id=project, genre="HISTORICAL", genreProfile={"shares": [{"group": "research", "floor": 0.4}]}
    )
    assert shares(changed["genreProfile"])["research"] == (0.4, 0.6)


async def test_null_means_not_given_when_a_project_is_created(api):
    project = await api.project(genreProfile=None)
    assert (await profile_of(api, project))["overridden"] is False
    other = await api.project(genreProfile={"emphasis": None, "shares": None, "guidance": None})
    assert (await profile_of(api, other))["overridden"] is False


@pytest.mark.parametrize(
    ("path", "said", "told"),
    [
        (["emphasis", "0", "weight"], {"emphasis": [{"kind": "WORLD", "weight": 0.24}]}, "from 0.25 to 4"),
        (["emphasis", "0", "weight"], {"emphasis": [{"kind": "WORLD", "weight": 4.1}]}, "from 0.25 to 4"),
        (["emphasis", "1", "kind"], {"emphasis": [{"kind": "WORLD", "weight": 1}, {"kind": "WORLD", "weight": 2}]}, "twice"),
        (["shares", "0", "group"], {"shares": [{"group": "pace", "floor": 0.1}]}, ", ".join(GROUPS)),
        (["shares", "1", "group"], {"shares": [{"group": "cast", "floor": 0.1}, {"group": "cast", "ceiling": 0.9}]}, "twice"),
        (["shares", "0", "floor"], {"shares": [{"group": "cast", "floor": -0.1}]}, "from 0 to 1"),
        (["shares", "0", "ceiling"], {"shares": [{"group": "cast", "ceiling": 1.1}]}, "from 0 to 1"),
        (["shares", "1"], {"shares": [{"group": "world", "floor": 0.1}, {"group": "cast", "floor": 0.5, "ceiling": 0.4}]}, "ceiling"),
        # MYSTERY keeps 0.35 for the cast, and gives research 0.3 at most.
        (["shares", "0"], {"shares": [{"group": "cast", "ceiling": 0.3}]}, "genre's own"),
        (["shares", "0"], {"shares": [{"group": "research", "floor": 0.31}]}, "genre's own"),
        (["shares"], {"shares": [{"group": "world", "floor": 0.4}]}, "1.04"),
        (["guidance"], {"guidance": "x" * 5_001}, "5,000"),
        (["guidance"], {"guidance": "bell\x07"}, "control characters"),
    ],
)
async def test_what_cannot_be_accepted_is_named_and_changes_nothing(api, path, said, told):
    document = "{ projects { totalCount } }"
    created = await api.refusal("createProject", title="A", genre="MYSTERY", genreProfile=said)
    assert (created["__typename"], created["path"]) == ("InvalidInputError", ["input", "genreProfile", *path])
    assert told in created["message"]
    assert await api.ask(document) == {"projects": {"totalCount": 0}}
    project = await api.project(genre="MYSTERY", genreProfile=SAID | {"shares": None})
    before = await profile_of(api, project)
    updated = await api.refusal("updateProject", id=project, title="New", genreProfile=said)
    assert (updated["path"], updated["message"]) == (created["path"], created["message"])
    assert await profile_of(api, project) == before


async def test_guidance_of_the_greatest_length_is_accepted(api):
    project = await api.project(genreProfile={"guidance": "x" * 5_000})
    assert len((await profile_of(api, project))["guidance"]) == 5_000


async def test_what_was_said_before_counts_when_more_is_said(api):
    project = await api.project(genre="MYSTERY", genreProfile={"shares": [{"group": "world", "floor": 0.3}]})
    error = await api.refusal("updateProject", id=project, genreProfile={"shares": [{"group": "research", "floor": 0.2}]})
    assert (error["path"], "1.14" in error["message"]) == (["input", "genreProfile", "shares"], True)


async def test_editors_may_say_it_viewers_only_read_it_and_strangers_not_even_that(api):
    project = await api.project(genre="MYSTERY")
    editor, viewer, stranger = await api.member(project, "EDITOR"), await api.member(project, "VIEWER"), await api.newcomer()
    await editor.mutate("updateProject", "id", id=project, genreProfile=SAID)
    refused = await viewer.refusal("updateProject", id=project, genreProfile=None)
    assert (refused["__typename"], refused["requiredRole"]) == ("ForbiddenError", "EDITOR")
    assert (await stranger.refusal("updateProject", id=project, genreProfile=None))["__typename"] == "NotFoundError"
    assert (await profile_of(viewer, project))["overridden"] is True


async def test_a_preview_follows_the_projects_own_word(api):
    project = await api.project(genre="MYSTERY", genreProfile={"guidance": "Nothing but gaslight."})
    chapter = await api.chapter(project, brief="A door.")
    document = "query($id: ID!) { promptPreview(input: {chapterId: $id}) { messages { text } } }"
    texts = [message["text"] for message in (await api.ask(document, id=chapter))["promptPreview"]["messages"]]
    assert "Nothing but gaslight." in texts[0]
    assert genre_profile(Genre.MYSTERY).guidance not in texts[0]
