"""Reference files: text the author wants the model to know."""

import hashlib

import pytest

ALL = """name kind content aliases inclusion validFromChapter validUntilChapter mediaType sizeBytes tokenCount sha256 createdAt updatedAt
    project { title }"""
LIST = "query($id: ID!, $kind: [ReferenceKind!]) { project(id: $id) { referenceFiles(kind: $kind) { totalCount nodes { name } } } }"


async def listed(api, project, **arguments):
    connection = (await api.ask(LIST, id=project, **arguments))["project"]["referenceFiles"]
    assert connection["totalCount"] == len(connection["nodes"])
    return [node["name"] for node in connection["nodes"]]


async def test_a_file_is_kept_as_it_was_written_and_measured(api):
    content = "Mara räumt auf.\r\nSie schweigt."
    stored = "Mara räumt auf.\nSie schweigt."
    file = await api.mutate(
        "createReferenceFile",
        ALL,
        projectId=await api.project(),
        name=" Mara ",
        kind="CHARACTER",
        content=content,
        aliases=["the keeper", "M", "M"],
    )
    assert file.pop("tokenCount") > 5
    assert file == {
        "name": "Mara",
        "kind": "CHARACTER",
        "content": stored,
        "aliases": ["the keeper", "M"],
        "inclusion": "WHEN_RELEVANT",
        "validFromChapter": None,
        "validUntilChapter": None,
        "mediaType": "text/markdown",
        "sizeBytes": len(stored.encode()),
        "sha256": hashlib.sha256(stored.encode()).hexdigest(),
        "createdAt": "2026-03-01T12:00:00.000000Z",
        "updatedAt": "2026-03-01T12:00:00.000000Z",
        "project": {"title": "The Lighthouse"},
    }


async def test_a_new_content_is_measured_again_and_the_rest_stays(api):
    file = await api.reference_file(await api.project(), aliases=["M"], validFromChapter=2, inclusion="ALWAYS")
    api.clock.advance(hours=1)
    changed = await api.mutate("updateReferenceFile", ALL, id=file, content="New.")
    assert (changed["content"], changed["sizeBytes"], changed["sha256"]) == ("New.", 4, hashlib.sha256(b"New.").hexdigest())
    assert (changed["aliases"], changed["validFromChapter"], changed["inclusion"], changed["name"]) == (["M"], 2, "ALWAYS", "Mara")
    assert changed["updatedAt"] == "2026-03-01T13:00:00.000000Z"
    cleared = await api.mutate("updateReferenceFile", ALL, id=file, validFromChapter=None, aliases=[])
    assert (cleared["validFromChapter"], cleared["aliases"], cleared["content"]) == (None, [], "New.")


@pytest.mark.parametrize(
    ("path", "values"),
    [
        (["name"], {"name": ""}),
        (["content"], {"content": " \n"}),
        (["content"], {"content": "nul\x00"}),
        (["aliases", "1"], {"aliases": ["fine", ""]}),
        (["aliases", "0"], {"aliases": ["x" * 201]}),
        (["validFromChapter"], {"validFromChapter": 0}),
        (["validUntilChapter"], {"validUntilChapter": 1001}),
        (["validUntilChapter"], {"validFromChapter": 3, "validUntilChapter": 2}),
    ],
)
async def test_values_that_cannot_be_accepted_are_named_and_change_nothing(api, path, values):
    project = await api.project()
    given = {"projectId": project, "name": "Mara", "kind": "CHARACTER", "content": "C", **values}
    created = await api.refusal("createReferenceFile", **given)
    assert (created["__typename"], created["path"]) == ("InvalidInputError", ["input", *path])
    assert await listed(api, project) == []
    updated = await api.refusal("updateReferenceFile", id=await api.reference_file(project), **values)
    assert updated["path"] == ["input", *path]


async def test_the_end_of_story_time_is_checked_against_what_is_stored(api):
    file = await api.reference_file(await api.project(), validFromChapter=3)
    assert (await api.refusal("updateReferenceFile", id=file, validUntilChapter=2))["path"] == ["input", "validUntilChapter"]
    await api.mutate("updateReferenceFile", "id", id=file, validFromChapter=2, validUntilChapter=2)


@pytest.mark.parametrize("field", ["name", "kind", "content", "aliases", "inclusion"])
async def test_what_is_never_empty_cannot_be_cleared(api, field):
    error = await api.refusal("updateReferenceFile", id=await api.reference_file(await api.project()), **{field: None})
    assert (error["code"], error["path"]) == ("INVALID", ["input", field])


async def test_limits_are_named(api):
    project = await api.project()
    given = {"projectId": project, "name": "Mara", "kind": "CHARACTER"}
    long = await api.refusal("createReferenceFile", **given, content="é" * 500_001)
    many = await api.refusal("createReferenceFile", **given, content="C", aliases=[str(number) for number in range(51)])
    assert [(error["limitName"], error["maximum"]) for error in (long, many)] == [("referenceContentBytes", 1_000_000), ("aliases", 50)]


async def test_files_are_listed_by_name_and_kind(api):
    project = await api.project()
    for name, kind in (("Mara", "CHARACTER"), ("Bay", "WORLD"), ("Ana", "CHARACTER")):
        await api.reference_file(project, name=name, kind=kind)
    assert await listed(api, project) == ["Ana", "Bay", "Mara"]
    assert await listed(api, project, kind=["CHARACTER"]) == ["Ana", "Mara"]
    assert await listed(api, project, kind=[]) == []


async def test_a_deleted_file_is_gone(api):
    project = await api.project()
    file = await api.reference_file(project)
    assert await api.mutate("deleteReferenceFile", None, id=file) == file
    assert await listed(api, project) == []
    assert (await api.refusal("deleteReferenceFile", id=file))["__typename"] == "NotFoundError"
