"""The parts of a prompt, in the order in which they are sent.

What changes least comes first, because providers discount a prefix they have seen: what holds for the whole book, then what holds
for this chapter, then what was picked for it. The recent text and the brief come last, where models heed them most.
"""

from enum import Enum

from domain.llm.model import Role
from domain.reference_files import ReferenceKind


class Section(Enum):
    """`group` names it in receipts; `heading` may be empty; `fenced` says that it holds material and no instructions."""

    TASK = (Role.SYSTEM, "instructions", "", False)
    GENRE = (Role.SYSTEM, "instructions", "The genre", False)
    STYLE_NOTES = (Role.SYSTEM, "style", "The author's style notes", False)
    BOOK_STYLE = (Role.SYSTEM, "style", "Style guides for the whole book", True)
    BOOK_OUTLINE = (Role.SYSTEM, "outline", "Outline of the whole book", True)
    BOOK_CAST = (Role.SYSTEM, "cast", "Cast of the whole book", True)
    BOOK_WORLD = (Role.SYSTEM, "world", "World of the whole book", True)
    BOOK_RESEARCH = (Role.SYSTEM, "research", "Research for the whole book", True)
    BOOK_NOTES = (Role.SYSTEM, "notes", "Notes on the whole book", True)
    PREMISE = (Role.USER, "premise", "Premise", True)
    STYLE = (Role.USER, "style", "Style guides", True)
    OUTLINE = (Role.USER, "outline", "Outline", True)
    STORY_SO_FAR = (Role.USER, "story so far", "The story so far", True)
    WORLD = (Role.USER, "world", "World", True)
    RESEARCH = (Role.USER, "research", "Research", True)
    NOTES = (Role.USER, "notes", "Notes", True)
    CAST = (Role.USER, "cast", "Cast", True)
    PASSAGES = (Role.USER, "earlier text", "Passages that this chapter may come back to", True)
    EARLIER_TEXT = (Role.USER, "recent text", "From earlier chapters", True)
    PREVIOUS_END = (Role.USER, "recent text", "The previous chapter's end", True)
    BRIEF = (Role.USER, "brief", "Brief", False)
    INSTRUCTIONS = (Role.USER, "instructions", "Instructions for this draft", False)
    LENGTH = (Role.USER, "brief", "", False)

    def __init__(self, role: Role, group: str, heading: str, fenced: bool) -> None:
        self.role = role
        self.group = group
        self.heading = heading
        self.fenced = fenced

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {section: rank for rank, section in enumerate(Section)}

WHOLE_BOOK = {
    ReferenceKind.CHARACTER: Section.BOOK_CAST,
    ReferenceKind.WORLD: Section.BOOK_WORLD,
    ReferenceKind.STYLE: Section.BOOK_STYLE,
    ReferenceKind.OUTLINE: Section.BOOK_OUTLINE,
    ReferenceKind.RESEARCH: Section.BOOK_RESEARCH,
    ReferenceKind.OTHER: Section.BOOK_NOTES,
}
THIS_CHAPTER = {
    ReferenceKind.CHARACTER: Section.CAST,
    ReferenceKind.WORLD: Section.WORLD,
    ReferenceKind.STYLE: Section.STYLE,
    ReferenceKind.OUTLINE: Section.OUTLINE,
    ReferenceKind.RESEARCH: Section.RESEARCH,
    ReferenceKind.OTHER: Section.NOTES,
}
