"""Prompts compared: of two versions, of a version and a preview, of a preview and one with more room."""

import pytest

from domain.errors import InvalidInput, NotFound
from schema.failures import explain

CHANGE = "label group tokens why before { decision tokens } after { decision tokens } source { __typename id }"
COMPARED = f"""fragment Compared on PromptComparison {{
    identical tokens unchanged before {{ digest model tokenBudget tokensUsed }} after {{ digest model tokenBudget tokensUsed }}
    cameIn {{ {CHANGE} }} wentOut {{ {CHANGE} }} longer {{ {CHANGE} }} shorter {{ {CHANGE} }} }}"""
VERSIONS = f"query($before: ID!, $after: ID!) {{ promptComparison(before: $before, after: $after) {{ ...Compared }} }} {COMPARED}"
TO_VERSION = f"""query($input: PromptPreviewInput!, $version: ID!) {{ promptPreview(input: $input) {{
    receipt {{ digest }} comparedTo(versionId: $version) {{ ...Compared }} }} }} {COMPARED}"""
WITH_MORE = f"""query($input: PromptPreviewInput!, $tokens: Int! = 1000) {{ promptPreview(input: $input) {{
    receipt {{ digest }} withMore(tokens: $tokens) {{ ...Compared }} }} }} {COMPARED}"""
DEFAULT = (
    "query($input: PromptPreviewInput!) { promptPreview(input: $input) { withMore { before { tokenBudget } after { tokenBudget } } } }"
)
NOTHING = {"cameIn": [], "wentOut": [], "longer": [], "shorter": []}


@pytest.fixture
async def book(api):
    """A project with a written chapter, one to draft whose brief names Mara, and two files."""
    project = await api.project(premise="A keeper finds letters.")
    await api.chapter(project, title="One", text="The lamp was trimmed. The tide was low.")
    chapter = await api.chapter(project, title="Two", brief="Mara reads the first letter.", targetWordCount=900)
    files = [await api.reference_file(project, name=name, content=f"{name} is tall.") for name in ("Mara", "Tobias")]
    return project, chapter, files


async def compared(api, before, after):
    return (await api.ask(VERSIONS, before=before, after=after))["promptComparison"]


def labels(changes):
    return [change["label"] for change in changes]


async def test_two_versions_tell_what_came_in_and_what_went_out_and_why(api, book):
    project, chapter, (mara, tobias) = book
    first = await api.draft(chapter)
    await api.mutate("updateChapter", "id", id=chapter, brief="Tobias waits for the boat, and reads nothing at all that day.")
    await api.mutate("updateProject", "id", id=project, settings={"promptTokenBudget": 9000})
    second = await api.draft(chapter)
    found = await compared(api, first, second)
    (came,), (went,), (longer,) = found["cameIn"], found["wentOut"], found["longer"]
    assert (came["label"], came["group"]) == ("Tobias", "cast")
    assert came["why"] == 'new evidence: "Tobias" in the brief; its score rose from 0.00 to 0.99'
    assert came["source"] == {"__typename": "ReferenceFile", "id": tobias}
    assert came["before"] == {"decision": "LEFT_OUT", "tokens": 0}
    assert came["after"] == {"decision": "FULL", "tokens": came["tokens"]}
    assert (went["source"]["id"], went["why"]) == (mara, 'no longer in evidence: "Mara" in the brief; its score fell from 0.99 to 0.00')
    assert went["tokens"] == -went["before"]["tokens"] < 0
    assert (longer["label"], longer["source"]) == ("Brief", None)
    assert longer["why"] == f"its text changed ({longer['before']['tokens']} -> {longer['after']['tokens']} tokens in full)"
    assert (found["shorter"], found["identical"]) == ([], False)
    assert found["unchanged"] > 3
    assert found["tokens"] == found["after"]["tokensUsed"] - found["before"]["tokensUsed"]
    assert [found[side]["tokenBudget"] for side in ("before", "after")] == [8000, 9000]
    assert found["before"]["digest"] != found["after"]["digest"]


async def test_a_version_is_written_from_the_same_prompt_as_itself(api, book):
    version = await api.draft(book[1])
    found = await compared(api, version, version)
    assert {name: found[name] for name in NOTHING} == NOTHING
    assert (found["identical"], found["tokens"]) == (True, 0)


async def test_versions_of_two_chapters_of_one_project_can_be_compared(api, book):
    project, chapter, _ = book
    other = await api.chapter(project, title="Three", brief="Tobias leaves.")
    first, second = await api.draft(chapter), await api.draft(other)
    found = await compared(api, first, second)
    assert "Tobias" in labels(found["cameIn"])
    assert all(change["before"] or change["why"].startswith("it was not a candidate before") for change in found["cameIn"])


async def test_an_edited_chapter_is_the_same_chapter_and_its_text_has_changed(api, book):
    project, chapter, _ = book
    first = await api.draft(chapter)
    earlier = (await api.ask("query($id: ID!) { project(id: $id) { chapters { nodes { id } } } }", id=project))["project"]["chapters"][
        "nodes"
    ][0]
    edited = await api.mutate("saveChapterText", "currentVersion { id }", chapterId=earlier["id"], text="The lamp was out.")
    found = await compared(api, first, await api.draft(chapter))
    (shorter,) = found["shorter"]
    assert shorter["label"] == "Chapter 1, “One” (text)"
    assert shorter["source"] == {"__typename": "ChapterVersion", "id": edited["currentVersion"]["id"]}
    assert shorter["why"].startswith("its text changed (")
    assert (found["cameIn"], found["wentOut"]) == ([], [])


