"""Input that is well-formed and still cannot be taken: a typed refusal that names the place, and nothing has changed."""

import time
from typing import Any

import pytest

from commands.demo.client import ApiError
from tests.server.caller import Caller
from tests.server.contents import Contents
from tests.server.served_schema import input_fields
from tests.server.shelf import CHAPTERS, TEXT, Shelf

TEN_MEGABYTES = 10_000_000
SECONDS_TO_REFUSE = 5

UPDATES = {"updateProject": "Project", "updateChapter": "Chapter", "updateReferenceFile": "ReferenceFile"}
UPDATED_FIELDS = [(mutation, name) for mutation in UPDATES for name in input_fields(mutation) if name != "id"]
SHOWN_BELOW = {"budgetLimit": "budget { cleared: limit }", "genreProfile": "genreProfile { cleared: overridden }"}

PROJECT = {"title": "Storm", "genre": "MYSTERY"}
CHAPTER = {"projectId": "{Project}", "title": "High water"}
FILE = {"projectId": "{Project}", "name": "Ned", "kind": "CHARACTER", "content": "Ned rows."}
UPDATED_PROJECT = {"id": "{Project}"}
UPDATED_CHAPTER = {"id": "{Chapter}"}
UPDATED_FILE = {"id": "{ReferenceFile}"}
SAVED = {"chapterId": "{Chapter}"}
STARTED = {"chapterId": "{Chapter}"}
REVISED = {"versionId": "{ChapterVersion}"}
ASSESSED = {"versionId": "{ChapterVersion}"}
DISMISSED = {"findingId": "{Finding}"}

REFUSED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    *[("saveChapterText", SAVED, {"text": text}) for text in ("", " ", "\n \t\r\n", "\u2003")],
    *[("createChapter", CHAPTER, {"text": text}) for text in ("", " ")],
    *[("createProject", PROJECT, {"title": text}) for text in ("", " \n", "two\nlines", "x" * 301)],
    *[("updateProject", UPDATED_PROJECT, {"title": text}) for text in ("", " \n", "two\nlines", "x" * 301)],
    *[("createChapter", CHAPTER, {"title": text}) for text in ("", "x" * 301)],
    *[("updateChapter", UPDATED_CHAPTER, {"title": text}) for text in ("", "x" * 301)],
    *[("createReferenceFile", FILE, {"name": text}) for text in ("", "x" * 301)],
    *[("createReferenceFile", FILE, {"content": text}) for text in ("", " \n")],
    *[("updateReferenceFile", UPDATED_FILE, {"content": text}) for text in ("", " \n")],
    *[("createChapter", CHAPTER, {"pointOfViewCharacter": text}) for text in ("", "x" * 301)],
    *[("createProject", PROJECT, {"language": tag}) for tag in ("", "english!", "e", "en_GB", "en-", "x" * 36)],
    *[("createProject", PROJECT, {name: "x" * 20_001}) for name in ("premise", "styleNotes")],
    *[("updateChapter", UPDATED_CHAPTER, {name: "x" * 20_001}) for name in ("brief", "summary")],
    *[("createProject", PROJECT, {"targetWordCount": count}) for count in (0, -1, 1_000_001)],
    *[("createProject", PROJECT, {"budgetLimit": amount}) for amount in (-1, "-0.000001", "0.1234567", 1_000_000, "1e999999999")],
    *[("updateProject", UPDATED_PROJECT, {"budgetLimit": amount}) for amount in (-1, "0.1234567", "1e-999999999")],
    *[("createChapter", CHAPTER, {"position": position}) for position in (0, -1, CHAPTERS + 2, 2**31 - 1)],
    *[("moveChapter", UPDATED_CHAPTER, {"position": position}) for position in (0, -1, CHAPTERS + 1, -(2**31))],
    *[("createReferenceFile", FILE, {"validFromChapter": chapter}) for chapter in (0, 1_001)],
    ("createReferenceFile", {**FILE, "validFromChapter": 2}, {"validUntilChapter": 1}),
    *[
        ("addProjectMember", {"projectId": "{Project}", "role": "EDITOR"}, {"email": email})
        for email in ("", "nobody", "no@b dy", "new@b.c")
    ],
    ("removeProjectMember", {"projectId": "{Project}"}, {"userId": "{User}"}),
    ("changeProjectMemberRole", {"projectId": "{Project}", "role": "VIEWER"}, {"userId": "{User}"}),
    *[("startChapterGeneration", STARTED, {"tokenBudget": budget}) for budget in (0, -1, 499, 1_000_001)],
    *[("startChapterGeneration", STARTED, {"costLimit": amount}) for amount in (-1, "0.1234567", 1_000_000)],
    *[("startChapterGeneration", STARTED, {"model": name}) for name in ("", " gpt-4o", "rehearsal", "x" * 201)],
    *[("startChapterGeneration", STARTED, {"idempotencyKey": key}) for key in ("", "k" * 201, "a\tb")],
    ("startChapterGeneration", STARTED, {"instructions": "x" * 10_001}),
    ("startChapterRevision", REVISED, {"findingIds": []}),
    ("startChapterRevision", REVISED, {"instructions": "x" * 10_001}),
    *[("startChapterRevision", {**REVISED, "instructions": "Darker."}, {"costLimit": amount}) for amount in (-1, "0.1234567", 1_000_000)],
    *[("startChapterRevision", {**REVISED, "instructions": "Darker."}, {"idempotencyKey": key}) for key in ("", "k" * 201, "a\tb")],
    *[("startAssessment", ASSESSED, {"costLimit": amount}) for amount in (-1, "0.1234567", 1_000_000)],
    *[("startAssessment", ASSESSED, {"idempotencyKey": key}) for key in ("", "k" * 201, "a\tb")],
    *[("dismissFinding", DISMISSED, {"reason": text}) for text in ("", " \n", "x" * 2_001)],
    ("retryJob", {}, {"jobId": "{Job}"}),
]


