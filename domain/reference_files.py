"""Reference files: what the author knows about the book and wants the model to know."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class ReferenceKind(StrEnum):
    CHARACTER = "CHARACTER"
    WORLD = "WORLD"
    STYLE = "STYLE"
    OUTLINE = "OUTLINE"
    RESEARCH = "RESEARCH"
    OTHER = "OTHER"


class InclusionPolicy(StrEnum):
    ALWAYS = "ALWAYS"
    WHEN_RELEVANT = "WHEN_RELEVANT"
    NEVER = "NEVER"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceFile:
    """A file without its content, which is loaded only when it is asked for."""

    id: UUID
    project_id: UUID
    name: str
    kind: ReferenceKind
    aliases: tuple[str, ...]
    inclusion: InclusionPolicy
    valid_from_chapter: int | None
    valid_until_chapter: int | None
    media_type: str
    size_bytes: int
    token_count: int
    sha256: str
    created_at: datetime
    updated_at: datetime

    def visible_at(self, position: int) -> bool:
        """Whether story time lets a chapter at `position` know of this."""
        return (self.valid_from_chapter or 1) <= position and (self.valid_until_chapter is None or position <= self.valid_until_chapter)
