"""The lane of relations: files that are named by a file the chapter surely needs. One step, no further."""

from collections.abc import Iterator
from uuid import UUID

from domain.prompting.lanes.evidence import Evidence
from domain.prompting.receipts import Reason
from domain.prompting.scene import Scene
from domain.reference_files import InclusionPolicy, ReferenceKind

STRENGTH = 0.4


def related(scene: Scene) -> Iterator[tuple[UUID, Evidence]]:
    """Needed is what the author or the request names. Whether it then finds room does not matter, so a budget changes no score.

    Outlines and style guides name everybody: that relates nobody.
    """
    needed = scene.requested.keys() | scene.narrators.keys() | set(scene.wish.include)
    seen: set[UUID] = set()
    for reference in scene.references:
        file = reference.file
        if file.kind in (ReferenceKind.OUTLINE, ReferenceKind.STYLE) or not (file.id in needed or file.inclusion is InclusionPolicy.ALWAYS):
            continue
        for named_id, name in scene.named_in(reference.content.text).items():
            if named_id != file.id and named_id not in seen:
                seen.add(named_id)
                yield named_id, Evidence(STRENGTH, Reason.RELATED, f'"{name}" in {_quoted(file.name)}')


def _quoted(name: str) -> str:
    return f"“{' '.join(name.split())}”"