@pytest.fixture
async def nothing_changes(own: Shelf, contents: Contents):
    before = contents.digest()
    yield
    assert contents.digest() == before


def filled(values: Any, own: Shelf) -> Any:
    """With the ids that the names in braces stand for."""
    if isinstance(values, dict):
        return {name: filled(value, own) for name, value in values.items()}
    return values.format(**own.ids) if isinstance(values, str) and values.startswith("{") else values


def named(case: Any) -> str | None:
    return str(case)[:40] if isinstance(case, str | dict) else None


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize(("mutation", "accepted", "refused"), REFUSED, ids=named)
async def test_a_value_out_of_bounds_is_refused_at_its_place(ada: Caller, own: Shelf, mutation: str, accepted: Any, refused: Any):
    error = await ada.refusal(mutation, **filled({**accepted, **refused}, own))
    (name,) = refused
    assert (error["__typename"], error["code"], error["path"]) == ("InvalidInputError", "INVALID", ["input", name])


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("promptTokenBudget", 499),
        ("promptTokenBudget", 1_000_001),
        ("temperature", -0.1),
        ("temperature", 2.1),
        ("qualityTarget", 100.5),
        ("maxRevisions", 6),
        ("model", "rehearsal"),
        ("assessorModel", "two\nlines"),
    ],
)
async def test_a_setting_out_of_bounds_is_refused_at_its_place(ada: Caller, own: Shelf, name: str, value: object):
    error = await ada.refusal("updateProject", id=own.project, settings={name: value})
    assert (error["code"], error["path"]) == ("INVALID", ["input", "settings", name])


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize(
    ("mutation", "accepted", "name", "limit_name"),
    [
        ("saveChapterText", SAVED, "text", "chapterTextBytes"),
        ("createChapter", CHAPTER, "text", "chapterTextBytes"),
        ("createReferenceFile", FILE, "content", "referenceContentBytes"),
        ("updateReferenceFile", UPDATED_FILE, "content", "referenceContentBytes"),
    ],
)
async def test_ten_megabytes_are_refused_at_once(ada: Caller, own: Shelf, mutation: str, accepted: Any, name: str, limit_name: str):
    began = time.perf_counter()
    error = await ada.refusal(mutation, **{**filled(accepted, own), name: "x" * TEN_MEGABYTES})
    assert time.perf_counter() - began < SECONDS_TO_REFUSE
    assert (error["__typename"], error["code"], error["path"]) == ("LimitExceededError", "LIMIT_REACHED", ["input", name])
    assert (error["limitName"], error["maximum"]) == (limit_name, 2_000_000 if name == "text" else 1_000_000)