async def test_what_has_been_deleted_is_told_without_its_source(api, book):
    _, chapter, (mara, _) = book
    first = await api.draft(chapter)
    await api.mutate("deleteReferenceFile", None, id=mara)
    (went,) = (await compared(api, first, await api.draft(chapter)))["wentOut"]
    assert (went["label"], went["source"], went["after"], went["why"]) == ("Mara", None, None, "it no longer exists")


async def test_a_preview_is_compared_to_what_a_version_was_written_from(api, book):
    chapter = book[1]
    version = await api.draft(chapter)

    async def to_version(**values):
        found = (await api.ask(TO_VERSION, input={"chapterId": chapter, **values}, version=version))["promptPreview"]
        assert found["comparedTo"]["after"]["digest"] == found["receipt"]["digest"]
        return found["comparedTo"]

    same = await to_version()
    assert {name: same[name] for name in NOTHING} == NOTHING
    assert same["identical"] is True
    other = await to_version(exclude=[book[2][0]], brief="Mara reads no letter.", model="gpt-4o")
    assert [(change["label"], change["why"]) for change in other["wentOut"]] == [("Mara", "the request excludes it")]
    assert [other[side]["model"] for side in ("before", "after")] == ["gpt-4.1-mini", "gpt-4o"]


async def test_more_room_brings_in_what_the_larger_budget_would(api, book):
    project, chapter, _ = book
    for name in ("Anne", "Bertram", "Cecily"):
        await api.reference_file(project, name=name, content=f"{name} writes letters to the keeper. " * 100)
    tight = {"chapterId": chapter, "tokenBudget": 730, "brief": "Anne, Bertram and Cecily arrive."}
    found = (await api.ask(WITH_MORE, input=tight, tokens=2_315))["promptPreview"]
    more = found["withMore"]
    assert [more[side]["tokenBudget"] for side in ("before", "after")] == [730, 3_045]
    assert more["before"]["digest"] == found["receipt"]["digest"]
    assert {"Anne", "Bertram", "Cecily"} == {*labels(more["cameIn"]), *labels(more["longer"])}
    assert more["cameIn"]
    assert {change["why"] for change in more["cameIn"]} == {"the budget grew by 2,315 tokens"}
    roomy = (await api.ask(WITH_MORE, input={**tight, "tokenBudget": 3_045}))["promptPreview"]
    assert more["after"]["digest"] == roomy["receipt"]["digest"]


async def test_more_room_is_a_thousand_tokens_unless_it_is_said(api, book):
    found = (await api.ask(DEFAULT, input={"chapterId": book[1]}))["promptPreview"]["withMore"]
    assert (found["before"]["tokenBudget"], found["after"]["tokenBudget"]) == (8_000, 9_000)


@pytest.mark.parametrize("tokens", [1, 100_000])
async def test_more_room_may_be_anything_up_to_its_limit(api, book, tokens):
    found = (await api.ask(WITH_MORE, input={"chapterId": book[1], "tokenBudget": 1_000_000}, tokens=tokens))["promptPreview"]["withMore"]
    assert (found["after"]["tokenBudget"], found["cameIn"]) == (1_000_000 + tokens, [])


@pytest.mark.parametrize("tokens", [0, -1, 100_001])
async def test_room_that_cannot_be_tried_out_is_refused(api, book, tokens):
    error = await api.error(WITH_MORE, input={"chapterId": book[1]}, tokens=tokens)
    assert isinstance(error, InvalidInput)
    assert error.path == ("tokens",)


@pytest.mark.parametrize("unknown", ["nonsense", "version_00000000000000000000000007", "chapter"])
async def test_a_version_that_is_not_there_is_not_found(api, book, unknown):
    version = await api.draft(book[1])
    missing = book[1] if unknown == "chapter" else unknown
    for sent, path in (({"before": missing, "after": version}, "before"), ({"before": version, "after": missing}, "after")):
        error = await api.error(VERSIONS, **sent)
        assert isinstance(error, NotFound)
        assert error.path == (path,)
    error = await api.error(TO_VERSION, input={"chapterId": book[1]}, version=missing)
    assert isinstance(error, NotFound)
    assert error.path == ("versionId",)


async def test_a_version_that_a_person_wrote_has_no_receipt_to_compare(api, book):
    version = await api.draft(book[1])
    saved = await api.mutate("saveChapterText", "currentVersion { id }", chapterId=book[1], text="By hand.")
    by_hand = saved["currentVersion"]["id"]
    for error, path in (
        (await api.error(VERSIONS, before=by_hand, after=version), "before"),
        (await api.error(VERSIONS, before=version, after=by_hand), "after"),
        (await api.error(TO_VERSION, input={"chapterId": book[1]}, version=by_hand), "versionId"),
    ):
        assert isinstance(error, InvalidInput)
        assert str(explain(error)) == f"{path}: This version has no receipt to compare: only what a model wrote has one."


async def test_prompts_of_two_projects_are_not_compared(api, book):
    version = await api.draft(book[1])
    other = await api.draft(await api.chapter(await api.project(), brief="Mara waits."))
    for error, path in (
        (await api.error(VERSIONS, before=version, after=other), "after"),
        (await api.error(TO_VERSION, input={"chapterId": book[1]}, version=other), "versionId"),
    ):
        assert isinstance(error, InvalidInput)
        assert error.path == (path,)
        assert "another project" in error.message


async def test_a_version_of_others_is_not_found_even_beside_ones_own(api, book):
    theirs = await api.draft(book[1])
    ben = await api.newcomer()
    chapter = await ben.chapter(await ben.project())
    own = await ben.draft(chapter)
    for error in (
        await ben.error(VERSIONS, before=own, after=theirs),
        await ben.error(VERSIONS, before=theirs, after=own),
        await ben.error(TO_VERSION, input={"chapterId": chapter}, version=theirs),
    ):
        assert isinstance(error, NotFound)
