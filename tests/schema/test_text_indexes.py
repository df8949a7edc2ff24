"""However a text gets in, its index is saved with it."""

import psycopg
import pytest

from domain.prompting.index.saved_text import NewText

SAVED = "SELECT text, text_index FROM chapter_version UNION ALL SELECT content, text_index FROM reference_file"


async def create_chapter(api, project):
    await api.chapter(project, text="The tide was low.")
    return ["The tide was low."]


async def save_text(api, project):
    chapter = await api.chapter(project)
    for text in ("The tide was low.\r\n", "The tide was high."):
        await api.mutate("saveChapterText", "id", chapterId=chapter, text=text)
    return ["The tide was high.", "The tide was low.\n"]


async def restore(api, project):
    chapter = await api.chapter(project)
    first = await api.mutate("saveChapterText", "currentVersion { id }", chapterId=chapter, text="One.")
    await api.mutate("saveChapterText", "id", chapterId=chapter, text="Two.")
    await api.mutate("restoreChapterVersion", "id", versionId=first["currentVersion"]["id"])
    return ["One.", "One.", "Two."]


async def create_file(api, project):
    await api.reference_file(project, content="Mara\u200b keeps the light. ")
    return ["Mara\u200b keeps the light. "]


async def update_file(api, project):
    file = await api.reference_file(project, content="Mara keeps the light.")
    await api.mutate("updateReferenceFile", "id", id=file, content="Mara lies.", name="Mara Quist")
    return ["Mara lies."]


async def rename_file(api, project):
    file = await api.reference_file(project, content="Mara keeps the light.")
    await api.mutate("updateReferenceFile", "id", id=file, name="Mara Quist")
    return ["Mara keeps the light."]


@pytest.mark.parametrize("way", [create_chapter, save_text, restore, create_file, update_file, rename_file])
async def test_a_text_is_saved_with_its_index(api, owner_url, way):
    expected = await way(api, await api.project())
    with psycopg.connect(owner_url) as connection:
        saved = connection.execute(SAVED).fetchall()
    assert sorted(saved) == [(text, NewText.of(text).index) for text in expected]


async def test_a_version_from_before_there_were_indexes_is_restored_with_one(api, owner_url):
    chapter = await api.chapter(await api.project())
    first = await api.mutate("saveChapterText", "currentVersion { id }", chapterId=chapter, text="One.")
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE chapter_version SET text_index = NULL")
    await api.mutate("restoreChapterVersion", "id", versionId=first["currentVersion"]["id"])
    with psycopg.connect(owner_url) as connection:
        indexes = connection.execute("SELECT text_index FROM chapter_version ORDER BY number").fetchall()
    assert indexes == [(None,), (NewText.of("One.").index,)]


@pytest.mark.parametrize("loss", ["role", "membership"])
async def test_restoring_is_refused_to_whoever_may_not_write_and_adds_nothing(api, owner_url, loss):
    project = await api.project()
    chapter = await api.chapter(project)
    first = await api.mutate("saveChapterText", "currentVersion { id }", chapterId=chapter, text="One.")
    other = await api.member(project, "VIEWER") if loss == "role" else await api.newcomer("Eve")
    error = await other.refusal("restoreChapterVersion", versionId=first["currentVersion"]["id"])
    assert error["__typename"] == ("ForbiddenError" if loss == "role" else "NotFoundError")
    with psycopg.connect(owner_url) as connection:
        assert connection.execute("SELECT count(*) FROM chapter_version").fetchone() == (1,)