@pytest.mark.usefixtures("nothing_changes")
async def test_a_text_is_measured_in_bytes(ada: Caller, own: Shelf):
    error = await ada.refusal("saveChapterText", chapterId=own.chapter, text="é" * 1_000_001)
    assert error["limitName"] == "chapterTextBytes"


@pytest.mark.usefixtures("nothing_changes")
async def test_a_request_beyond_the_limit_of_the_server_is_not_read_to_its_end(ada: Caller, own: Shelf):
    answer = await ada.attempt("saveChapterText", chapterId=own.chapter, text="x" * 20_000_000)
    assert (answer.status, answer.code) == (413, "BAD_USER_INPUT")


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize("mutation", ["createReferenceFile", "updateReferenceFile"])
async def test_a_reference_file_has_50_aliases_none_of_them_blank(ada: Caller, own: Shelf, mutation: str):
    accepted = filled(FILE if mutation == "createReferenceFile" else UPDATED_FILE, own)
    error = await ada.refusal(mutation, **accepted, aliases=[f"Ned {number}" for number in range(51)])
    assert (error["code"], error["path"], error["maximum"]) == ("LIMIT_REACHED", ["input", "aliases"], 50)
    for alias in ("", " ", "x" * 201):
        error = await ada.refusal(mutation, **accepted, aliases=["Ned", alias])
        assert (error["code"], error["path"]) == ("INVALID", ["input", "aliases", "1"])


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize("name", ["include", "exclude"])
async def test_a_prompt_takes_100_pins(ada: Caller, own: Shelf, name: str):
    error = await ada.refusal("startChapterGeneration", chapterId=own.chapter, **{name: [own.reference_file] * 101})
    assert (error["code"], error["path"], error["maximum"]) == ("LIMIT_REACHED", ["input", name], 100)


@pytest.mark.usefixtures("nothing_changes")
async def test_a_revision_takes_100_findings(ada: Caller, own: Shelf):
    error = await ada.refusal("startChapterRevision", versionId=own.version, findingIds=[own.ids["Finding"]] * 101)
    assert (error["code"], error["path"], error["maximum"]) == ("LIMIT_REACHED", ["input", "findingIds"], 100)


@pytest.mark.usefixtures("nothing_changes")
async def test_numbers_that_json_does_not_have_are_refused_before_graphql(ada: Caller, own: Shelf):
    for number in (b"NaN", b"Infinity", b"-Infinity"):
        body = b'{"query": "mutation($l: USD) { updateProject(input: {id: \\"%b\\", budgetLimit: $l}) { errors { code } } }", "variables": {"l": %b}}'
        answer = await ada.send_bytes(body % (own.project.encode(), number))
        assert (answer.status, answer.code) == (400, "BAD_USER_INPUT")


@pytest.mark.usefixtures("nothing_changes")
async def test_literals_in_a_document_are_read_as_strictly_as_variables(ada: Caller, own: Shelf):
    for literal in ("NaN", '"NaN"', "{}", "[]", '"1,5"', "true"):
        document = f'mutation {{ updateProject(input: {{id: "{own.project}", budgetLimit: {literal}}}) {{ errors {{ code }} }} }}'
        assert (await ada.send(document)).code in {"GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"}


