"""Chapters keep their order without gaps, whatever happens to them."""

import asyncio
import random

import pytest

from domain.chapters import Chapter, ChapterStatus
from domain.errors import NotFound
from domain.paging import PageRequest
from domain.ports import Library
from tests.factories import a_chapter, add_chapters, add_project, add_user


async def test_a_chapter_comes_back_as_it_was_stored(library: Library) -> None:
    ada = await add_user(library)
    project = await add_project(library, ada)
    chapter = a_chapter(project, point_of_view_character="Mara", target_word_count=3000, summary="Found.", stale_since=project.created_at)
    async with library.writing(ada.id) as records:
        await records.chapters.create(chapter)
    async with library.reading(ada.id) as records:
        assert await records.chapters.get_many([chapter.id]) == {chapter.id: chapter}


async def test_any_run_of_insertions_moves_and_deletions_keeps_the_order_gapless(library: Library) -> None:
    ada = await add_user(library)
    project = await add_project(library, ada)
    chance, model = random.Random(7), list[Chapter]()
    for _ in range(60):
        async with library.writing(ada.id) as records:
            action = chance.choice(["create", "create", "move", "delete"]) if model else "create"
            if action == "create":
                chapter = a_chapter(project, position=chance.randint(1, len(model) + 1))
                await records.chapters.create(chapter)
                model.insert(chapter.position - 1, chapter)
            elif action == "move":
                chapter, position = chance.choice(model), chance.randint(1, len(model))
                await records.chapters.move(chapter.id, position)
                model.remove(chapter)
                model.insert(position - 1, chapter)
            else:
                chapter = chance.choice(model)
                await records.chapters.delete(chapter.id)
                model.remove(chapter)
        async with library.reading(ada.id) as records:
            stored = await records.chapters.of_project(project.id)
        assert [(chapter.position, chapter.id) for chapter in stored] == [
            (index, chapter.id) for index, chapter in enumerate(model, start=1)
        ]


async def test_moving_a_chapter_leaves_other_projects_alone(library: Library) -> None:
    ada = await add_user(library)
    project, other = await add_project(library, ada), await add_project(library, ada)
    chapters, others = await add_chapters(library, ada, project, 3), await add_chapters(library, ada, other, 3)
    async with library.writing(ada.id) as records:
        await records.chapters.move(chapters[2].id, 1)
    async with library.reading(ada.id) as records:
        assert await records.chapters.of_project(other.id) == others


async def test_pages_and_counts_of_many_projects_come_together(library: Library) -> None:
    ada, bob = await add_user(library), await add_user(library, "Bob")
    project, empty, foreign = await add_project(library, ada), await add_project(library, ada), await add_project(library, bob)
    chapters = await add_chapters(library, ada, project, 3)
    await add_chapters(library, bob, foreign, 2)
    ids = [project.id, empty.id, foreign.id]
    async with library.reading(ada.id) as records:
        pages = await records.chapters.pages(ids, PageRequest(limit=2), status=None)
        assert {key: page.items for key, page in pages.items()} == {project.id: tuple(chapters[:2]), empty.id: (), foreign.id: ()}
        assert pages[project.id].has_next
        assert await records.chapters.counts(ids, status=None) == {project.id: 3, empty.id: 0, foreign.id: 0}
        assert await records.chapters.counts(ids, status=[ChapterStatus.FINAL]) == dict.fromkeys(ids, 0)


async def test_what_is_not_there_cannot_be_changed(library: Library) -> None:
    ada = await add_user(library)
    missing = a_chapter(await add_project(library, ada))
    async with library.writing(ada.id) as records:
        assert await records.chapters.lock(missing.id) is None
        for attempt in (
            records.chapters.update(missing.id, {"title": "x"}),
            records.chapters.move(missing.id, 1),
            records.chapters.delete(missing.id),
        ):
            with pytest.raises(NotFound):
                await attempt


async def test_whoever_saves_waits_for_who_deletes_the_project_and_neither_for_the_other(library: Library) -> None:
    """With the chapter in hand before the project, the two would wait for each other until the database ends one of them."""
    ada = await add_user(library)
    project = await add_project(library, ada)
    (chapter,) = await add_chapters(library, ada, project, 1)

    async def save() -> Chapter | None:
        async with library.writing(ada.id) as records:
            return await records.chapters.lock(chapter.id)

    async with library.writing(ada.id) as records:
        await records.projects.lock(project.id)
        saving = asyncio.create_task(save())
        await asyncio.wait({saving}, timeout=0.3)
        assert not saving.done()
        await records.projects.delete(project.id)
    assert await saving is None
