"""What the request says of each sheet, beside what the book has made of it: the features that the model weighs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from math import log
from uuid import UUID

from domain.prompting.lanes.history import PRESENT, Chapter, History, history
from domain.prompting.material import ReferenceText
from domain.prompting.scene import Scene
from domain.prompting.search import Search, Text, best_of
from domain.reference_files import ReferenceKind

SHEETS = (ReferenceKind.CHARACTER, ReferenceKind.WORLD)

LIKE_PASSAGES = 100
"""So many passages, those most like the request, say who belongs to it."""

NO_FIT = 0.25
"""How well every sheet fits a request that shares no word with any: about the mean."""

ON_STAGE = 0.7
"""What somebody on the page counts for, beside somebody whom the request names, when it is asked who comes with them."""

LEAST_ANCHOR = 0.01

MOST_ANCHORS = 200
"""So many of those whom the request names or who are on the page are asked who comes with them: hardly any brief names as many."""

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
    files = {file_id: reference.file.kind is ReferenceKind.CHARACTER for file_id, reference in references.items()}
    key = ("history", scene.names.fingerprint, tuple(files.items()), tuple(told.earlier.version_id for told in scene.told))

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
    fresh = [0.3 + 0.7 * faded for faded in past.fading]
    alike = {number: [score * fresh[number] for score in row] for number, row in scene.search.passage_scores.items()}
    shares_words = bool(alike)
    alike = alike or {number: [fresh[number]] * len(told.appearances.passages) for number, told in enumerate(scene.told)}
    whole, like = 0.0, dict[UUID, float]()
    for score, number, passage in best_of(alike, LIKE_PASSAGES):
        squared = score * score
        whole += squared
        around = scene.told[number].appearances.passages[max(0, passage - 1) : passage + 2]
        here = scene.told[number].appearances.passages[passage].named
        for file_id in {file_id for near in around for file_id, named in near.named.items() if named >= PRESENT}:
            like[file_id] = like.get(file_id, 0.0) + squared
            if shares_words and file_id in here and (sheet := found.get(file_id)) and sheet.like is None:
                sheet.like = number, passage
    for file_id, sheet in found.items():
        sheet.features["like_passages"] = like.get(file_id, 0.0) / whole if whole else 0.0


def _find_companions(found: Mapping[UUID, Sheet], scene: Scene, past: History) -> None:
    """The mean log lift of being present together with those whom the request names and those on the page."""
    anchors = _anchors(found, scene, past)
    recently = [past.recently.get(file_id, 0.0) for file_id in found]
    usual = [(number, each, log(each + _SMOOTHING)) for number, each in enumerate(recently)]
    numbers = {file_id: number for number, file_id in enumerate(found)}
    ordered = list(found.values())
    lift, best = [0.0] * len(found), [0.0] * len(found)
    for anchor, counted in anchors.items():
        together, times = _together_with(anchor, past, numbers)
        before = lift[numbers[anchor]] if anchor in numbers else 0.0
        for number, usually, usually_log in usual:
            gained = counted * (log((together.get(number, 0.0) + usually) / times + _SMOOTHING) - usually_log)
            lift[number] += gained
            if gained > best[number] and number in together and number != numbers.get(anchor):
                best[number], ordered[number].companion = gained, anchor
        if anchor in numbers:
            lift[numbers[anchor]] = before  # nobody comes with themselves
    whole = sum(file_id in scene.requested for file_id in found) + 1.2
    for sheet, lifted in zip(ordered, lift, strict=True):
        sheet.features["comes_with"] = lifted / whole
        if sheet.companion is not None:
            others = set(past.chapters_with.get(sheet.companion, ()))
            sheet.together = [number for number in sheet.chapters if number in others]


def _together_with(anchor: UUID, past: History, numbers: Mapping[UUID, int]) -> tuple[Mapping[int, float], float]:
    """In how many chapters each (by number) is present together with somebody, and in how many that one is; recent ones count more."""
    together, times = dict[int, float](), 1.0
    for chapter in past.chapters_with.get(anchor, ()):
        fading = past.fading[chapter]
        times += fading
        for file_id in past.casts[chapter]:
            number = numbers[file_id]
            together[number] = together.get(number, 0.0) + fading
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
    strongest = nlargest(MOST_ANCHORS, ((counted, -place, file_id) for place, (file_id, counted) in enumerate(anchors.items())))
    kept = {file_id for counted, _, file_id in strongest if counted >= LEAST_ANCHOR}
    return {file_id: counted for file_id, counted in anchors.items() if file_id in kept}
