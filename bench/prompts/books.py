"""The books that prompts are measured on: written by `prose`, or the projects of a context benchmark."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID, uuid5

from bench.context.state import States
from bench.prompts.prose import TITLES, Prose
from bench.volumes import a_chapter, a_file, a_project
from domain.projects import Genre, Project
from domain.prompting.index.text_index import indexed
from domain.prompting.material import ChapterText, PromptMaterial, ReferenceText
from domain.reference_files import ReferenceKind

_NAMESPACE = UUID("0d0c2f0e-33a5-4a6b-8a37-6a1f6c7b1c52")
CHAPTER_WORDS = 3_900
SUMMARY_WORDS = 60
BRIEFS = 40
REPEATED = 3
"""Of each brief's words, a sentence of so many earlier chapters comes back in it."""


@dataclass(frozen=True, slots=True)
class Book:
    """What prompts are made of, and the briefs for them. `rewritten`: another text of the last chapter, whichever number one asks for."""

    name: str
    material: PromptMaterial
    briefs: Sequence[str]
    rewritten: Callable[[int], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    name: str
    chapters: int
    characters: int
    places: int
    notes: int


NOVEL = Size(name="a novel", chapters=40, characters=60, places=20, notes=20)
SERIES = Size(name="a series", chapters=280, characters=450, places=60, notes=60)


def written(size: Size) -> Book:
    """The same book for the same size."""
    prose = Prose(seed=7)
    project = _project(size)
    people, places = prose.names(2 * size.characters), prose.names(size.places)
    cast = [f"{first} {last}" for first, last in zip(people[::2], people[1::2], strict=True)]
    references = [
        *(_sheet(prose, project, number, cast) for number in range(size.characters)),
        *(_file(prose, project, ReferenceKind.WORLD, name, names=cast[:8], words=150) for name in places),
        *(_file(prose, project, ReferenceKind.RESEARCH, f"Notes {number}", words=350) for number in range(size.notes)),
    ]
    topics = [prose.topic() for _ in range(size.chapters + 1)]
    earlier = [_written_chapter(prose, project, number, topics[number], _about(prose, cast, places)) for number in range(size.chapters)]
    chapter = replace(a_chapter(project.id, size.chapters + 1), point_of_view_character=cast[0])
    material = PromptMaterial(project=project, chapter=chapter, references=tuple(references), earlier=tuple(earlier))

    def rewritten(number: int) -> str:
        own = Prose(seed=1_000 + number)
        return own.text(CHAPTER_WORDS, topic=topics[-1], names=_about(own, cast, places))

    return Book(size.name, material, [_brief(prose, material, topics, cast) for _ in range(BRIEFS)], rewritten)


def read(folder: Path) -> Book:
    """The largest project in a folder of a context benchmark's cases, with the briefs that it has for the same novel."""
    states = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((folder / "projects").glob("*.json"))]
    largest = max(states, key=lambda state: sum(item["tokens"] for item in state["items"]))
    novel_of = {state["project"]: state["novel"] for state in states}
    lines = (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    briefs = dict.fromkeys(case["brief"] for case in map(json.loads, lines) if novel_of[case["project"]] == largest["novel"])
    material = States().read(largest).material
    last = material.earlier[-1].content.text
    return Book(largest["project"], material, list(briefs)[:BRIEFS], lambda number: f"{last}\n\nAnd so it was, {number + 1} times over.")


def tokens_of(book: Book, count: Callable[[str], int]) -> int:
    return sum(count(text.content.text) for text in (*book.material.references, *book.material.earlier))


def _about(prose: Prose, cast: Sequence[str], places: Sequence[str]) -> list[str]:
    """Who and what a chapter names, the foremost first: a few of the main cast and some others, mostly by their first names."""
    main = prose.random.sample(cast[:12], 5)
    others = prose.random.sample(cast[12:], 6)
    return [*(name.split()[0] for name in main), *main[:2], *prose.random.sample(places, 2), *(name.split()[1] for name in others), *others]


def _brief(prose: Prose, material: PromptMaterial, topics: Sequence[Sequence[str]], cast: Sequence[str]) -> str:
    """Sentences about new and old matters, with a few of the cast, and the wording of a few sentences from far back."""
    random = prose.random
    names = [name.split()[0] for name in random.sample(cast, 3)]
    sentences = [prose.sentence(random.choice(topics), names) for _ in range(4)]
    for text in random.sample(material.earlier[:-4], REPEATED):
        line = random.choice(text.content.text.split(". ")).strip("“” \n")
        sentences.append(" ".join(line.split()[:8]) + ".")
    return " ".join(sentences)


def _sheet(prose: Prose, project: Project, number: int, cast: Sequence[str]) -> ReferenceText:
    name = cast[number]
    aliases = (f"{prose.random.choice(TITLES)} {name.split()[1]}", name.split()[0])
    related = prose.random.sample(cast, 4)
    return _file(prose, project, ReferenceKind.CHARACTER, name, aliases=aliases, names=related, words=prose.random.randint(120, 450))


def _file(
    prose: Prose,
    project: Project,
    kind: ReferenceKind,
    name: str,
    *,
    words: int,
    names: Sequence[str] = (),
    aliases: tuple[str, ...] = (),
) -> ReferenceText:
    text = f"# {name}\n\n{prose.text(words, topic=prose.topic(), names=names)}"
    file_id = uuid5(project.id, f"{kind} {name}")
    file = a_file(file_id, project.id, kind, name, text, aliases=aliases, tokens=round(1.3 * words))
    return ReferenceText(file=file, content=indexed(text))


def _written_chapter(prose: Prose, project: Project, number: int, topic: Sequence[str], names: Sequence[str]) -> ChapterText:
    chapter = replace(
        a_chapter(project.id, number + 1),
        title=" ".join(topic[:3]).title(),
        summary=prose.text(SUMMARY_WORDS, topic=topic, names=names),
    )
    content = indexed(prose.text(CHAPTER_WORDS, topic=topic, names=names))
    return ChapterText(chapter=chapter, version_id=uuid5(chapter.id, "version"), content=content)


def _project(size: Size) -> Project:
    return a_project(
        uuid5(_NAMESPACE, size.name),
        "A book to measure on",
        genre=Genre.LITERARY,
        premise="Somebody comes home, and nothing is as it was.",
        style_notes="Short sentences.",
    )
