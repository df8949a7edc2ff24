"""Projects: creating, changing, listing, deleting."""

import pytest

ALL = """title premise genre language audience pointOfView tense styleNotes targetWordCount archivedAt createdAt updatedAt viewerRole
    settings { model assessorModel promptTokenBudget temperature qualityTarget maxRevisions }
    budget { limit spent reserved remaining } progress { chapters drafted final wordCount targetWordCount fraction }"""
LIST = """query($filter: ProjectFilter, $orderBy: ProjectOrder, $first: Int, $after: String) {
    projects(filter: $filter, orderBy: $orderBy, first: $first, after: $after) { totalCount nodes { title } pageInfo { endCursor } } }"""


async def listed(api, **arguments):
    return [node["title"] for node in (await api.ask(LIST, **arguments))["projects"]["nodes"]]


async def test_a_project_with_only_a_title_and_a_genre_has_the_defaults(api):
    assert await api.mutate("createProject", ALL, title="  The Lighthouse ", genre="MYSTERY") == {
        "title": "The Lighthouse",
        "premise": "",
        "genre": "MYSTERY",
        "language": "en",
        "audience": None,
        "pointOfView": None,
        "tense": None,
        "styleNotes": "",
        "targetWordCount": None,
        "archivedAt": None,
        "createdAt": "2026-03-01T12:00:00.000000Z",
        "updatedAt": "2026-03-01T12:00:00.000000Z",
        "viewerRole": "OWNER",
        "settings": {
            "model": "gpt-4.1-mini",
            "assessorModel": "gpt-4.1-mini",
            "promptTokenBudget": 8000,
            "temperature": 0.8,
            "qualityTarget": 70.0,
            "maxRevisions": 1,
        },
        "budget": {"limit": None, "spent": "0.000000", "reserved": "0.000000", "remaining": None},
        "progress": {"chapters": 0, "drafted": 0, "final": 0, "wordCount": 0, "targetWordCount": None, "fraction": None},
    }


async def test_everything_that_is_said_of_a_project_is_kept(api):
    said = {
        "title": "Die Brücke",
        "premise": "One line.\n\nAnother, with 龍 and 😀.",
        "genre": "SCIENCE_FICTION",
        "language": "pt-BR",
        "audience": "Adults",
        "pointOfView": "THIRD_LIMITED",
        "tense": "PRESENT",
        "styleNotes": "No adverbs.",
        "targetWordCount": 80_000,
    }
    settings = {
        "model": "gpt-4o",
        "assessorModel": "gpt-4.1",
        "promptTokenBudget": 500,
        "temperature": 0.0,
        "qualityTarget": 100.0,
        "maxRevisions": 0,
    }
    project = await api.mutate("createProject", ALL, **said, settings=settings, budgetLimit="999999")
    assert {name: project[name] for name in said} == said
    assert project["settings"] == settings
    assert project["budget"]["limit"] == "999999.000000"


async def test_null_means_not_given_when_a_project_is_created(api):
    project = await api.mutate("createProject", ALL, title="A", genre="OTHER", premise=None, language=None, settings=None, budgetLimit=None)
    assert (project["premise"], project["language"]) == ("", "en")


async def test_what_is_left_out_of_an_update_stays_and_null_clears(api):
    project = await api.project(
        audience="Adults", tense="PAST", premise="P", settings={"temperature": 1.5}, budgetLimit=3, targetWordCount=9
    )
    api.clock.advance(hours=1)
    changed = await api.mutate(
        "updateProject", ALL, id=project, title="New", audience=None, budgetLimit=None, targetWordCount=None, settings={"maxRevisions": 3}
    )
    assert (changed["title"], changed["audience"], changed["tense"], changed["premise"]) == ("New", None, "PAST", "P")
    assert (changed["settings"]["temperature"], changed["settings"]["maxRevisions"]) == (1.5, 3)
    assert (changed["budget"]["limit"], changed["targetWordCount"]) == (None, None)
    assert changed["updatedAt"] == "2026-03-01T13:00:00.000000Z"


async def test_an_empty_model_name_returns_to_the_servers_default(api):
    project = await api.project(settings={"model": "gpt-4o"})
    changed = await api.mutate("updateProject", ALL, id=project, settings={"model": ""})
    assert changed["settings"]["model"] == "gpt-4.1-mini"


@pytest.mark.parametrize("field", ["title", "premise", "genre", "language", "styleNotes", "settings", "archived"])
async def test_what_is_never_empty_cannot_be_cleared(api, field):
    error = await api.refusal("updateProject", id=await api.project(), **{field: None})
    assert (error["__typename"], error["code"], error["path"]) == ("InvalidInputError", "INVALID", ["input", field])


