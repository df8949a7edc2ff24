"""Loading what a chapter's prompt could be made of: what there is in one transaction, what has to be worked out of it behind it.

A text is taken from memory only by a key (a version's id, a file's id and sha256) that was read in this very transaction, as the user
whose it is, under row security: memory spares loading what a user may see, and never shows more.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from domain.chapters import Chapter
from domain.errors import NotFound
from domain.llm.model import Message
from domain.ports import Records
from domain.projects import Project
from domain.prompting.index.saved_text import StoredText
from domain.prompting.index.text_index import IndexedText
from domain.prompting.index.vectors import MOST_VECTORS, KnownVectors, StoredVector, text_key, unpack_vector
from domain.prompting.material import ChapterText, PromptMaterial, ReferenceText
from domain.prompting.memory import ProjectMemory, PromptMemory, TextKey, key_of
from domain.prompting.semantics import Meanings, request_text
from domain.reference_files import ReferenceFile


@dataclass(frozen=True, slots=True)
class LoadedVectors:
    """`known` were in memory, `newer` have come since; `asked` is that of the chapter's own brief, if there is one."""

    known: KnownVectors
    newer: Sequence[StoredVector]
    asked: Mapping[bytes, bytes]

    def meanings(self, memory: ProjectMemory) -> Meanings:
        known = self.known.with_newer(self.newer)
        memory.keep_vectors(known)
        return Meanings(known.model, {**known.vectors, **{key: unpack_vector(packed) for key, packed in self.asked.items()}})


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedMaterial:
    """As it was read. `files` and `earlier` are those that have a text in `remembered` or `stored`."""

    project: Project
    chapter: Chapter
    files: tuple[ReferenceFile, ...]
    earlier: tuple[tuple[Chapter, UUID], ...]
    previous: tuple[Message, ...]
    remembered: Mapping[TextKey, IndexedText]
    stored: Mapping[TextKey, StoredText]
    memory: ProjectMemory
    vectors: LoadedVectors | None = None

    def material(self) -> PromptMaterial:
        """CPU-bound where something was loaded: some 6 ms for a chapter, 20 ms where its index is missing. Not within the transaction."""
        return PromptMaterial(
            project=self.project,
            chapter=self.chapter,
            references=tuple(ReferenceText(file=file, content=self._indexed(key_of(file))) for file in self.files),
            earlier=tuple(
                ChapterText(chapter=chapter, version_id=version_id, content=self._indexed(version_id))
                for chapter, version_id in self.earlier
            ),
            previous=self.previous,
            meanings=self.vectors.meanings(self.memory) if self.vectors else Meanings(),
            memory=self.memory,
        )

    def _indexed(self, key: TextKey) -> IndexedText:
        if (known := self.remembered.get(key) or self.memory.text(key)) is not None:
            return known
        text = self.stored[key].indexed()
        self.memory.keep(key, text)
        return text


async def load_material(records: Records, chapter: Chapter, memory: PromptMemory) -> LoadedMaterial:
    """In a fixed number of statements, two of them for vectors where there is a model for these.

    Raises NotFound when the chapter's project is not, or no longer, to be seen.
    Loads the texts that memory lacks, and lets it forget those that are current nowhere in the project; those of later chapters stay,
    since the next prompt may be for one behind them.
    """
    project = (await records.projects.get_many([chapter.project_id])).get(chapter.project_id)
    if project is None:
        raise NotFound(chapter.id)
    files = await records.reference_files.of_project(project.id)
    current = [(each, each.current_version_id) for each in await records.chapters.of_project(project.id) if each.current_version_id]
    earlier = [(each, version_id) for each, version_id in current if each.position < chapter.position]
    kept = memory.of(project.id)
    kept.release_all_but({*(version_id for _, version_id in current), *(key_of(file) for file in files)})
    wanted: list[TextKey] = [*(version_id for _, version_id in earlier), *(key_of(file) for file in files)]
    remembered = {key: text for key in wanted if (text := kept.text(key)) is not None}
    stored = await _load(
        records,
        versions=[version_id for _, version_id in earlier if version_id not in remembered],
        files=[file.id for file in files if key_of(file) not in remembered],
    )
    found = remembered.keys() | stored.keys()
    return LoadedMaterial(
        project=project,
        chapter=chapter,
        files=tuple(file for file in _as_loaded(files, stored) if key_of(file) in found),
        earlier=tuple((each, version_id) for each, version_id in earlier if version_id in found),
        previous=tuple(await records.jobs.last_messages(chapter.id)),
        remembered=remembered,
        stored=stored,
        memory=kept,
        vectors=await _vectors(records, chapter, kept.vectors(memory.embedding_model)) if memory.embedding_model else None,
    )


async def _vectors(records: Records, chapter: Chapter, known: KnownVectors) -> LoadedVectors:
    key = text_key(request_text(title=chapter.title, brief=chapter.brief))
    newer = await records.vectors.newest(chapter.project_id, model=known.model, after=known.last, limit=MOST_VECTORS)
    return LoadedVectors(known, newer, await records.vectors.by_key(chapter.project_id, [key], model=known.model))


async def _load(records: Records, *, versions: Sequence[UUID], files: Sequence[UUID]) -> dict[TextKey, StoredText]:
    stored: dict[TextKey, StoredText] = {}
    if versions:
        stored.update((await records.versions.stored_texts(versions)).items())
    if files:
        stored.update((await records.reference_files.stored_texts(files)).items())
    return stored


def _as_loaded(files: Iterable[ReferenceFile], stored: Iterable[TextKey]) -> Iterator[ReferenceFile]:
    """With the sha256 that the content has which was loaded: somebody may have changed it since the files were listed."""
    loaded = dict(key for key in stored if isinstance(key, tuple))
    return (replace(file, sha256=loaded.get(file.id, file.sha256)) for file in files)
