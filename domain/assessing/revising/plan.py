"""What a revision is to change: passages to rewrite, things to put in, and what the author asks for beside them.

Offsets are Unicode code points into the text that is revised. Everything outside the spans of a plan's edits stays as it is.
"""

from dataclasses import dataclass
from uuid import UUID

from domain.assessing.assessment import FoundIssue

ChosenFinding = tuple[UUID, FoundIssue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """`replacement` stands instead of `text[start:end]`; an insertion's span is empty, a deletion's replacement is "".

    `finding_ids` are the findings it answers: none for what the author's instructions alone asked for.
    """

    start: int
    end: int
    replacement: str
    finding_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedEdit:
    """A passage to be rewritten. `name` is what a model calls it by: "E1" is the first in the text.

    `replacement` is ready where the findings bring it, and then the span is the quote itself; a passage that a model is asked for is
    made of whole sentences. `may_delete`: the findings ask for nothing less than to cut the passage.
    """

    name: str
    start: int
    end: int
    findings: tuple[ChosenFinding, ...]
    may_delete: bool
    replacement: str | None

    @property
    def finding_ids(self) -> tuple[UUID, ...]:
        return tuple(finding_id for finding_id, _ in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedInsertion:
    """Something that is missing from the text. `name` is "I1", "I2"; the place is chosen by the model."""

    name: str
    finding: ChosenFinding


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionPlan:
    """`edits` are in the order of the text and do not overlap; `instructions` are the author's own, or "".

    `language` is the project's, as a BCP 47 tag.
    """

    text: str
    instructions: str
    language: str
    edits: tuple[PlannedEdit, ...]
    insertions: tuple[PlannedInsertion, ...]

    @property
    def ready_edits(self) -> tuple[Edit, ...]:
        """What can be done without a model."""
        return tuple(
            Edit(start=edit.start, end=edit.end, replacement=edit.replacement, finding_ids=edit.finding_ids)
            for edit in self.edits
            if edit.replacement is not None
        )

    @property
    def asked_edits(self) -> tuple[PlannedEdit, ...]:
        """What a model has to rewrite."""
        return tuple(edit for edit in self.edits if edit.replacement is None)

    @property
    def free(self) -> bool:
        """Whether the model may propose edits anywhere, because there are only instructions."""
        return bool(self.instructions) and not self.edits and not self.insertions

    @property
    def empty(self) -> bool:
        return not (self.edits or self.insertions or self.instructions)

    @property
    def ready(self) -> bool:
        """Whether no model needs to be called."""
        return not (self.asked_edits or self.insertions or self.free)
