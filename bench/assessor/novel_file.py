"""Novels as JSON: `{"novel", "sections": [{"k", "chapter"}], "passages": [[id, section, text, words]], "entities": [...]}`, gzipped.

Each line of a passage is a paragraph. A section is a chapter or a part of one; sections are numbered through.
"""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def read_novel(path: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    return found


def chapter_texts(path: Path) -> Mapping[int, str]:
    return texts_of(read_novel(path))


def texts_of(novel: Mapping[str, Any]) -> Mapping[int, str]:
    """By chapter, with blank lines between paragraphs."""
    chapters = chapters_of(novel)
    paragraphs: dict[int, list[str]] = {}
    for _, section, text, *_ in novel["passages"]:
        paragraphs.setdefault(chapters[section], []).extend(line.strip() for line in text.split("\n") if line.strip())
    return {chapter: "\n\n".join(lines) for chapter, lines in paragraphs.items()}


def chapters_of(novel: Mapping[str, Any]) -> Mapping[int, int]:
    """The chapter of each section."""
    return {section["k"]: section["chapter"] for section in novel["sections"]}
