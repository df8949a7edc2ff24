"""Chapters: their order and what is planned for them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from domain.access import Role
from domain.assessing.keeping import Surroundings
from domain.chapters import Chapter, ChapterStatus, ChapterVersion
from domain.errors import JobConflict, NotFound
from domain.jobs.job import Job, JobKind
from domain.paging import PageRequest
from domain.writing import checks
from resolvers.access import find_chapter, find_project, lock_project
from resolvers.chapter_texts import add_authored, prepare
from resolvers.context import RequestContext
from resolvers.jobs import cancel_all
from resolvers.listing import Listing, listings_of, same

ID = ("input", "id")


async def versions_of(context: RequestContext, chapters: Sequence[Chapter], request: PageRequest) -> list[Listing[ChapterVersion]]:
    loaders = context.loaders
    return await listings_of(chapters, loaders.versions_of_chapter, request, loaders.version_counts, same)


async def jobs_of(context: RequestContext, chapters: Sequence[Chapter], request: PageRequest) -> list[Listing[Job]]:
    return await listings_of(chapters, context.loaders.jobs_of_chapter, request, context.loaders.chapter_job_counts, same)


async def create_chapter(context: RequestContext, project_id: UUID, values: Mapping[str, Any], *, position: int | None) -> Chapter:
    """At `position`, later chapters making room, or at the end; with version 1 if there is a text."""
    accepted = checks.checked({name: value for name, value in values.items() if value is not None}, checks.CHAPTER)
    text = accepted.get("text")
    planned = _planned(context, project_id, accepted)
    surroundings = None
    async with context.reading() as records:
        await find_project(records, project_id, Role.EDITOR)
        if text is not None:
            # Only what comes before a chapter matters to its text, so a place that will be refused does no harm here.
            end = (await records.chapters.counts([project_id], status=None)).get(project_id, 0) + 1
            surroundings = await Surroundings.of(records, replace(planned, position=position or end), context.prompt_memory)
    prepared = None if text is None or surroundings is None else await prepare(context, text, surroundings)
    async with context.writing() as records:
        await lock_project(records, project_id, Role.EDITOR)
        count = (await records.chapters.counts([project_id], status=None)).get(project_id, 0)
        checks.at_most(count + 1, limit_name="chapters", limit=checks.CHAPTERS, path=("input",))
        place = count + 1 if position is None else checks.chapter_position(position, last=count + 1)
        chapter = replace(planned, position=place)
        await records.chapters.create(chapter)
        if prepared is not None:
            await add_authored(context, records, chapter, prepared)
        return await find_chapter(records, chapter.id, Role.EDITOR)


def _planned(context: RequestContext, project_id: UUID, accepted: Mapping[str, Any]) -> Chapter:
    """The new chapter, before its place is known."""
    now = context.clock()
    return Chapter(
        id=context.ids(),
        project_id=project_id,
        position=1,
        title=accepted["title"],
        brief=accepted.get("brief", ""),
        point_of_view_character=accepted.get("point_of_view_character"),
        target_word_count=accepted.get("target_word_count"),
        status=ChapterStatus.DRAFTED if "text" in accepted else ChapterStatus.PLANNED,
        summary=None,
        current_version_id=None,
        stale_since=None,
        created_at=now,
        updated_at=now,
    )


async def update_chapter(context: RequestContext, chapter_id: UUID, values: Mapping[str, Any]) -> Chapter:
    changes = checks.checked(values, checks.CHAPTER)
    async with context.writing() as records:
        try:
            return await records.chapters.update(chapter_id, changes | {"updated_at": context.clock()})
        except NotFound:
            # Or not for this user: which of the two, only a refusal has to know.
            await find_chapter(records, chapter_id, Role.EDITOR, ID)
            raise


async def move_chapter(context: RequestContext, chapter_id: UUID, *, position: int) -> Chapter:
    async with context.writing() as records:
        chapter = await find_chapter(records, chapter_id, Role.EDITOR, ID)
        await lock_project(records, chapter.project_id, Role.EDITOR, ID)
        count = (await records.chapters.counts([chapter.project_id], status=None)).get(chapter.project_id, 0)
        await records.chapters.move(chapter_id, checks.chapter_position(position, last=count))
        return await find_chapter(records, chapter_id, Role.EDITOR, ID)


async def delete_chapter(context: RequestContext, chapter_id: UUID) -> None:
    """Raises JobConflict while the chapter is being written. Assessments of its versions are stopped: nobody could read them."""
    async with context.writing() as records:
        chapter = await find_chapter(records, chapter_id, Role.EDITOR, ID)
        await lock_project(records, chapter.project_id, Role.EDITOR, ID)
        active = await records.jobs.active_on(chapter_id)
        if active is not None:
            raise JobConflict(active.id, path=ID, message="This chapter is being written. Cancel the job first, or wait for it.")
        await cancel_all(records, chapter.project_id, kind=JobKind.ASSESSMENT, chapter_id=chapter_id, at=context.clock())
        await records.chapters.delete(chapter_id)
