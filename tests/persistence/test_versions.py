"""Versions are numbered without gaps, never lose a text, and become current only when asked to."""

import asyncio

import pytest

from domain.chapters import Chapter, ChapterStatus, VersionOrigin
from domain.errors import NotFound
from domain.paging import PageRequest
from domain.ports import Library
from domain.prompting.index.saved_text import NewText, StoredText
from tests.factories import NOON, a_chapter, a_version, add_chapters, add_project, add_user

LATER = NOON.replace(hour=15)


async def test_a_version_comes_back_with_its_number_and_its_text(library: Library) -> None:
    ada = await add_user(library)
    (chapter,) = await add_chapters(library, ada, await add_project(library, ada), 1)
    async with library.writing(ada.id) as records:
        first = await records.versions.add(a_version(chapter, "Erste Fassung: »gut«."), make_current=False)
        second = await records.versions.add(
            a_version(chapter, origin=VersionOrigin.DRAFT, rehearsal=True, parent_id=first.id), make_current=True
        )
    async with library.reading(ada.id) as records:
        assert await records.versions.get_many([first.id, second.id]) == {first.id: first, second.id: second}
        assert await records.versions.texts([first.id]) == {first.id: "Erste Fassung: »gut«."}
        new = NewText.of("Erste Fassung: »gut«.")
        assert await records.versions.stored_texts([first.id]) == {first.id: StoredText(new.text, new.index)}
        assert await records.versions.by_number([(chapter.id, 2), (chapter.id, 9)]) == {(chapter.id, 2): second}
        assert await records.versions.counts([chapter.id]) == {chapter.id: 2}
        assert (await records.versions.pages([chapter.id], PageRequest()))[chapter.id].items == (second, first)
    assert (first.number, second.number, second.parent_id, second.project_id) == (1, 2, first.id, chapter.project_id)


@pytest.mark.parametrize(
    ("before", "text", "after"),
    [
        (ChapterStatus.PLANNED, "Text.", ChapterStatus.DRAFTED),
        (ChapterStatus.DRAFTING, "Text.", ChapterStatus.DRAFTED),
        (ChapterStatus.PLANNED, " \n", ChapterStatus.PLANNED),
        (ChapterStatus.REVISED, "Text.", ChapterStatus.REVISED),
        (ChapterStatus.FINAL, "Text.", ChapterStatus.FINAL),
    ],
)
async def test_the_first_text_makes_a_chapter_drafted(library: Library, before: ChapterStatus, text: str, after: ChapterStatus) -> None:
    ada = await add_user(library)
    project = await add_project(library, ada)
    (chapter,) = await add_chapters(library, ada, project, 1, status=before)
    async with library.writing(ada.id) as records:
        version = await records.versions.add(a_version(chapter, text, created_at=LATER), make_current=True)
    async with library.reading(ada.id) as records:
        stored: Chapter = (await records.chapters.get_many([chapter.id]))[chapter.id]
        assert (stored.current_version_id, stored.status, stored.updated_at) == (version.id, after, LATER)
        assert (await records.projects.get_many([project.id]))[project.id].updated_at == LATER


async def test_a_version_that_is_not_made_current_changes_nothing_else(library: Library) -> None:
    ada = await add_user(library)
    (chapter,) = await add_chapters(library, ada, await add_project(library, ada), 1)
    async with library.writing(ada.id) as records:
        await records.versions.add(a_version(chapter), make_current=False)
        assert (await records.chapters.get_many([chapter.id]))[chapter.id] == chapter


async def test_versions_added_at_once_are_numbered_one_after_the_other(library: Library) -> None:
    ada = await add_user(library)
    (chapter,) = await add_chapters(library, ada, await add_project(library, ada), 1)

    async def add() -> int:
        async with library.writing(ada.id) as records:
            return (await records.versions.add(a_version(chapter), make_current=True)).number

    assert sorted(await asyncio.gather(*(add() for _ in range(8)))) == list(range(1, 9))


async def test_a_version_of_nothing_is_refused(library: Library) -> None:
    ada = await add_user(library)
    chapter = a_chapter(await add_project(library, ada))
    async with library.writing(ada.id) as records:
        with pytest.raises(NotFound):
            await records.versions.add(a_version(chapter), make_current=True)


async def test_a_chapter_cannot_show_another_chapters_version(library: Library) -> None:
    ada = await add_user(library)
    first, second = await add_chapters(library, ada, await add_project(library, ada), 2)
    async with library.writing(ada.id) as records:
        version = await records.versions.add(a_version(first), make_current=False)
    with pytest.raises(Exception, match="chapter_current_version_id_fkey"):
        async with library.writing(ada.id) as records:
            await records.chapters.update(second.id, {"current_version_id": version.id})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ChapterStatus.DRAFTED, ChapterStatus.REVISED),
        (ChapterStatus.REVISED, ChapterStatus.REVISED),
        (ChapterStatus.FINAL, ChapterStatus.FINAL),
    ],
)
async def test_a_revision_that_takes_the_texts_place_makes_a_drafted_chapter_revised(
    library: Library, before: ChapterStatus, after: ChapterStatus
) -> None:
    ada = await add_user(library)
    (chapter,) = await add_chapters(library, ada, await add_project(library, ada), 1, status=before)
    async with library.writing(ada.id) as records:
        await records.versions.add(a_version(chapter), make_current=True)
        revision = await records.versions.add(a_version(chapter, origin=VersionOrigin.REVISION), make_current=False)
        beside = (await records.chapters.get_many([chapter.id]))[chapter.id]
        assert (beside.status, beside.current_version_id == revision.id) == (before, False)
        await records.versions.make_current(revision.id, at=LATER)
    async with library.reading(ada.id) as records:
        revised = (await records.chapters.get_many([chapter.id]))[chapter.id]
    assert (revised.status, revised.current_version_id, revised.updated_at) == (after, revision.id, LATER)
