"""The chapter to be written, as the lanes see it: cleaned texts in a fixed order, whatever order they came in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from domain.chapters import Chapter
from domain.prompting.appearances import Appearances, appearances
from domain.prompting.genres import GenreProfile, effective_profile
from domain.prompting.index.terms import terms, words
from domain.prompting.material import ChapterText, PromptMaterial, PromptWish, ReferenceText
from domain.prompting.memory import ProjectMemory
from domain.prompting.mentions import NameIndex
from domain.prompting.receipts import Reason
from domain.prompting.search import Search, Text
from domain.prompting.untrusted import clean
from domain.reference_files import InclusionPolicy, ReferenceFile

MOST_SHARING = 4
"""A word that is part of more characters' names than this says nothing about whom the request means."""

SCANNED_TAIL_CHARACTERS = 4_000
"""How much of the previous chapter's end is searched for names: about its last scene."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for in words."""

    brief: str
    title: str
    instructions: str

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """Those that say something, each with its name."""
        named = (("brief", self.brief), ("title", self.title), ("instructions", self.instructions))
        return tuple((name, text) for name, text in named if text)


@dataclass(frozen=True, slots=True)
class Requested:
    """How the request names a file: `evidence` says where, and `share` is 1 by the number of files that go by this name."""

    evidence: str
    share: float


@dataclass(frozen=True, slots=True)
class Told:
    """An earlier chapter, and who is named where in it."""

    earlier: ChapterText
    appearances: Appearances


@dataclass(frozen=True, slots=True)
class Summary:
    """What happened in an earlier chapter, cleaned, and the files that it names, each with how it is first named there."""

    text: str
    named: Mapping[UUID, str]

    @property
    def size(self) -> int:
        """About how many bytes it takes up in memory, the unclean text included that it is known by."""
        return 4 * len(self.text) + 200 * len(self.named) + 500


Barred: TypeAlias = tuple[ReferenceFile, Reason, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """`references` may be sent (`files` has them by their ids), `barred` may not; `told` are the earlier chapters that may be. `requested`: the files that the request
    names; `search`: the request, looked up in `told`; `narrators`: those that the point-of-view character goes by, each with the name.
    """

    material: PromptMaterial
    wish: PromptWish
    request: Request
    requested: Mapping[UUID, Requested]
    point_of_view: str
    narrators: Mapping[UUID, str]
    tail: str
    earlier: tuple[ChapterText, ...]
    told: tuple[Told, ...]
    references: tuple[ReferenceText, ...]
    files: Mapping[UUID, ReferenceText]
    barred: tuple[Barred, ...]
    names: NameIndex
    name_words: frozenset[str]
    search: Search
    profile: GenreProfile

    def appearances_in(self, reference: ReferenceText) -> Appearances:
        """Who is named where in a reference file."""
        return _appearances(self.material.memory, reference, self.names)

    def summary_of(self, earlier: ChapterText) -> Summary:
        """A chapter's summary, else its brief; its text may be empty."""
        told = earlier.chapter.summary or earlier.chapter.brief

        def make() -> Summary:
            text = clean(told).strip()
            return Summary(text, self.named_in(text))

        key = ("summary", told, self.names.fingerprint)
        return self.material.memory.derived(key, make, size=lambda summary: summary.size)

    def named_in(self, text: str) -> Mapping[UUID, str]:
        """The files that a text names, each with how it is first named there."""
        return _named_in(text, self.names)


def prepare(material: PromptMaterial, wish: PromptWish) -> Scene:
    chapter = material.chapter
    earlier = tuple(sorted(material.earlier, key=lambda text: (text.chapter.position, text.chapter.id)))
    ordered = sorted(material.references, key=lambda text: (text.file.kind, text.file.name, text.file.id))
    references, barred = [], []
    for reference in ordered:
        if refusal := _refusal(reference.file, reference.content.text, chapter=chapter, wish=wish):
            barred.append((reference.file, *refusal))
        else:
            references.append(reference)
    files = [reference.file for reference in ordered]
    names = _names(material.memory, files, most_sharing=1)
    told = tuple(Told(text, _appearances(material.memory, text, names)) for text in earlier if text.chapter.id not in wish.exclude)
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
        requested=_requested(request, _names(material.memory, files, most_sharing=MOST_SHARING)),
        point_of_view=point_of_view,
        narrators=_named_in(point_of_view, names),
        tail=told[-1].earlier.content.text[-SCANNED_TAIL_CHARACTERS:] if told else "",
        earlier=earlier,
        told=told,
        references=tuple(references),
        files={reference.file.id: reference for reference in references},
        barred=tuple(barred),
        names=names,
        name_words=frozenset(
            word for reference in ordered for name in (reference.file.name, *reference.file.aliases) for word in words(name)
        ),
        search=Search(
            "\n".join(text for _, text in request.parts),
            [Text(each.earlier.content, frozenset(terms(each.earlier.chapter.title))) for each in told],
        ),
        profile=effective_profile(material.project),
    )


def _names(memory: ProjectMemory, files: Sequence[ReferenceFile], *, most_sharing: int) -> NameIndex:
    key = ("names", most_sharing, tuple((file.id, file.kind, file.name, file.aliases) for file in files))

    def make() -> NameIndex:
        return NameIndex(files, parts_of_names=True, most_sharing=most_sharing)

    return memory.derived(key, make, size=lambda names: names.size)


def _appearances(memory: ProjectMemory, text: ChapterText | ReferenceText, names: NameIndex) -> Appearances:
    key = ("appearances", text.key, names.fingerprint)
    return memory.derived(key, lambda: appearances(text.content, names), size=lambda found: found.size, of=text.key)


def _requested(request: Request, names: NameIndex) -> Mapping[UUID, Requested]:
    found: dict[UUID, Requested] = {}
    for where, text in request.parts:
        for match in names.find(text):
            for file_id in match.file_ids:
                share = 1 / len(match.file_ids)
                if file_id not in found or found[file_id].share < share:
                    found[file_id] = Requested(f'"{" ".join(match.matched.split())}" in the {where}', share)
    return found


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