@pytest.mark.parametrize(
    ("path", "values"),
    [
        (["title"], {"title": " \n "}),
        (["title"], {"title": "x" * 301}),
        (["title"], {"title": "two\nlines"}),
        (["title"], {"title": "nul\x00"}),
        (["premise"], {"premise": "x" * 20_001}),
        (["premise"], {"premise": "bell\x07"}),
        (["language"], {"language": "english, please"}),
        (["audience"], {"audience": ""}),
        (["styleNotes"], {"styleNotes": "x" * 20_001}),
        (["targetWordCount"], {"targetWordCount": 0}),
        (["targetWordCount"], {"targetWordCount": 1_000_001}),
        (["budgetLimit"], {"budgetLimit": "-0.01"}),
        (["budgetLimit"], {"budgetLimit": "999999.000001"}),
        (["budgetLimit"], {"budgetLimit": "0.0000001"}),
        (["settings", "promptTokenBudget"], {"settings": {"promptTokenBudget": 499}}),
        (["settings", "temperature"], {"settings": {"temperature": 2.1}}),
        (["settings", "qualityTarget"], {"settings": {"qualityTarget": -1}}),
        (["settings", "maxRevisions"], {"settings": {"maxRevisions": 6}}),
        (["settings", "maxRevisions"], {"settings": {"maxRevisions": None}}),
        (["settings", "model"], {"settings": {"model": "rehearsal"}}),
        (["settings", "assessorModel"], {"settings": {"assessorModel": " gpt"}}),
    ],
)
async def test_values_that_cannot_be_accepted_are_named_and_change_nothing(api, path, values):
    created = await api.refusal("createProject", **{"title": "A", "genre": "OTHER", **values})
    assert (created["__typename"], created["path"]) == ("InvalidInputError", ["input", *path])
    assert await listed(api) == []
    project = await api.project()
    updated = await api.refusal("updateProject", id=project, **values)
    assert (updated["__typename"], updated["path"]) == ("InvalidInputError", ["input", *path])
    assert await listed(api) == ["The Lighthouse"]


async def test_half_a_surrogate_pair_is_refused(api):
    error = await api.refusal("createProject", title="broken \ud83d", genre="OTHER")
    assert error["path"] == ["input", "title"]


async def test_an_archived_project_says_since_when_and_comes_back(api):
    project = await api.project()
    archived = await api.mutate("updateProject", "archivedAt", id=project, archived=True)
    api.clock.advance(days=1)
    again = await api.mutate("updateProject", "archivedAt", id=project, archived=True)
    assert archived["archivedAt"] == again["archivedAt"] == "2026-03-01T12:00:00.000000Z"
    assert (await api.mutate("updateProject", "archivedAt", id=project, archived=False))["archivedAt"] is None


async def test_projects_are_listed_by_what_is_asked_for(api):
    await api.project(title="Alpha")
    api.clock.advance(hours=1)
    old = await api.project(title="beta 100%", genre="FANTASY")
    api.clock.advance(hours=1)
    await api.mutate("updateProject", "id", id=old, archived=True)
    api.clock.advance(hours=1)
    await api.project(title="Gamma", genre="FANTASY")
    assert await listed(api) == ["Gamma", "beta 100%", "Alpha"]
    assert await listed(api, orderBy={"field": "TITLE", "direction": "ASC"}) == ["Alpha", "beta 100%", "Gamma"]
    assert await listed(api, orderBy={"field": "CREATED_AT", "direction": "ASC"}) == ["Alpha", "beta 100%", "Gamma"]
    assert await listed(api, filter={"genre": ["FANTASY"], "archived": False}) == ["Gamma"]
    assert await listed(api, filter={"archived": True}) == ["beta 100%"]
    assert await listed(api, filter={"titleContains": "0%"}) == ["beta 100%"]
    assert await listed(api, filter={"titleContains": "LPH"}) == ["Alpha"]
    assert await listed(api, filter={"genre": []}) == []
    assert await listed(api, filter={"genre": None, "archived": None, "titleContains": None}) == ["Gamma", "beta 100%", "Alpha"]


async def test_the_count_is_of_the_filtered_list(api):
    for title in ("A", "B", "AB"):
        await api.project(title=title)
    data = await api.ask(LIST, first=1, filter={"titleContains": "a"})
    assert (len(data["projects"]["nodes"]), data["projects"]["totalCount"]) == (1, 2)


async def test_the_viewers_projects_are_the_same_list(api):
    await api.project(title="A")
    document = "{ viewer { user { name email } projects(last: 1) { totalCount nodes { title } } } }"
    assert await api.ask(document) == {
        "viewer": {"user": {"name": "Ada", "email": "ada@example.org"}, "projects": {"totalCount": 1, "nodes": [{"title": "A"}]}}
    }


async def test_a_title_filter_that_no_title_can_hold_is_the_callers_mistake(api):
    from domain.errors import InvalidInput

    assert isinstance(await api.error(LIST, filter={"titleContains": "\x00"}), InvalidInput)


async def test_a_deleted_project_is_gone_with_all_it_held(api):
    project = await api.project()
    chapter = await api.chapter(project, text="Once.")
    assert await api.mutate("deleteProject", None, id=project) == project
    assert await api.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[project, chapter]) == {"nodes": [None, None]}


async def test_progress_counts_chapters_words_and_the_share_of_the_target(api):
    project = await api.project(targetWordCount=8)
    await api.chapter(project, text="one two three")
    final = await api.chapter(project, text="four five")
    await api.chapter(project)
    await api.mutate("updateChapter", "id", id=final, status="FINAL")
    data = await api.ask(
        "query($id: ID!) { project(id: $id) { progress { chapters drafted final wordCount targetWordCount fraction } } }", id=project
    )
    assert data["project"]["progress"] == {
        "chapters": 3,
        "drafted": 2,
        "final": 1,
        "wordCount": 5,
        "targetWordCount": 8,
        "fraction": 0.625,
    }
    await api.mutate("updateProject", "id", id=project, targetWordCount=2)
    data = await api.ask("query($id: ID!) { project(id: $id) { progress { fraction } } }", id=project)
    assert data["project"]["progress"]["fraction"] == 1.0
