"""Texts of chapters: saved, never overwritten, restored, compared."""

import asyncio

import pytest

SAVED = "id status currentVersion { id number text origin wordCount tokenCount author { name } parent { number } } versions { totalCount }"
VERSIONS = "query($id: ID!) { chapter(id: $id) { versions { totalCount nodes { id number text } } one: version(number: 1) { text } none: version(number: 9) { id } } }"


@pytest.fixture
async def chapter(api):
    return await api.chapter(await api.project())


async def save(api, chapter, text, **values):
    return await api.mutate("saveChapterText", SAVED, chapterId=chapter, text=text, **values)


async def test_a_saved_text_is_the_current_version_and_makes_a_planned_chapter_drafted(api, chapter):
    saved = await save(api, chapter, "Tide — and *wind*.\r\nNight.\rEnd\ttab")
    assert saved["status"] == "DRAFTED"
    version = saved["currentVersion"]
    assert (version["number"], version["text"]) == (1, "Tide — and *wind*.\nNight.\nEnd\ttab")
    assert (version["origin"], version["wordCount"], version["author"], version["parent"]) == ("AUTHOR", 6, {"name": "Ada"}, None)
    assert version["tokenCount"] > 6


async def test_saving_leaves_the_status_its_author_chose(api, chapter):
    await api.mutate("updateChapter", "id", id=chapter, status="FINAL")
    assert (await save(api, chapter, "Done."))["status"] == "FINAL"


async def test_every_text_is_kept_newest_first(api, chapter):
    for text in ("one", "two", "three"):
        await save(api, chapter, text)
    found = (await api.ask(VERSIONS, id=chapter))["chapter"]
    assert [(version["number"], version["text"]) for version in found["versions"]["nodes"]] == [(3, "three"), (2, "two"), (1, "one")]
    assert (found["versions"]["totalCount"], found["one"], found["none"]) == (3, {"text": "one"}, None)


async def test_a_text_that_is_current_already_adds_no_version(api, chapter):
    first = await save(api, chapter, "one\n")
    again = await save(api, chapter, "one\r\n", baseVersionId=first["currentVersion"]["id"])
    assert again == first


async def test_an_edit_of_the_current_version_is_saved_behind_it(api, chapter):
    first = await save(api, chapter, "one")
    second = await save(api, chapter, "two", baseVersionId=first["currentVersion"]["id"])
    assert second["currentVersion"]["parent"] == {"number": 1}


async def test_an_edit_of_an_older_version_is_refused_and_shows_the_current_one(api, chapter):
    first = await save(api, chapter, "one")
    second = await save(api, chapter, "two")
    error = await api.refusal("saveChapterText", chapterId=chapter, text="three", baseVersionId=first["currentVersion"]["id"])
    current = {name: second["currentVersion"][name] for name in ("id", "number", "text")}
    assert (error["__typename"], error["code"], error["current"]) == ("VersionConflictError", "CONFLICT", current)
    assert error["path"] == ["input", "baseVersionId"]
    assert (await api.ask(VERSIONS, id=chapter))["chapter"]["versions"]["totalCount"] == 2


async def test_of_two_edits_of_one_version_one_is_saved(api, chapter):
    base = (await save(api, chapter, "one"))["currentVersion"]["id"]
    saving = [api.payload("saveChapterText", "id", chapterId=chapter, text=text, baseVersionId=base) for text in ("two", "three", "four")]
    payloads = await asyncio.gather(*saving)
    assert sorted(len(payload["errors"]) for payload in payloads) == [0, 1, 1]
    assert (await api.ask(VERSIONS, id=chapter))["chapter"]["versions"]["totalCount"] == 2


async def test_a_base_of_another_chapter_is_not_found(api, chapter):
    await save(api, chapter, "one")
    other = await save(api, await api.chapter(await api.project()), "two")
    for base in (other["currentVersion"]["id"], chapter, "", "version_x"):
        error = await api.refusal("saveChapterText", chapterId=chapter, text="three", baseVersionId=base)
        assert (error["__typename"], error["id"], error["path"]) == ("NotFoundError", base, ["input", "baseVersionId"])


@pytest.mark.parametrize("text", ["", " \n\t", "nul\x00", "escape\x1b", "half \ud800"])
async def test_what_is_no_text_is_refused(api, chapter, text):
    error = await api.refusal("saveChapterText", chapterId=chapter, text=text)
    assert (error["__typename"], error["path"]) == ("InvalidInputError", ["input", "text"])


async def test_a_text_has_at_most_two_million_bytes(api, chapter):
    error = await api.refusal("saveChapterText", chapterId=chapter, text="é" * 1_000_001)
    assert (error["__typename"], error["limitName"], error["maximum"]) == ("LimitExceededError", "chapterTextBytes", 2_000_000)


async def test_restoring_adds_a_version_with_the_old_text(api, chapter):
    first = await save(api, chapter, "one word more")
    await save(api, chapter, "two")
    restored = await api.mutate("restoreChapterVersion", SAVED, versionId=first["currentVersion"]["id"])
    version = restored["currentVersion"]
    assert (version["number"], version["text"], version["origin"]) == (3, "one word more", "RESTORED")
    assert (version["wordCount"], version["tokenCount"]) == (3, first["currentVersion"]["tokenCount"])
    assert (version["parent"], version["author"]) == ({"number": 1}, {"name": "Ada"})


async def test_two_versions_are_compared_word_by_word(api, chapter):
    first = await save(api, chapter, "The tide was low. The wind rose.")
    await save(api, chapter, "The tide was high. The wind rose.")
    document = "query($id: ID!, $from: ID!) { chapter(id: $id) { currentVersion { diff(from: $from) { operation text } } } }"
    hunks = (await api.ask(document, **{"id": chapter, "from": first["currentVersion"]["id"]}))["chapter"]["currentVersion"]["diff"]
    assert {"operation": "DELETE", "text": "low"} in hunks
    assert {"operation": "INSERT", "text": "high"} in hunks
    assert "".join(hunk["text"] for hunk in hunks if hunk["operation"] != "INSERT") == "The tide was low. The wind rose."


async def test_versions_of_different_chapters_are_not_compared(api, chapter):
    from domain.errors import NotFound

    await save(api, chapter, "one")
    other = await save(api, await api.chapter(await api.project()), "two")
    document = "query($id: ID!, $from: ID!) { chapter(id: $id) { currentVersion { diff(from: $from) { text } } } }"
    for version in (other["currentVersion"]["id"], "nonsense"):
        assert isinstance(await api.error(document, **{"id": chapter, "from": version}), NotFound)


async def test_a_text_that_is_current_already_is_neither_prepared_nor_saved_again(api, chapter, monkeypatch):
    first = await save(api, chapter, "The tide went out.")

    async def never(*_):
        raise AssertionError("prepared for nothing")

    monkeypatch.setattr("resolvers.chapter_texts.prepare", never)
    again = await save(api, chapter, "The tide went out.", baseVersionId=first["currentVersion"]["id"])
    assert again == first
