"""`python -m bench.assessor.speed [--novels FOLDER]`: what measuring a text costs of a processor, against its limits.

Chapters of 5,000 words and a text of 120,000 in one piece, written by `bench.prompts.prose` or taken from novels, in a book with people,
places and forty earlier chapters. The project's memory is warm, as it is when a chapter is measured after it was written.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bench.assessor.novels import novels_in
from bench.prompts.books import NOVEL, written
from bench.prompts.prose import Prose
from bench.report import HEADING, row
from domain.assessing.metrics.measuring import METRICS, measure
from domain.assessing.metrics.metric import Metric
from domain.assessing.metrics.reading import Reading
from domain.projects import PointOfView, Tense
from domain.prompting.material import PromptMaterial

CHAPTER_WORDS, CHAPTER_SECONDS, CHAPTERS = 5_000, 0.05, 40
BOOK_WORDS, BOOK_SECONDS, BOOKS = 120_000, 2.0, 7


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.assessor.speed", description=__doc__)
    parser.add_argument("--novels", type=Path, metavar="FOLDER", help="measure chapters of these novels instead of written ones")
    asked = parser.parse_args()
    texts = _paragraphs(asked.novels) if asked.novels else _written()
    material = _with_settings(written(NOVEL).material)
    chapters = [_take(texts, CHAPTER_WORDS) for _ in range(CHAPTERS)]
    books = [_take(texts, BOOK_WORDS) for _ in range(BOOKS)]
    measure(chapters[0], material)
    print(HEADING.replace("milliseconds", "milliseconds of CPU"))
    chapter_seconds = [_seconds(chapter, material) for chapter in chapters]
    print(row(f"measuring a chapter of {CHAPTER_WORDS:,} words", chapter_seconds, limit=CHAPTER_SECONDS))
    print(row(f"measuring {BOOK_WORDS:,} words in one piece", [_seconds(book, material) for book in books], limit=BOOK_SECONDS))
    print(f"\n  of a chapter of {CHAPTER_WORDS:,} words:")
    print(row("taking it apart", [_reading_seconds(chapter) for chapter in chapters]))
    for metric in METRICS:
        print(row(metric.name, [_metric_seconds(metric, chapter, material) for chapter in chapters]))


def _with_settings(material: PromptMaterial) -> PromptMaterial:
    """Told in a person and a tense, for which every sentence is looked at."""
    return replace(material, project=replace(material.project, point_of_view=PointOfView.THIRD_LIMITED, tense=Tense.PAST))


def _seconds(text: str, material: PromptMaterial) -> float:
    begun = time.process_time()
    measure(text, material)
    return time.process_time() - begun


def _reading_seconds(text: str) -> float:
    begun = time.process_time()
    _read(text)
    return time.process_time() - begun


def _metric_seconds(metric: Metric, text: str, material: PromptMaterial) -> float:
    reading = _read(text)
    begun = time.process_time()
    metric.take(reading, material)
    return time.process_time() - begun


def _read(text: str) -> Reading:
    """With what all metrics share."""
    reading = Reading(text, language="en")
    assert reading.spaced, "a benchmark of words"
    assert reading.told >= 0
    return reading


def _written() -> Iterator[str]:
    prose = Prose(seed=11)
    topic, names = prose.topic(), prose.names(12)
    while True:
        yield from prose.text(CHAPTER_WORDS, topic=topic, names=names).split("\n\n")


def _paragraphs(folder: Path) -> Iterator[str]:
    """Of all chapters, over and over."""
    chapters: Sequence[str] = [chapter for novel in novels_in(folder) for chapter in novel.chapters]
    while True:
        for chapter in chapters:
            yield from chapter.split("\n\n")


def _take(paragraphs: Iterator[str], words: int) -> str:
    taken: list[str] = []
    count = 0
    while count < words:
        taken.append(next(paragraphs))
        count += len(taken[-1].split())
    return "\n\n".join(taken)


if __name__ == "__main__":
    main()
