"""What comes back for a call: the edits that can be used, and what was left out and why."""

from collections.abc import Iterable
from dataclasses import dataclass

from domain.assessing.revising.plan import Edit, RevisionPlan


@dataclass(frozen=True, slots=True)
class LeftOut:
    """`name` is the planned edit's or insertion's, and "" for what the model came up with itself. `reason` is a sentence."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """What can be used: of a model's answer always one edit at least."""

    edits: tuple[Edit, ...]
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenEdits:
    """Nothing in the answer can be used. `reason` is written for the model, which may be asked once more."""

    reason: str
    left_out: tuple[LeftOut, ...] = ()


def all_edits(plan: RevisionPlan, answers: Iterable[Edits | BrokenEdits] = ()) -> Edits:
    """The plan's ready edits, and those of all its calls."""
    given = list(answers)
    edits = (edit for answer in given if isinstance(answer, Edits) for edit in answer.edits)
    return Edits(edits=(*plan.ready_edits, *edits), left_out=tuple(each for answer in given for each in answer.left_out))
