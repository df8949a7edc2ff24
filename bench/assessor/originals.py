"""The chapters that are damaged, each with the project it belongs to: those of the frozen set, and those of any novels."""

import gzip
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid5

from bench.assessor.novel_file import chapters_of, read_novel, texts_of
from bench.volumes import a_chapter, a_file, a_project
from domain.assessing.metrics.reading import Reading
from domain.projects import PointOfView, Tense
from domain.prompting.index.text_index import IndexedText, indexed
from domain.prompting.material import ChapterText, PromptMaterial, ReferenceText
from domain.prompting.memory import ProjectMemory
from domain.reference_files import ReferenceKind

SET = Path(__file__).with_name("set")
_NAMESPACE = UUID("d2f0a1a6-6f35-4e0b-8a34-0f7c1d0f5e21")
FEWEST_WORDS, MOST_WORDS = 1_800, 6_000
CHAPTERS_BEFORE = 12
"""Of other novels, as many earlier chapters as a session of work would hold in memory."""

NARRATORS: Mapping[str, str] = {"the-gambler": "Alexis Ivanovitch", "the-sign-of-the-four": "Watson"}
"""Novels told in the first person, with who tells them."""

KEPT_OF_A_SENTENCE = 0.55
ABSENT_BEATS: Sequence[str] = (
    "A fire breaks out in the stables at midnight, and the servants carry buckets from the river.",
    "Two poachers are caught with a sack of hares and are brought before the squire at breakfast.",
    "A wandering fiddler teaches the village children a sailors' hornpipe at the harvest supper.",
    "A balloon drifts over the roofs, and the aeronaut throws down handbills for a circus with elephants.",
    "A comet is seen above the spire, and the choirboys sell telescopes made of pasteboard.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """`contradiction`: what stands in the text, and what contradicts an earlier fact instead; None where no such thing is known."""

    name: str
    text: str
    material: PromptMaterial
    absent_beat: str
    contradiction: tuple[str, str] | None = None
    dead: Sequence[UUID] = ()


def frozen() -> Iterator[Original]:
    projects = tomllib.loads((SET / "projects.toml").read_text(encoding="utf-8"))
    texts = {int(number): text for number, text in json.loads(gzip.decompress((SET / "chapters.json.gz").read_bytes())).items()}
    for each in projects["chapter"]:
        number = each["number"]
        project_id = uuid5(_NAMESPACE, f"frozen {number}")
        references = tuple(_sheet(project_id, name, sheet["aliases"], sheet["text"]) for name, sheet in each["cast"].items())
        project = replace(a_project(project_id, "Barsetshire"), point_of_view=PointOfView.THIRD_OMNISCIENT, tense=Tense.PAST)
        chapter = a_chapter(project_id, number, title=each["title"])
        material = PromptMaterial(
            project=project,
            chapter=replace(chapter, brief=each["brief"].strip(), target_word_count=each["target"]),
            references=references,
            earlier=tuple(_earlier(project_id, before, texts[before]) for before in sorted(texts) if number - 3 < before < number),
            memory=ProjectMemory(),
        )
        dead = [each.file.id for each in references if any(word in each.content.text.lower() for word in ("dead", "died", "killed"))]
        contradiction = each["contradiction"]["says"], each["contradiction"]["instead"]
        yield Original(
            name=f"barsetshire {number}",
            text=texts[number],
            material=material,
            absent_beat=each["absent_beat"],
            contradiction=contradiction,
            dead=[file_id for file_id in dead if not _mentions_death_of_another(references, file_id)],
        )


def of_novels(folder: Path, names: Sequence[str], *, every: int = 3) -> Iterator[Original]:
    """Every so-and-so-many-th chapter. Sheets are the novels' own, cast and facts as far as they were known; see the README for the briefs."""
    for path in sorted(folder.glob("*.json.gz")):
        name = path.name.partition(".")[0]
        if ".mentions." not in path.name and (not names or name in names):
            yield from _of_novel(read_novel(path), every)


def _of_novel(novel: Mapping[str, Any], every: int) -> Iterator[Original]:
    texts, first_section = texts_of(novel), {}
    for section, chapter in chapters_of(novel).items():
        first_section.setdefault(chapter, section)
    project_id = uuid5(_NAMESPACE, novel["novel"])
    narrator = NARRATORS.get(novel["novel"])
    memory = ProjectMemory()
    project = replace(
        a_project(project_id, novel["novel"]),
        point_of_view=PointOfView.FIRST if narrator else PointOfView.THIRD_OMNISCIENT,
        tense=Tense.PAST,
    )
    numbers = [number for number in sorted(texts) if FEWEST_WORDS <= len(texts[number].split()) <= MOST_WORDS][1::every]
    for number in numbers:
        random = Random(f"{novel['novel']} {number}")
        text = texts[number]
        sheets = [
            _sheet(project_id, version["names"][0], version["names"][1:], version["text"], kind=entity["kind"])
            for entity in novel["entities"]
            if (version := _known_at(entity, first_section[number])) is not None
        ]
        before = [earlier for earlier in sorted(texts) if earlier < number][-CHAPTERS_BEFORE:]
        chapter = replace(
            a_chapter(project_id, number),
            brief=_brief(text, random),
            target_word_count=max(500, round(len(text.split()), -2)),
            point_of_view_character=narrator,
        )
        material = PromptMaterial(
            project=project,
            chapter=chapter,
            references=tuple(sheets),
            earlier=tuple(_earlier(project_id, each, texts[each]) for each in before),
            memory=memory,
        )
        yield Original(name=f"{novel['novel']} {number}", text=text, material=material, absent_beat=random.choice(ABSENT_BEATS))


def _brief(text: str, random: Random) -> str:
    """Six of the chapter's told sentences, one from each sixth of it, of each about half of the words, in another order."""
    reading = Reading(text, language="en")
    told = [sentence for sentence in reading.told_sentences() if 12 <= sentence.length <= 45]
    beats = []
    for part in range(6):
        members = told[part * len(told) // 6 : (part + 1) * len(told) // 6]
        if members:
            sentence = random.choice(members)
            words = reading.raw[sentence.first_word : sentence.last_word]
            kept = random.sample(words, max(6, round(KEPT_OF_A_SENTENCE * len(words))))
            beats.append("- " + " ".join(kept).replace(".", "") + ".")
    return "\n".join(beats)


def _known_at(entity: Mapping[str, Any], section: int) -> Mapping[str, Any] | None:
    versions = [version for version in entity["versions"] if version["from"] <= section]
    return versions[-1] if versions else None


def _mentions_death_of_another(references: Sequence[ReferenceText], file_id: UUID) -> bool:
    text = next(each.content.text for each in references if each.file.id == file_id)
    return "His father" in text


def _sheet(project_id: UUID, name: str, aliases: Sequence[str], text: str, *, kind: str = "character") -> ReferenceText:
    file_kind = ReferenceKind.CHARACTER if kind == "character" else ReferenceKind.WORLD
    file_id = uuid5(project_id, f"{kind} {name}")
    file = a_file(file_id, project_id, file_kind, name, text, aliases=tuple(aliases), tokens=len(text) // 4)
    return ReferenceText(file=file, content=indexed_once(text))


def _earlier(project_id: UUID, number: int, text: str) -> ChapterText:
    chapter = a_chapter(project_id, number)
    return ChapterText(chapter=chapter, version_id=uuid5(chapter.id, "version"), content=indexed_once(text))


@cache
def indexed_once(text: str) -> IndexedText:
    return indexed(text)
