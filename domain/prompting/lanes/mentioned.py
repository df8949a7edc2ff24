"""The lane of names: files that the request, the previous chapter's end or the earlier summaries name."""

from collections.abc import Iterator
from uuid import UUID

from domain.prompting.lanes.evidence import Evidence
from domain.prompting.receipts import Reason
from domain.prompting.scene import Scene
from domain.prompting.untrusted import clean

IN_REQUEST = 0.9
IN_TAIL = 0.7
IN_SUMMARY = 0.5
FADING = 0.2
"""How fast a summary's word loses weight: halved after five chapters."""


def mentioned(scene: Scene) -> Iterator[tuple[UUID, Evidence]]:
    for file_id, text in scene.requested.items():
        yield file_id, Evidence(IN_REQUEST, Reason.MENTIONED, text)
    for file_id, name in scene.named_in(scene.tail).items():
        yield file_id, Evidence(IN_TAIL, Reason.MENTIONED, f'"{name}" in the previous chapter\'s end')
    seen: set[UUID] = set()
    for distance, earlier in enumerate(reversed(scene.earlier), start=1):
        if earlier.chapter.id in scene.wish.exclude:
            continue
        for file_id, name in scene.named_in(clean(earlier.chapter.summary or "")).items():
            if file_id not in seen:
                seen.add(file_id)
                strength = IN_SUMMARY / (1 + FADING * (distance - 1))
                yield file_id, Evidence(strength, Reason.MENTIONED, f'"{name}" in the summary of chapter {earlier.chapter.position}')
