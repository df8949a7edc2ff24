"""What a prompt is made of: everything of a project that could matter to one chapter, loaded at one point in time."""

from dataclasses import dataclass
from uuid import UUID

from domain.chapters import Chapter
from domain.llm.model import Message
from domain.projects import Project
from domain.prompting.index.text_index import IndexedText
from domain.reference_files import ReferenceFile


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceText:
    file: ReferenceFile
    content: IndexedText


@dataclass(frozen=True, slots=True, kw_only=True)
class ChapterText:
    """An earlier chapter with the text of its current version."""

    chapter: Chapter
    version_id: UUID
    content: IndexedText


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptMaterial:
    """`earlier`: the chapters before `chapter` that have text, in book order; `previous`: the last prompt sent for this chapter."""

    project: Project
    chapter: Chapter
    references: tuple[ReferenceText, ...]
    earlier: tuple[ChapterText, ...]
    previous: tuple[Message, ...] = ()


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