@pytest.mark.parametrize(("mutation", "name"), UPDATED_FIELDS)
async def test_null_clears_what_can_be_empty_and_nothing_else(ada: Caller, own: Shelf, contents: Contents, mutation: str, name: str):
    entity = UPDATES[mutation]
    if "Cannot be null." in (input_fields(mutation)[name].description or ""):
        before = contents.digest()
        error = await ada.refusal(mutation, id=own.ids[entity], **{name: None})
        assert (error["code"], error["path"], error["message"]) == ("INVALID", ["input", name], "This cannot be cleared.")
        assert contents.digest() == before
    else:
        await ada.change(mutation, id=own.ids[entity], **{name: None})
        shown = SHOWN_BELOW.get(name, f"cleared: {name}")
        answer = await ada.send(f"query($id: ID!) {{ node(id: $id) {{ ... on {entity} {{ {shown} }} }} }}", id=own.ids[entity])
        assert answer.data["node"] in ({"cleared": None}, {"budget": {"cleared": None}}, {"genreProfile": {"cleared": False}})


async def test_a_text_that_was_edited_from_an_old_version_can_be_saved_on_the_current_one(ada: Caller, own: Shelf, contents: Contents):
    await ada.change("saveChapterText", chapterId=own.chapter, text="Somebody else's words.", baseVersionId=own.version)
    before = contents.digest()
    error = await ada.refusal("saveChapterText", chapterId=own.chapter, text="My words.", baseVersionId=own.version)
    assert contents.digest() == before
    assert (error["__typename"], error["code"], error["path"]) == ("VersionConflictError", "CONFLICT", ["input", "baseVersionId"])
    assert "Your text was not saved: compare it with the current version and save again." in error["message"]
    assert error["current"]["text"] == "Somebody else's words."
    await ada.change("saveChapterText", chapterId=own.chapter, text="My words.", baseVersionId=error["current"]["id"])
    saved = await ada.send("query($id: ID!) { chapter(id: $id) { currentVersion { text } versions { nodes { text } } } }", id=own.chapter)
    assert saved.data["chapter"]["currentVersion"]["text"] == "My words."
    assert [version["text"] for version in saved.data["chapter"]["versions"]["nodes"]] == ["My words.", "Somebody else's words.", TEXT]


async def test_an_archived_project_is_out_of_sight_and_not_out_of_reach(ada: Caller, own: Shelf):
    await ada.change("updateProject", id=own.project, archived=True)
    await ada.change("updateChapter", id=own.chapter, summary="Still being told.")
    listed = await ada.send("query { projects(filter: {archived: false}) { nodes { id } } }")
    assert own.project not in [project["id"] for project in listed.data["projects"]["nodes"]]
    await ada.change("updateProject", id=own.project, archived=False)


@pytest.mark.usefixtures("nothing_changes")
async def test_over_a_socket_the_same_input_is_refused_in_the_same_words(ada: Caller, own: Shelf, foreign: Shelf):
    events = "subscription($id: ID!, $after: String) { jobEvents(jobId: $id, after: $after) { sequence } }"
    save = "mutation($input: SaveChapterTextInput!) { saveChapterText(input: $input) { errors { __typename code path message } } }"
    over_http = await ada.refusal("saveChapterText", chapterId=own.chapter, text="te\x00xt")
    async with ada.client.follow(save, input={"chapterId": own.chapter, "text": "te\x00xt"}) as answers:
        (answer,) = [answer async for answer in answers]
    assert answer["saveChapterText"]["errors"] == [{name: over_http[name] for name in ("__typename", "code", "path", "message")}]

    unknown = await stream_error(ada, events, id=f"job_{'0' * 26}")
    assert "nothing with this id" in unknown
    for job in (foreign.job, own.chapter, "nonsense", "\x00", "\ud83d"):
        assert await stream_error(ada, events, id=job) == unknown
    for cursor in ("nonsense", "", "\x00", "\ud83d", "W10", "WzEsMl0", "WzEwMDAwMDBd"):
        assert "cursor" in await stream_error(ada, events, id=own.job, after=cursor)


async def stream_error(caller: Caller, document: str, **variables: object) -> str:
    async with caller.client.follow(document, **variables) as events:
        with pytest.raises(ApiError) as refusal:
            await anext(events)
    return str(refusal.value)
