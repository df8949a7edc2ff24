"""What a damaged chapter is, and what all damages need: its paragraphs, its cast, and where something can be put in."""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from uuid import UUID

from bench.assessor.originals import Original, indexed_once
from domain.assessing.metrics.reading import Paragraph, Reading
from domain.assessing.quotes import Place
from domain.prompting.material import PromptMaterial, ReferenceText
from domain.prompting.mentions import NameIndex
from domain.reference_files import ReferenceKind

INSERTIONS = tomllib.loads(Path(__file__).with_name("insertions.toml").read_text(encoding="utf-8"))
COLOURS = ("blue", "green", "brown", "grey")


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """`places`: where in the text the damage is; none where something is missing. `beat`: the brief's, when it is that which is not met."""

    kind: str
    original: Original
    text: str
    material: PromptMaterial
    places: tuple[Place, ...] = ()
    beat: str | None = None
    undamaged_material: PromptMaterial | None = None


Damage = Callable[[Original, Random], Damaged | None]


def paragraphs_of(original: Original, *, told_words: int = 0) -> tuple[Reading, list[Paragraph]]:
    reading = Reading(original.text, language="en")
    paragraphs = [
        each
        for each in reading.paragraphs
        if not each.is_break and sum(not spoken for spoken in reading.spoken[each.first_word : each.last_word]) >= told_words
    ]
    return reading, paragraphs


def inserted_at(original: Original, kind: str, at: int, text: str, *, material: PromptMaterial | None = None) -> Damaged:
    """As a paragraph of its own, or within one where `at` is in its middle."""
    whole = original.text[:at] + text + original.text[at:]
    start = at + len(text) - len(text.lstrip())
    place = Place(start, start + len(text.strip()))
    return Damaged(
        kind=kind, original=original, text=whole, material=material or original.material, places=(place,), undamaged_material=material
    )


def cast_of(original: Original) -> list[ReferenceText]:
    return [each for each in original.material.references if each.file.kind is ReferenceKind.CHARACTER]


def named_in(original: Original) -> Mapping[UUID, list[tuple[int, int, str]]]:
    """Where the text names each of the cast, when it names nobody else that way."""
    index = NameIndex([each.file for each in cast_of(original)], parts_of_names=True)
    places: dict[UUID, list[tuple[int, int, str]]] = {}
    for match in index.find(original.text):
        if len(match.file_ids) == 1:
            places.setdefault(match.file_ids[0], []).append((match.start, match.end, match.matched))
    return places


def is_woman(each: ReferenceText) -> bool:
    """By the sheet's pronouns, else by its titles and nouns."""
    words = re.findall(r"[a-z]+", f"{each.file.name} {' '.join(each.file.aliases)} {each.content.text}".lower())

    def more(hers: set[str], his: set[str]) -> int:
        return sum(word in hers for word in words) - sum(word in his for word in words)

    if stated := re.search(r"Gender: (female|male)", each.content.text):
        return stated[1] == "female"
    titles = {word.strip(".").lower() for word in each.file.name.split()}
    if titles & {"mrs", "miss", "lady", "mr", "sir", "lord", "dr"}:
        return bool(titles & {"mrs", "miss", "lady"})
    pronouns = more({"she", "her", "female"}, {"he", "his", "him", "male"})
    return (pronouns or more({"mrs", "miss", "lady", "wife", "daughter", "sister"}, {"mr", "sir", "lord", "dr", "bishop", "son"})) > 0


def filled(template: str, person: ReferenceText, **more: str) -> str:
    woman = is_woman(person)
    words = {"name": person.file.name, "he": "she" if woman else "he", "his": "her" if woman else "his", **more}
    return template.format(**words, He=words["he"].title(), His=words["his"].title(), him="her" if woman else "him")


def with_line(material: PromptMaterial, person: ReferenceText, line: str) -> tuple[ReferenceText, PromptMaterial]:
    text = f"{person.content.text}\n{line}"
    changed = replace(person, file=replace(person.file, sha256=f"{person.file.sha256} {line}"), content=indexed_once(text))
    references = tuple(changed if each.file.id == person.file.id else each for each in material.references)
    return changed, replace(material, references=references)


def inserted(original: Original, kind: str, insertions: Sequence[tuple[int, str]]) -> Damaged:
    text, places, shift = original.text, [], 0
    for at, inserted in insertions:
        text = text[: at + shift] + inserted + text[at + shift :]
        begin = at + shift + len(inserted) - len(inserted.lstrip())
        places.append(Place(begin, begin + len(inserted.strip())))
        shift += len(inserted)
    return Damaged(kind=kind, original=original, text=text, material=original.material, places=tuple(places))
