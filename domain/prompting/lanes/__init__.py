"""Lanes: independent ways to find out that a reference file matters to a chapter, each with its evidence.

A lane is a function of the scene that yields the files it speaks for. To add one, write it and name it in `LANES`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from uuid import UUID

from domain.prompting.lanes.evidence import Evidence
from domain.prompting.lanes.mentioned import mentioned
from domain.prompting.lanes.point_of_view import point_of_view
from domain.prompting.lanes.related import related
from domain.prompting.lanes.standing import standing
from domain.prompting.scene import Scene

Lane = Callable[[Scene], Iterator[tuple[UUID, Evidence]]]

LANES: tuple[Lane, ...] = (point_of_view, mentioned, standing, related)


def gather_evidence(scene: Scene) -> Mapping[UUID, tuple[Evidence, ...]]:
    """What all lanes have to say, for each file the strongest first."""
    gathered: defaultdict[UUID, list[Evidence]] = defaultdict(list)
    for lane in LANES:
        for file_id, evidence in lane(scene):
            gathered[file_id].append(evidence)
    return {file_id: tuple(sorted(found, key=lambda evidence: (-evidence.strength, evidence.text))) for file_id, found in gathered.items()}
