"""What a prompt is made of: everything of a project that could matter to one chapter, loaded at one point in time."""

from dataclasses import dataclass, field
from uuid import UUID

from domain.chapters import Chapter
from domain.llm.model import Message
from domain.projects import Project
from domain.prompting.index.text_index import IndexedText
from domain.prompting.memory import ProjectMemory, TextKey, key_of
from domain.prompting.semantics import Meanings
from domain.reference_files import ReferenceFile


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceText:
    file: ReferenceFile
    content: IndexedText

    @property
    def key(self) -> TextKey:
        """What `content` is known by in the project's memory."""
        return key_of(self.file)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChapterText:
    """An earlier chapter with the text of its current version."""

    chapter: Chapter
    version_id: UUID
    content: IndexedText

    @property
    def key(self) -> TextKey:
        """What `content` is known by in the project's memory."""
        return self.version_id


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptMaterial:
    """`earlier`: the chapters before `chapter` that have text, in book order; `previous`: the last prompt sent for this chapter.

    `meanings` are what is known of the texts and of the chapter's brief by vectors. `memory` holds what earlier prompts of this project
    have worked out of its texts. It saves time and changes nothing.
    """

    project: Project
    chapter: Chapter
    references: tuple[ReferenceText, ...]
    earlier: tuple[ChapterText, ...]
    previous: tuple[Message, ...] = ()
    meanings: Meanings = field(default_factory=Meanings)
    memory: ProjectMemory = field(default_factory=ProjectMemory, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptWish:
    """What the caller asks of this prompt.

    `include` and `exclude` name reference files or chapters; `brief`, when given, replaces the chapter's own.
    """

    model: str
    token_budget: int
    instructions: str = ""
    brief: str | None = None
    include: tuple[UUID, ...] = ()
    exclude: tuple[UUID, ...] = ()
