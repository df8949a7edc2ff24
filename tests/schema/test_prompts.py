"""Prompts before anything is spent: previews, mentions, genres, models."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import psycopg
import pytest

from domain.errors import InvalidInput, LimitExceeded, NotFound, PromptTooSmall
from domain.prompting.memory import PROJECT_BYTES, PromptMemory
from schema.edge.errors import ErrorCode
from schema.failures import explain
from tests.api import usd

PREVIEW = """query($input: PromptPreviewInput!) { promptPreview(input: $input) {
    messages { role text tokens } estimate { model promptTokens completionTokens low high priced }
    receipt { digest model tokenizer tokenizerExact tokenBudget tokensUsed stablePrefixTokens
        items { label group decision reason evidence score tokens tokensInFull source { __typename id ... on ReferenceFile { name } } } } } }"""
MENTIONS = """query($id: ID!, $text: String!) { mentions(projectId: $id, text: $text) { matched start end referenceFile { id name } } }"""


@pytest.fixture
async def book(api):
    """A project with two chapters, the first written, and two files."""
    project = await api.project(premise="A keeper finds letters.")
    await api.chapter(project, title="One", text="Mara trimmed the lamp. The tide was low.")
    chapter = await api.chapter(project, title="Two", brief="Mara reads the first letter.", targetWordCount=900)
    files = [await api.reference_file(project, name=name, content=f"{name} is tall.") for name in ("Mara", "Tobias")]
    return project, chapter, files


async def preview(api, chapter, **values):
    return (await api.ask(PREVIEW, input={"chapterId": chapter, **values}))["promptPreview"]


def sources(found):
    return {item["source"]["id"]: item for item in found["receipt"]["items"] if item["source"]}


async def test_a_preview_shows_the_prompt_why_it_is_so_and_what_it_would_cost(api, book):
    _, chapter, (mara, tobias) = book
    found = await preview(api, chapter)
    receipt = found["receipt"]
    assert (receipt["model"], receipt["tokenBudget"], receipt["tokenizerExact"]) == ("gpt-4.1-mini", 8000, True)
    assert "Mara is tall." in "".join(message["text"] for message in found["messages"])
    assert sources(found)[mara]["reason"] == "MENTIONED"
    assert sources(found)[mara]["source"] == {"__typename": "ReferenceFile", "id": mara, "name": "Mara"}
    assert sources(found)[tobias]["decision"] in {"LEFT_OUT", "FULL"}
    assert any(item["source"]["__typename"] == "ChapterVersion" for item in sources(found).values())
    assert receipt["tokensUsed"] <= receipt["tokenBudget"]
    estimate = found["estimate"]
    assert (estimate["priced"], estimate["promptTokens"], estimate["completionTokens"]) == (True, receipt["tokensUsed"], 1200)
    assert Decimal(0) < usd(estimate["low"]) < usd(estimate["high"])


async def test_the_same_wish_gives_the_same_prompt_and_writes_nothing(api, book):
    project, chapter, _ = book
    first, second = await preview(api, chapter), await preview(api, chapter)
    assert first == second
    assert (await api.ask("query($id: ID!) { project(id: $id) { jobs { totalCount } usage { total { calls } } } }", id=project))[
        "project"
    ] == {
        "jobs": {"totalCount": 0},
        "usage": {"total": {"calls": 0}},
    }


def without_memory(api):
    return replace(api, services=replace(api.services, prompt_memory=PromptMemory(0)))


async def test_a_prompt_is_the_same_whether_its_texts_are_remembered_or_not(api, book):
    _, chapter, _ = book
    cold, warm = await preview(api, chapter), await preview(api, chapter)
    assert api.services.prompt_memory.size > PROJECT_BYTES
    assert warm == cold == await preview(without_memory(api), chapter)


async def test_prompts_of_one_project_that_nobody_remembers_are_the_same_when_they_are_made_at_once(api, book):
    _, chapter, _ = book
    expected = await preview(without_memory(api), chapter)
    assert await asyncio.gather(*(preview(api, chapter) for _ in range(10))) == [expected] * 10


async def test_what_has_changed_since_the_last_prompt_is_in_the_next(api, book):
    project, chapter, (mara, _) = book
    await preview(api, chapter)
    chapters = await api.ask("query($id: ID!) { project(id: $id) { chapters { nodes { id } } } }", id=project)
    await api.mutate("saveChapterText", "id", chapterId=chapters["project"]["chapters"]["nodes"][0]["id"], text="Mara left.")
    await api.mutate("updateReferenceFile", "id", id=mara, content="Mara is small.")
    found = await preview(api, chapter)
    sent = "".join(message["text"] for message in found["messages"])
    assert ("Mara left." in sent, "Mara is small." in sent, "trimmed" in sent, "Mara is tall" in sent) == (True, True, False, False)
    assert found == await preview(without_memory(api), chapter)


async def test_texts_from_before_there_were_indexes_are_sent_like_any(api, book, owner_url):
    _, chapter, _ = book
    expected = await preview(without_memory(api), chapter)
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE chapter_version SET text_index = NULL")
        connection.execute("UPDATE reference_file SET text_index = NULL")
    assert await preview(api, chapter) == await preview(without_memory(api), chapter) == expected


@pytest.mark.parametrize("who", ["a stranger", "a removed member"])
async def test_a_prompt_that_others_remember_shows_nothing_to_whoever_may_not_see_it(api, book, who):
    project, chapter, _ = book
    other = await api.member(project, "VIEWER") if who == "a removed member" else await api.newcomer("Eve")
    if who == "a removed member":
        assert await preview(other, chapter) == await preview(api, chapter)
        members = await api.ask("query($id: ID!) { project(id: $id) { members { user { id } role } } }", id=project)
        (viewer,) = (member["user"]["id"] for member in members["project"]["members"] if member["role"] == "VIEWER")
        await api.mutate("removeProjectMember", "id", projectId=project, userId=viewer)
    await preview(api, chapter)
    assert isinstance(await other.error(PREVIEW, input={"chapterId": chapter}), NotFound)


async def test_pins_bans_brief_model_and_budget_are_tried_out(api, book):
    _, chapter, (mara, tobias) = book
    found = await preview(api, chapter, brief="Nobody speaks.", model="gpt-4o", tokenBudget=3000, include=[tobias], exclude=[mara])
    assert (found["receipt"]["model"], found["receipt"]["tokenBudget"]) == ("gpt-4o", 3000)
    assert (sources(found)[tobias]["reason"], sources(found)[mara]["reason"]) == ("PINNED", "EXCLUDED")
    assert "Nobody speaks." in found["messages"][-1]["text"]


async def test_a_model_without_a_price_is_said_to_have_none(api, book):
    found = await preview(api, book[1], model="my-own-model")
    assert found["estimate"]["priced"] is False
    assert (found["estimate"]["low"], found["estimate"]["high"]) == (None, None)
    assert found["receipt"]["tokenizerExact"] is False


async def test_a_preview_that_cannot_be_made_says_why(api, book):
    _, chapter, _ = book
    error = await api.error(PREVIEW, input={"chapterId": chapter, "tokenBudget": 500, "brief": "word " * 3000})
    assert isinstance(error, PromptTooSmall)
    told = explain(error)
    assert told is not None
    assert told.code is ErrorCode.BAD_USER_INPUT
    assert "500" in told.message
    assert f"{error.tokens_required:,}" in told.message
    assert f"Most of it is Brief: {error.parts[0].tokens:,};" in told.message


@pytest.mark.parametrize(
    ("values", "kind", "path"),
    [
        ({"tokenBudget": 499}, InvalidInput, ("input", "tokenBudget")),
        ({"brief": "x" * 20_001}, InvalidInput, ("input", "brief")),
        ({"model": "rehearsal"}, InvalidInput, ("input", "model")),
        ({"model": ""}, InvalidInput, ("input", "model")),
        ({"include": ["reference_00000000000000000000000001"]}, NotFound, ("input", "include", "0")),
        ({"exclude": ["nonsense"]}, NotFound, ("input", "exclude", "0")),
        ({"include": ["x"] * 101}, LimitExceeded, ("input", "include")),
        ({"chapterId": "nonsense"}, NotFound, ("input", "chapterId")),
    ],
)
async def test_a_wish_that_cannot_be_accepted_is_refused_with_its_place(api, book, values, kind, path):
    error = await api.error(PREVIEW, input={"chapterId": book[1], **values})
    assert isinstance(error, kind)
    assert error.path == path
    told = explain(error)
    assert told is not None
    assert told.message.startswith(".".join(path))


async def test_a_pin_of_another_project_is_not_found(api, book):
    other = await api.reference_file(await api.project())
    error = await api.error(PREVIEW, input={"chapterId": book[1], "include": [book[2][0], other]})
    assert isinstance(error, NotFound)
    assert error.path == ("input", "include", "1")


def test_only_refusals_are_explained():
    assert explain(ValueError("a secret")) is None


async def test_null_wishes_are_no_wishes(api, book):
    plain = await preview(api, book[1])
    assert await preview(api, book[1], brief=None, model=None, tokenBudget=None, include=None, exclude=None) == plain


async def test_mentions_are_found_with_their_place_in_code_points(api, book):
    project, _, (mara, _) = book
    assert (await api.ask(MENTIONS, id=project, text="😀 Mara's lamp"))["mentions"] == [
        {"matched": "Mara", "start": 2, "end": 6, "referenceFile": {"id": mara, "name": "Mara"}}
    ]
    assert (await api.ask(MENTIONS, id=project, text=""))["mentions"] == []


async def test_mentions_of_an_unknown_project_and_in_too_long_a_text_are_refused(api, book):
    assert isinstance(await api.error(MENTIONS, id="nonsense", text="Mara"), NotFound)
    assert isinstance(await api.error(MENTIONS, id=book[0], text="x" * 1_000_001), LimitExceeded)
    assert isinstance(await api.error(MENTIONS, id=book[0], text="\x00"), InvalidInput)


async def test_every_genre_weighs_every_kind_of_file(api):
    genres = (await api.ask("{ genres { genre guidance emphasis { kind weight } } }"))["genres"]
    assert len(genres) == 13
    assert all(len(profile["emphasis"]) == 6 and profile["guidance"] for profile in genres)


async def test_models_say_what_they_cost_and_which_is_the_default(api):
    document = """{ models { name contextWindow isDefault rehearsal promptPricePerMillion cachedPromptPricePerMillion
        completionPricePerMillion } }"""
    first, *others = (await api.ask(document))["models"]
    assert (first["name"], first["isDefault"], first["rehearsal"]) == ("gpt-4.1-mini", True, False)
    assert usd(first["cachedPromptPricePerMillion"]) < usd(first["promptPricePerMillion"]) < usd(first["completionPricePerMillion"])
    assert others
    assert not any(model["isDefault"] for model in others)
