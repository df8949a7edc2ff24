"""The lane of the viewpoint: the sheet of whoever tells the chapter."""

from collections.abc import Iterator
from uuid import UUID

from domain.prompting.lanes.evidence import Evidence
from domain.prompting.receipts import Reason
from domain.prompting.scene import Scene


def point_of_view(scene: Scene) -> Iterator[tuple[UUID, Evidence]]:
    for file_id, name in scene.narrators.items():
        yield file_id, Evidence(1.0, Reason.MENTIONED, f'"{name}" is the point-of-view character')
