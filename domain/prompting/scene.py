"""The chapter to be written, as the lanes see it: cleaned texts in a fixed order, whatever order they came in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from domain.chapters import Chapter
from domain.prompting.material import ChapterText, PromptMaterial, PromptWish
from domain.prompting.mentions import NameIndex
from domain.prompting.receipts import Reason
from domain.prompting.untrusted import clean
from domain.reference_files import InclusionPolicy, ReferenceFile

SCANNED_TAIL_CHARACTERS = 4_000
"""How much of the previous chapter's end is searched for names: about its last scene."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for in words."""

    brief: str
    title: str
    instructions: str


@dataclass(frozen=True, slots=True)
class Reference:
    file: ReferenceFile
    text: str


Barred: TypeAlias = tuple[ReferenceFile, Reason, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """`references` may be sent, `barred` may not. `requested`: the files that the request names, each with the evidence;
    `narrators`: those that the point-of-view character goes by, each with the name.
    """

    material: PromptMaterial
    wish: PromptWish
    request: Request
    requested: Mapping[UUID, str]
    point_of_view: str
    narrators: Mapping[UUID, str]
    tail: str
    earlier: tuple[ChapterText, ...]
    references: tuple[Reference, ...]
    barred: tuple[Barred, ...]
    names: NameIndex

    def named_in(self, text: str) -> Mapping[UUID, str]:
        """The files that a text names, each with how it is first named there."""
        return _named_in(text, self.names)


def prepare(material: PromptMaterial, wish: PromptWish) -> Scene:
    chapter = material.chapter
    earlier = tuple(sorted(material.earlier, key=lambda text: (text.chapter.position, text.chapter.id)))
    ordered = sorted(material.references, key=lambda text: (text.file.kind, text.file.name, text.file.id))
    references, barred = [], []
    for reference in ordered:
        text = reference.content.text
        if refusal := _refusal(reference.file, text, chapter=chapter, wish=wish):
            barred.append((reference.file, *refusal))
        else:
            references.append(Reference(reference.file, text))
    previous = next((text for text in reversed(earlier) if text.chapter.id not in wish.exclude), None)
    names = NameIndex((reference.file for reference in ordered), parts_of_names=True)
    request = Request(
        brief=clean(chapter.brief if wish.brief is None else wish.brief).strip(),
        title=" ".join(clean(chapter.title).split()),
        instructions=clean(wish.instructions).strip(),
    )
    point_of_view = " ".join(clean(chapter.point_of_view_character or "").split())
    return Scene(
        material=material,
        wish=wish,
        request=request,
        requested=_requested(request, names),
        point_of_view=point_of_view,
        narrators=_named_in(point_of_view, names),
        tail=previous.content.text[-SCANNED_TAIL_CHARACTERS:] if previous else "",
        earlier=earlier,
        references=tuple(references),
        barred=tuple(barred),
        names=names,
    )


def _requested(request: Request, names: NameIndex) -> Mapping[UUID, str]:
    evidence: dict[UUID, str] = {}
    for where, text in (("brief", request.brief), ("title", request.title), ("instructions", request.instructions)):
        for file_id, name in _named_in(text, names).items():
            evidence.setdefault(file_id, f'"{name}" in the {where}')
    return evidence


def _named_in(text: str, names: NameIndex) -> Mapping[UUID, str]:
    named: dict[UUID, str] = {}
    for match in names.find(text):
        for file_id in match.file_ids:
            named.setdefault(file_id, " ".join(match.matched.split()))
    return named


def _refusal(file: ReferenceFile, text: str, *, chapter: Chapter, wish: PromptWish) -> tuple[Reason, tuple[str, ...]] | None:
    """Why a file may not be sent, whoever wishes it."""
    pinned = ("it was asked for, but this outweighs it",) if file.id in wish.include else ()
    if file.inclusion is InclusionPolicy.NEVER:
        return Reason.NEVER, ("its inclusion policy is never", *pinned)
    if not file.visible_at(chapter.position):
        return Reason.HIDDEN_BY_STORY_TIME, (_validity(file), *pinned)
    if file.id in wish.exclude:
        return Reason.EXCLUDED, ("excluded by the request", *pinned)
    if not text:
        return Reason.EMPTY, ("the file has no text", *pinned)
    return None


def _validity(file: ReferenceFile) -> str:
    bounds: Iterable[tuple[str, int | None]] = (("from", file.valid_from_chapter), ("until", file.valid_until_chapter))
    return "known " + " ".join(f"{word} chapter {number}" for word, number in bounds if number is not None)
