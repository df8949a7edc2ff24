"""The lane of standing advice: style guides and outlines bear on every chapter, whether or not something names them."""

from collections.abc import Iterator
from types import MappingProxyType
from uuid import UUID

from domain.prompting.lanes.evidence import Evidence
from domain.prompting.receipts import Reason
from domain.prompting.scene import Scene
from domain.reference_files import ReferenceKind

_ADVICE = MappingProxyType(
    {
        ReferenceKind.STYLE: Evidence(0.7, Reason.RELEVANT, "a style guide bears on every chapter"),
        ReferenceKind.OUTLINE: Evidence(0.6, Reason.RELEVANT, "an outline bears on every chapter"),
    }
)


def standing(scene: Scene) -> Iterator[tuple[UUID, Evidence]]:
    for reference in scene.references:
        if advice := _ADVICE.get(reference.file.kind):
            yield reference.file.id, advice
