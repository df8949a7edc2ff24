"""What the request says of each sheet, beside what the book has made of it: the features that the model weighs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from math import log
from uuid import UUID

from domain.prompting.lanes.history import PRESENT, Chapter, History, history
from domain.prompting.material import ReferenceText
from domain.prompting.scene import Scene
from domain.prompting.search import Search, Text
from domain.reference_files import ReferenceKind

SHEETS = (ReferenceKind.CHARACTER, ReferenceKind.WORLD)

LIKE_PASSAGES = 100
"""So many passages, those most like the request, say who belongs to it."""

NO_FIT = 0.25
"""How well every sheet fits a request that shares no word with any: about the mean."""

ON_STAGE = 0.7
"""What somebody on the page counts for, beside somebody whom the request names, when it is asked who comes with them."""

LEAST_ANCHOR = 0.01

ASKED_FOR = 1.0
"""What the sheet of somebody whom the request names counts for, beside log(1 + n) of those named n times in the last chapter."""

_SMOOTHING = 0.02


@dataclass(slots=True)
class Sheet:
    """A sheet with its features, and what the evidence is made of.

    `shared_terms`: terms of the request in the sheet, the weightiest first; `like`: the passage (chapter and passage, by number) that is
    most like the request and names it; `companion`: with whom it comes more than with anybody; `linked_by`: whose sheet names it; `chapters`: where it is present, and
    `together`, where with its companion (both by number).
    """

    reference: ReferenceText
    features: dict[str, float]
    shared_terms: Sequence[str] = ()
    like: tuple[int, int] | None = None
    companion: UUID | None = None
    chapters: Sequence[int] = ()
    together: Sequence[int] = ()
    linked_by: ReferenceText | None = None
    passages: Mapping[int, float] = field(default_factory=dict)

    @property
    def is_character(self) -> bool:
        return self.reference.file.kind is ReferenceKind.CHARACTER


def sheets(scene: Scene) -> Mapping[UUID, Sheet]:
    references = {reference.file.id: reference for reference in scene.references if reference.file.kind in SHEETS}
    past = _history(scene, references)
    found = {
        file_id: Sheet(reference, {**past.static[file_id], "sheet_length": log(max(1, reference.file.token_count))})
        for file_id, reference in references.items()
    }
    for file_id, sheet in found.items():
        requested = scene.requested.get(file_id)
        sheet.features["named"] = requested.share if requested else 0.0
        sheet.features["point_of_view"] = float(file_id in scene.narrators)
        sheet.chapters = past.chapters_with.get(file_id, ())
    _fit(found, scene)
    _find_like(found, scene, past)
    _find_companions(found, scene, past)
    _find_links(found, scene, past)
    return found


def _history(scene: Scene, references: Mapping[UUID, ReferenceText]) -> History:
    key = ("history", scene.names.fingerprint, tuple(references), tuple(told.earlier.version_id for told in scene.told))
    files = {file_id: reference.file.kind is ReferenceKind.CHARACTER for file_id, reference in references.items()}

    def make() -> History:
        chapters = [Chapter(told.earlier.content.index.spans, told.appearances) for told in scene.told]
        return history(files, chapters)

    return scene.material.memory.derived(key, make, size=lambda made: made.size)


def _fit(found: Mapping[UUID, Sheet], scene: Scene) -> None:
    """How well the request's words fit the sheet, the best of all being 1."""
    ordered = list(found.values())
    search = Search(scene.search.request, [Text(sheet.reference.content) for sheet in ordered])
    scores = search.whole_texts()
    best = max((score for score, _ in scores.values()), default=0.0)
    for number, sheet in enumerate(ordered):
        score, sheet.shared_terms = scores.get(number, (0.0, ()))
        sheet.features["sheet_fits"] = score / best if best else NO_FIT
        sheet.passages = search.passages_of(number) if score else {}


