"""Loading what a chapter's prompt could be made of, in one transaction and a fixed number of statements."""

from uuid import UUID

from domain.chapters import Chapter
from domain.errors import NotFound
from domain.ports import Records
from domain.prompting.index.text_index import indexed
from domain.prompting.material import ChapterText, PromptMaterial, ReferenceText
from domain.reference_files import ReferenceFile


async def load_material(records: Records, chapter: Chapter) -> PromptMaterial:
    """Raises NotFound when the chapter's project is not, or no longer, to be seen."""
    project = (await records.projects.get_many([chapter.project_id])).get(chapter.project_id)
    if project is None:
        raise NotFound(chapter.id)
    return PromptMaterial(
        project=project,
        chapter=chapter,
        references=await _references(records, project.id),
        earlier=await _earlier(records, chapter),
        previous=tuple(await records.jobs.last_messages(chapter.id)),
    )


async def _references(records: Records, project_id: UUID) -> tuple[ReferenceText, ...]:
    files: tuple[ReferenceFile, ...] = tuple(await records.reference_files.of_project(project_id))
    contents = await records.reference_files.contents([file.id for file in files])
    return tuple(ReferenceText(file=file, content=indexed(contents[file.id])) for file in files if file.id in contents)


async def _earlier(records: Records, chapter: Chapter) -> tuple[ChapterText, ...]:
    written = [
        (earlier, earlier.current_version_id)
        for earlier in await records.chapters.of_project(chapter.project_id)
        if earlier.position < chapter.position and earlier.current_version_id is not None
    ]
    texts = await records.versions.texts([version_id for _, version_id in written])
    return tuple(
        ChapterText(chapter=earlier, version_id=version_id, content=indexed(texts[version_id]))
        for earlier, version_id in written
        if version_id in texts
    )
