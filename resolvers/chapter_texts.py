"""The texts of chapters: saving, restoring, comparing. A version is never changed, only followed by another; each is measured."""

import asyncio
import logging
from dataclasses import dataclass
from uuid import UUID

from domain.access import Role
from domain.assessing.assessment import Measurement
from domain.assessing.keeping import Surroundings, keep_measurement
from domain.chapters import Chapter, ChapterVersion, NewVersion, VersionOrigin
from domain.errors import NotFound, VersionConflict
from domain.ports import Records
from domain.prompting.index.saved_text import NewText
from domain.writing import checks
from domain.writing.comparison import DiffHunk, diff
from domain.writing.words import count_words
from resolvers.access import find_chapter, find_version
from resolvers.context import RequestContext

logger = logging.getLogger(__name__)

MEASURING_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class PreparedText:
    """What is stored of a text beside it. `measurement` is None where it could not be taken, which never keeps a text from being saved."""

    text: NewText
    word_count: int
    token_count: int
    measurement: Measurement | None


async def prepare(context: RequestContext, text: str, surroundings: Surroundings) -> PreparedText:
    """Tokens are those of the model the project writes with. Off the event loop: a long text takes a while to count, index and measure."""
    model = surroundings.loaded.project.settings.model or context.default_model

    def counted() -> tuple[NewText, int, int]:
        return NewText.of(text), count_words(text), context.tokens.count(text, model=model)

    return PreparedText(*await asyncio.to_thread(counted), await measured(text, surroundings))


async def measured(text: str, surroundings: Surroundings, *, seconds: float = MEASURING_SECONDS) -> Measurement | None:
    """None where it takes longer than anybody should wait for a text to be saved: chapters take a tenth of a second."""
    try:
        async with asyncio.timeout(seconds):
            return await surroundings.measure(text)
    except TimeoutError:
        logger.warning("assessment.measuring_abandoned", extra={"characters": len(text)})
        return None


async def save_text(context: RequestContext, chapter_id: UUID, text: str, *, base_version_id: UUID | None) -> Chapter:
    """Raises VersionConflict when `base_version_id` is given and not current any more. A text that is current already is not saved again.

    Both are looked at before the text is prepared, which takes a while, and again when nobody else can save.
    """
    text = checks.CHAPTER["text"].accept(text, ("input", "text"))
    async with context.reading() as records:
        chapter = await find_chapter(records, chapter_id, Role.EDITOR)
        await _check_base(records, chapter, base_version_id)
        if await _current_text(records, chapter) == text:
            return chapter
        surroundings = await Surroundings.of(records, chapter, context.prompt_memory)
    prepared = await prepare(context, text, surroundings)
    async with context.writing() as records:
        chapter = await _lock_chapter(records, chapter_id, ("input", "chapterId"))
        await _check_base(records, chapter, base_version_id)
        if await _current_text(records, chapter) == text:
            return chapter
        await add_authored(context, records, chapter, prepared)
        return await find_chapter(records, chapter.id, Role.EDITOR)


async def restore_version(context: RequestContext, version_id: UUID) -> Chapter:
    """A new current version with the text of this one, which becomes its parent. It is measured anew: what it is measured by may have changed."""
    path = ("input", "versionId")
    async with context.reading() as records:
        version = await find_version(records, version_id, Role.EDITOR)
        stored = (await records.versions.texts([version_id])).get(version_id)
        chapter = await find_chapter(records, version.chapter_id, Role.EDITOR, path)
        surroundings = await Surroundings.of(records, chapter, context.prompt_memory)
    if stored is None:
        raise NotFound(version_id, path=path)
    text = await asyncio.to_thread(NewText.of, stored)
    measurement = await measured(stored, surroundings)
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
        await _follow_with(context, records, restored, measurement)
        return await find_chapter(records, chapter.id, Role.EDITOR)


async def add_authored(context: RequestContext, records: Records, chapter: Chapter, prepared: PreparedText) -> None:
    """As the chapter's current version. In a transaction that holds the chapter."""
    version = NewVersion(
        id=context.ids(),
        chapter_id=chapter.id,
        text=prepared.text,
        word_count=prepared.word_count,
        token_count=prepared.token_count,
        origin=VersionOrigin.AUTHOR,
        created_at=context.clock(),
        author_id=context.viewer.id,
        parent_id=chapter.current_version_id,
    )
    await _follow_with(context, records, version, prepared.measurement)


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


async def _follow_with(context: RequestContext, records: Records, version: NewVersion, measurement: Measurement | None) -> None:
    added = await records.versions.add(version, make_current=True)
    await keep_measurement(records, added, measurement, ids=context.ids, at=version.created_at)