def _find_like(found: Mapping[UUID, Sheet], scene: Scene, past: History) -> None:
    """The part of the passages most like the request (recent ones count more) that name the file in them or next to them."""
    ranked = [
        (score * (0.3 + 0.7 * past.fading[number]), -number, -passage)
        for number, row in scene.search.passage_scores.items()
        for passage, score in enumerate(row)
        if score > 0
    ] or [
        (0.3 + 0.7 * past.fading[number], -number, -passage)
        for number, told in enumerate(scene.told)
        for passage in range(len(told.appearances.passages))
    ]
    whole, like = 0.0, dict[UUID, float]()
    for score, number, passage in nlargest(LIKE_PASSAGES, ranked):
        squared = score * score
        whole += squared
        around = scene.told[-number].appearances.passages[max(0, -passage - 1) : -passage + 2]
        here = scene.told[-number].appearances.passages[-passage].named
        for file_id in sorted({file_id for near in around for file_id, named in near.named.items() if named >= PRESENT}):
            like[file_id] = like.get(file_id, 0.0) + squared
            if file_id in here and (sheet := found.get(file_id)) and sheet.like is None:
                sheet.like = -number, -passage
    for file_id, sheet in found.items():
        sheet.features["like_passages"] = like.get(file_id, 0.0) / whole if whole else 0.0


def _find_companions(found: Mapping[UUID, Sheet], scene: Scene, past: History) -> None:
    """The mean log lift of being present together with those whom the request names and those on the page."""
    anchors = _anchors(found, scene, past)
    usual = {file_id: past.recently.get(file_id, 0.0) for file_id in found}
    usual_log = {file_id: log(recently + _SMOOTHING) for file_id, recently in usual.items()}
    lift, best = dict.fromkeys(found, 0.0), dict[UUID, float]()
    for anchor, counted in anchors.items():
        together, times = _together_with(anchor, past)
        for file_id in found:
            if file_id != anchor:
                gained = counted * (log((together.get(file_id, 0.0) + usual[file_id]) / times + _SMOOTHING) - usual_log[file_id])
                lift[file_id] += gained
                if file_id in together and gained > best.get(file_id, 0.0):
                    best[file_id], found[file_id].companion = gained, anchor
    whole = sum(file_id in scene.requested for file_id in found) + 1.2
    for file_id, sheet in found.items():
        sheet.features["comes_with"] = lift[file_id] / whole
        if sheet.companion is not None:
            others = set(past.chapters_with.get(sheet.companion, ()))
            sheet.together = [number for number in sheet.chapters if number in others]


def _together_with(anchor: UUID, past: History) -> tuple[Mapping[UUID, float], float]:
    """In how many chapters everybody is present together with somebody, and in how many that one is; recent ones count more."""
    together, times = dict[UUID, float](), 1.0
    for chapter in past.chapters_with.get(anchor, ()):
        times += past.fading[chapter]
        for file_id in past.casts[chapter]:
            together[file_id] = together.get(file_id, 0.0) + past.fading[chapter]
    return together, times


def _find_links(found: Mapping[UUID, Sheet], scene: Scene, past: History) -> None:
    """How much the sheets of those who were there last, or whom the request names, name the file."""
    stage = _linking(found, scene, past)
    whole = sum(stage.values()) or 1.0
    linked, strongest = dict.fromkeys(found, 0.0), dict[UUID, float]()
    for file_id, counted in sorted(stage.items()):
        for other, times in scene.appearances_in(found[file_id].reference).named.items():
            if other != file_id and other in found:
                link = counted / whole * times / (times + 1)
                linked[other] += link
                if link > strongest.get(other, 0.0):
                    strongest[other], found[other].linked_by = link, found[file_id].reference
    for file_id, sheet in found.items():
        sheet.features["linked"] = linked[file_id]


def _linking(found: Mapping[UUID, Sheet], scene: Scene, past: History) -> Mapping[UUID, float]:
    """Whose sheets are asked whom they name, with how much they count."""
    stage = {file_id: counted for file_id, counted in past.last_cast.items() if file_id in found}
    for file_id in found:
        if file_id in scene.requested or file_id in scene.narrators:
            stage[file_id] = stage.get(file_id, 0.0) + ASKED_FOR
    return stage


def _anchors(found: Mapping[UUID, Sheet], scene: Scene, past: History) -> dict[UUID, float]:
    """Whom the request names, and who is on the page, with how much they count."""
    anchors = {file_id: 1.0 for file_id in found if file_id in scene.requested}
    for file_id, vividness in sorted(past.stage.items()):
        anchors[file_id] = anchors.get(file_id, 0.0) + ON_STAGE * vividness
    return {file_id: counted for file_id, counted in anchors.items() if counted >= LEAST_ANCHOR}
