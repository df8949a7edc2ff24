"""The lane of the viewpoint: the sheet of whoever tells the chapter."""

from collections.abc import Iterator
from uuid import UUID

from domain.prompting.lanes.evidence import Evidence
from domain.prompting.receipts import Reason
from domain.prompting.scene import Scene


def point_of_view(scene: Scene) -> Iterator[tuple[UUID, Evidence]]:
    for file_id, name in scene.named_in(scene.point_of_view).items():
        yield file_id, Evidence(1.0, Reason.MENTIONED, f'"{name}" in the point-of-view character')
