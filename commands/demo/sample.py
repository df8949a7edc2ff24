"""The sample project: a short book with its cast, read from `sample/`."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "sample"

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """Inputs of the API's create mutations, without the ids that only the server knows; `next_chapter` is the one to be written."""

    project: Fields
    references: tuple[Fields, ...]
    chapters: tuple[Fields, ...]
    next_chapter: Fields


def read_sample(folder: Path = FOLDER) -> Sample:
    book = tomllib.loads((folder / "book.toml").read_text(encoding="utf-8"))
    return Sample(
        project=book["project"],
        references=tuple(_with_text(folder, entry, "content") for entry in book["reference"]),
        chapters=tuple(_with_text(folder, entry, "text") for entry in book["chapter"]),
        next_chapter=book["next_chapter"],
    )


def _with_text(folder: Path, entry: Fields, name: str) -> Fields:
    fields = {key: value for key, value in entry.items() if key != "file"}
    return {**fields, name: (folder / entry["file"]).read_text(encoding="utf-8").strip()}
