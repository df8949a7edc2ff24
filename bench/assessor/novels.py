"""Public-domain novels as texts to measure: the files `*.json.gz` of a folder, each with the passages of one novel or series in order."""

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import UUID

from bench.volumes import a_chapter, a_project
from domain.prompting.material import PromptMaterial

FEWEST_WORDS = 800
"""Of a chapter that is measured: a shorter one says little about chapters."""

_LOST_APOSTROPHE = re.compile(r"(?<=\w) (s|t|ll|re|ve|d|m)\b")
_PROJECT = UUID("5b6b1a53-5b0c-4a53-9a57-2f6e3d7a9c11")


@dataclass(frozen=True, slots=True)
class Novel:
    name: str
    chapters: tuple[str, ...]

    @property
    def words(self) -> int:
        return sum(len(chapter.split()) for chapter in self.chapters)


def novels_in(folder: Path) -> Iterator[Novel]:
    """In the order of their names; also those in folders below."""
    for path in sorted(folder.rglob("*.json.gz"), key=lambda path: path.name):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            document = json.load(lines)
        if "passages" in document:
            yield Novel(path.name.partition(".")[0], tuple(_chapters(document)))


def material_without_a_book() -> PromptMaterial:
    """An English project that says nothing: what its texts are measured by is their own prose."""
    project = a_project(_PROJECT, "A book to measure on")
    return PromptMaterial(project=project, chapter=a_chapter(project.id, 1), references=(), earlier=())


def _chapters(document: dict[str, Any]) -> Iterator[str]:
    """Every line of these files is a paragraph. Where all apostrophes were lost, "didn t" is mended."""
    chapter_of = {section["k"]: section["chapter"] for section in document["sections"]}
    lost = not any("'" in passage[2] or "’" in passage[2] for passage in document["passages"])  # noqa: RUF001  - apostrophes as typed
    for _, passages in groupby(document["passages"], key=lambda passage: chapter_of[passage[1]]):
        text = "\n\n".join(passage[2].replace("\n", "\n\n") for passage in passages)
        text = _LOST_APOSTROPHE.sub(r"'\1", text) if lost else text
        if len(text.split()) >= FEWEST_WORDS:
            yield text
