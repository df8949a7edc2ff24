"""Lanes: independent ways to find out that a reference file matters to a chapter, each with its evidence.

A lane is a function of the scene that yields the files it speaks for. To add one, write it and name it in `LANES`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from domain.prompting.lanes.evidence import Evidence, combined_strength
from domain.prompting.lanes.mentioned import mentioned
from domain.prompting.lanes.point_of_view import point_of_view
from domain.prompting.lanes.related import related
from domain.prompting.lanes.standing import standing
from domain.prompting.receipts import Reason
from domain.prompting.scene import Scene

Lane = Callable[[Scene], Iterator[tuple[UUID, Evidence]]]

LANES: tuple[Lane, ...] = (point_of_view, mentioned, standing, related)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    score: float
    merit: float
    reason: Reason
    evidence: tuple[str, ...]
    passages: Mapping[int, float] = field(default_factory=dict)


def judge(scene: Scene) -> Mapping[UUID, Judgement]:
    gathered: defaultdict[UUID, list[Evidence]] = defaultdict(list)
    for lane in LANES:
        for file_id, evidence in lane(scene):
            gathered[file_id].append(evidence)
    out = {}
    for file_id, found in gathered.items():
        found.sort(key=lambda evidence: (-evidence.strength, evidence.text))
        score = combined_strength(found)
        out[file_id] = Judgement(score=score, merit=score, reason=found[0].reason, evidence=tuple(one.text for one in found))
    return out
