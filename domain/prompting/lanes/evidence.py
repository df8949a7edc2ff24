"""What speaks for a file, in words that can be checked: what they quote stands where they say."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.prompting.index.first_words import first_words
from domain.prompting.index.terms import terms
from domain.prompting.index.text_index import IndexedText
from domain.prompting.lanes.features import Sheet
from domain.prompting.receipts import Reason
from domain.prompting.scene import Scene
from domain.prompting.untrusted import clean

WORDS_QUOTED = 3
CHAPTERS_LISTED = 3


@dataclass(frozen=True, slots=True)
class Evidence:
    """`text` reads like '"the Captain" in the brief'."""

    reason: Reason
    text: str


def evidence(file_id: UUID, sheet: Sheet, scene: Scene, tail: Mapping[UUID, str]) -> Iterator[Evidence]:
    """The most telling first. `tail`: whom the previous chapter's end names, and how."""
    if file_id in scene.narrators:
        yield Evidence(Reason.MENTIONED, f'"{scene.narrators[file_id]}" is the point-of-view character')
    if file_id in scene.requested:
        yield Evidence(Reason.MENTIONED, scene.requested[file_id].evidence)
    if file_id in tail:
        yield Evidence(Reason.MENTIONED, f'"{tail[file_id]}" in the previous chapter\'s end')
    if sheet.features["narrator"] > 0 and _is_rather_called_than_told_of(file_id, scene):
        yield Evidence(Reason.RELEVANT, "the narration says “I”, and this one is called by name but hardly ever told of")
    if sheet.linked_by is not None:
        name = scene.appearances_in(sheet.linked_by).names[file_id]
        yield Evidence(Reason.RELATED, f'"{name}" in {quoted(sheet.linked_by.file.name)}')
    yield from _companion(sheet, scene)
    if sheet.like is not None:
        number, passage = sheet.like
        told = scene.told[number]
        where = f"passage {passage + 1} of chapter {told.earlier.chapter.position}"
        yield Evidence(Reason.RELEVANT, f"named in {where}, which is about the like")
    if words := shared_words(sheet.reference.content, _telling_terms(sheet)):
        yield Evidence(Reason.RELEVANT, f"{', '.join(words)} in {quoted(sheet.reference.file.name)}")
    yield from _last_seen(file_id, sheet, scene)


def _is_rather_called_than_told_of(file_id: UUID, scene: Scene) -> bool:
    called = told_of = 0.0
    for told in scene.told:
        called += told.appearances.addressed.get(file_id, 0.0)
        told_of += told.appearances.named.get(file_id, 0.0)
        told_of -= sum(passage.in_speech.get(file_id, 0.0) for passage in told.appearances.passages)
    return called > told_of


def _telling_terms(sheet: Sheet) -> Sequence[str]:
    """The weightiest terms that the sheet shares with the request, but for those of its own name: that it has them says nothing."""
    if not sheet.shared_terms:
        return ()
    own = {term for name in (sheet.reference.file.name, *sheet.reference.file.aliases) for term in terms(name)}
    return [term for term in sheet.shared_terms if term not in own][:WORDS_QUOTED]


def shared_words(content: IndexedText, shared: Sequence[str]) -> list[str]:
    """How these terms stand in a text for the first time, in quotation marks."""
    held = [(term, content.index.postings[term][0]) for term in shared if term in content.index.postings]
    first: dict[str, str] = {}
    for passage in {passage for _, passage in held}:
        start, end = content.index.spans[passage]
        wanted = [term for term, where in held if where == passage]
        first.update(zip(wanted, first_words(content.text[start:end], wanted), strict=True))
    return [f'"{first[term]}"' for term, _ in held]


def quoted(name: str) -> str:
    return f"“{' '.join(clean(name).split())}”"


def _companion(sheet: Sheet, scene: Scene) -> Iterator[Evidence]:
    if sheet.companion is not None and sheet.together:
        both = [scene.told[number].earlier.chapter.position for number in sheet.together]
        yield Evidence(Reason.RELATED, f"together with {quoted(scene.files[sheet.companion].file.name)} in {_chapters(both)}")


def _last_seen(file_id: UUID, sheet: Sheet, scene: Scene) -> Iterator[Evidence]:
    if sheet.chapters:
        told = scene.told[sheet.chapters[-1]]
        times = round(told.appearances.named[file_id])
        often = f" {times} times" if times > 1 else ""
        yield Evidence(Reason.RECENT, f'"{told.appearances.names[file_id]}"{often} in chapter {told.earlier.chapter.position}')


def _chapters(positions: Sequence[int]) -> str:
    *others, last = positions[-CHAPTERS_LISTED:]
    if not others:
        return f"chapter {last}"
    return f"chapters {', '.join(map(str, others))} and {last}"
