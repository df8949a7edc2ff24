"""The texts of chapters: saving, restoring, comparing. A version is never changed, only followed by another."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from domain.access import Role
from domain.chapters import Chapter, ChapterVersion, NewVersion, VersionOrigin
from domain.errors import NotFound, VersionConflict
from domain.ports import Records
from domain.projects import Project
from domain.prompting.index.saved_text import NewText
from domain.writing import checks
from domain.writing.comparison import DiffHunk, diff
from domain.writing.words import count_words
from resolvers.access import find_chapter, find_project, find_version
from resolvers.context import RequestContext


@dataclass(frozen=True, slots=True)
class MeasuredText:
    text: NewText
    word_count: int
    token_count: int


async def measure(context: RequestContext, text: str, project: Project) -> MeasuredText:
    """Tokens are those of the model the project writes with. Off the event loop: a long text takes a while to count and to index."""
    model = project.settings.model or context.default_model
    return await asyncio.to_thread(lambda: MeasuredText(NewText.of(text), count_words(text), context.tokens.count(text, model=model)))


def authored_version(context: RequestContext, chapter: Chapter, measured: MeasuredText) -> NewVersion:
    return NewVersion(
        id=context.ids(),
        chapter_id=chapter.id,
        text=measured.text,
        word_count=measured.word_count,
        token_count=measured.token_count,
        origin=VersionOrigin.AUTHOR,
        created_at=context.clock(),
        author_id=context.viewer.id,
        parent_id=chapter.current_version_id,
    )


async def save_text(context: RequestContext, chapter_id: UUID, text: str, *, base_version_id: UUID | None) -> Chapter:
    """Raises VersionConflict when `base_version_id` is given and not current any more. A text that is current already is not saved again."""
    text = checks.CHAPTER["text"].accept(text, ("input", "text"))
    async with context.reading() as records:
        chapter = await find_chapter(records, chapter_id, Role.EDITOR)
        project = await find_project(records, chapter.project_id, Role.EDITOR)
    measured = await measure(context, text, project)
    async with context.writing() as records:
        chapter = await _lock_chapter(records, chapter_id, ("input", "chapterId"))
        await _check_base(records, chapter, base_version_id)
        if await _current_text(records, chapter) == text:
            return chapter
        return await _follow_with(records, chapter, authored_version(context, chapter, measured))


async def restore_version(context: RequestContext, version_id: UUID) -> Chapter:
    """A new current version with the text of this one, which becomes its parent."""
    path = ("input", "versionId")
    async with context.reading() as records:
        await find_version(records, version_id, Role.EDITOR)
        stored = (await records.versions.texts([version_id])).get(version_id)
    if stored is None:
        raise NotFound(version_id, path=path)
    text = await asyncio.to_thread(NewText.of, stored)
    async with context.writing() as records:
        version = await find_version(records, version_id, Role.EDITOR)
        chapter = await _lock_chapter(records, version.chapter_id, path)
        restored = NewVersion(
            id=context.ids(),
            chapter_id=chapter.id,
            text=text,
            word_count=version.word_count,
            token_count=version.token_count,
            origin=VersionOrigin.RESTORED,
            created_at=context.clock(),
            rehearsal=version.rehearsal,
            author_id=context.viewer.id,
            parent_id=version_id,
        )
        return await _follow_with(records, chapter, restored)


async def compare_versions(context: RequestContext, version: ChapterVersion, *, earlier_id: UUID) -> list[DiffHunk]:
    """Raises NotFound unless both are versions of one chapter."""
    earlier = await context.loaders.versions.load(earlier_id)
    if earlier is None or earlier.chapter_id != version.chapter_id:
        raise NotFound(earlier_id, path=("from",))
    old, new = await asyncio.gather(*(context.loaders.version_texts.load(each.id) for each in (earlier, version)))
    return await asyncio.to_thread(diff, old or "", new or "")


async def _lock_chapter(records: Records, chapter_id: UUID, path: tuple[str, ...]) -> Chapter:
    await find_chapter(records, chapter_id, Role.EDITOR, path)
    chapter = await records.chapters.lock(chapter_id)
    if chapter is None:
        raise NotFound(chapter_id, path=path)
    return chapter


async def _check_base(records: Records, chapter: Chapter, base_version_id: UUID | None) -> None:
    if base_version_id is None or base_version_id == chapter.current_version_id:
        return
    base = (await records.versions.get_many([base_version_id])).get(base_version_id)
    if base is None or base.chapter_id != chapter.id or chapter.current_version_id is None:
        raise NotFound(base_version_id, path=("input", "baseVersionId"))
    raise VersionConflict(chapter.current_version_id)


async def _current_text(records: Records, chapter: Chapter) -> str | None:
    if chapter.current_version_id is None:
        return None
    return (await records.versions.texts([chapter.current_version_id])).get(chapter.current_version_id)


async def _follow_with(records: Records, chapter: Chapter, version: NewVersion) -> Chapter:
    await records.versions.add(version, make_current=True)
    return await find_chapter(records, chapter.id, Role.EDITOR)
