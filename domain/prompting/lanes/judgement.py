"""What all lanes together say of each reference file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.prompting.lanes.advice import IN_REQUEST, advised
from domain.prompting.lanes.evidence import Evidence, evidence
from domain.prompting.lanes.features import sheets
from domain.prompting.lanes.model import CHARACTER, PLACE
from domain.prompting.receipts import Reason
from domain.prompting.scene import Scene

LEAST_SCORE = 0.02
"""What is needed once in fifty chapters like this one is not worth an author's money, however much room there is."""

MOST_UNNAMED = 100
"""So many characters of whom nothing is known, but that chapters of this book need many of its characters, the likeliest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """`score`: the chance (0..1) that the chapter needs the file; `merit`: that, by how much is made of it then.

    `passages`: the scores of its own passages, for those that bear on the request.
    """

    score: float
    merit: float
    reason: Reason
    evidence: tuple[str, ...]
    passages: Mapping[int, float]


def judge(scene: Scene) -> Mapping[UUID, Judgement]:
    """Files for which nothing speaks are left out."""
    judged: dict[UUID, Judgement] = {}
    unnamed: dict[UUID, Judgement] = {}
    tail = scene.named_in(scene.tail)
    for file_id, sheet in sheets(scene).items():
        model = CHARACTER if sheet.is_character else PLACE
        score = max(model.chance(sheet.features), IN_REQUEST * sheet.features["named"])
        if score < LEAST_SCORE:
            continue
        merit = score * model.importance_of(sheet.features)
        if found := list(evidence(file_id, sheet, scene, tail)):
            judged[file_id] = _judgement(score, merit, found, sheet.passages)
        elif sheet.is_character:
            unnamed[file_id] = _judgement(score, merit, [_usual(sheet.features["cast_size"])], sheet.passages)
    likeliest = sorted(unnamed, key=lambda file_id: (-unnamed[file_id].score, file_id))[:MOST_UNNAMED]
    judged |= {file_id: unnamed[file_id] for file_id in likeliest}
    for reference, score, found, passages in advised(scene):
        if score >= LEAST_SCORE:
            judged[reference.file.id] = _judgement(score, score, found, passages)
    return judged


def _usual(cast_size: float) -> Evidence:
    return Evidence(Reason.RELEVANT, f"chapters of this book need {cast_size:.0%} of its characters")


def _judgement(score: float, merit: float, found: Sequence[Evidence], passages: Mapping[int, float]) -> Judgement:
    return Judgement(score=score, merit=merit, reason=found[0].reason, evidence=tuple(one.text for one in found), passages=passages)
