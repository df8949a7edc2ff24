"""What a text tells again: passages of earlier chapters, and passages of its own."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domain.assessing.assessment import FindingCategory, FindingEvidence, FindingSeverity, FoundIssue
from domain.assessing.metrics.metric import Better, Measured, Metric
from domain.assessing.metrics.pointing import MOST_FINDINGS, foremost, found, words_place
from domain.assessing.metrics.reading import Reading
from domain.assessing.metrics.shingles import SHINGLE_WORDS, earlier_shingles, holds, shingles_of, sorted_shingles
from domain.assessing.quotes import Place
from domain.prompting.material import ChapterText, PromptMaterial
from domain.prompting.receipts import Source, SourceKind

LEAST_RUN = 12
"""Words in a row. Shorter ones are stock phrases, formulas of address and tags, in every novel."""

LONG_RUN = 40
QUOTED_RUN = 30
SAMPLE = 40
"""Shingles of a passage by which it is decided which chapter it comes from."""

LEAST_DIFFERENT = 7
"""Different words of a run, below which it is a refrain: "no, no, no, no"."""


@dataclass(frozen=True, slots=True)
class Run:
    """Words `first` to before `last`, with the first word of where they stand already when that is in the same text."""

    first: int
    last: int
    before: int = 0

    @property
    def length(self) -> int:
        return self.last - self.first


def _retelling(reading: Reading, material: PromptMaterial) -> Measured | None:
    numbers = shingles_of(reading)
    if not material.earlier or not numbers:
        return None
    known = earlier_shingles(material)
    told_before = [known.holds(number) for number in numbers]
    runs = [run for run in _runs(told_before) if run.length >= _least_run(reading) and _says_something(reading, run)]
    longest = sorted(runs, key=lambda run: -run.length)[:MOST_FINDINGS]
    return Measured(sum(told_before) / len(numbers), foremost(_retold(reading, material, numbers, run) for run in longest))


def _retold(reading: Reading, material: PromptMaterial, numbers: Sequence[int], run: Run) -> FoundIssue:
    chapter = _most_alike(material, numbers[run.first : run.last - SHINGLE_WORDS + 1])
    where = f"chapter {chapter.chapter.position}"
    return found(
        reading,
        words_place(reading, run.first, run.last),
        FoundIssue(
            metric="retelling",
            category=FindingCategory.PROSE,
            severity=FindingSeverity.MAJOR if run.length > LONG_RUN else FindingSeverity.MINOR,
            message=f"These {run.length} words stand in {where} already.",
            suggestion="Leave the passage out, or tell only what is new in it.",
            conflicts_with=_evidence(chapter, reading.words[run.first : run.last]),
        ),
    )


def _most_alike(material: PromptMaterial, numbers: Sequence[int]) -> ChapterText:
    """The chapter that has most of these shingles, or of a sample of them; of several, the latest."""
    sample = numbers[:: max(1, len(numbers) // SAMPLE)]
    return max(
        reversed(material.earlier),
        key=lambda chapter: sum(holds(sorted_shingles(material, chapter), number) for number in sample),
    )


def _evidence(chapter: ChapterText, words: Sequence[str]) -> FindingEvidence | None:
    """The words in the chapter's own typing. None where it has them only in pieces."""
    spelled = (re.escape(word).replace("'", "['’]") for word in words[:LONG_RUN])  # noqa: RUF001  - apostrophes as typed
    match = re.compile(r"[\W_]*".join(spelled), re.IGNORECASE).search(chapter.content.text)
    return None if match is None else FindingEvidence(Source(SourceKind.CHAPTER_VERSION, chapter.version_id), match[0])


def _repeated_text(reading: Reading, material: PromptMaterial) -> Measured | None:  # noqa: ARG001  - a metric's signature
    numbers = shingles_of(reading)
    if not numbers:
        return None
    runs = [
        run
        for run in _repeats(numbers)
        if run.length >= _least_run(reading) and _says_something(reading, run) and not _is_quoted(reading, run)
    ]
    repeated = sum(run.length for run in runs)
    return Measured(repeated / len(reading.words), foremost(_told_twice(reading, run) for run in runs))


def _told_twice(reading: Reading, run: Run) -> FoundIssue:
    begins = words_place(reading, run.before, run.before + SHINGLE_WORDS)
    return found(
        reading,
        words_place(reading, run.first, run.last),
        FoundIssue(
            metric="repeatedText",
            category=FindingCategory.PROSE,
            severity=FindingSeverity.MAJOR,
            message=f"These {run.length} words stand in this chapter already, from “{_one_line(reading.text, begins)} …” on.",
            suggestion="Keep one of the two passages.",
        ),
    )


def _repeats(numbers: Sequence[int]) -> Iterator[Run]:
    """Where shingles come again in the order in which they stood, the later place each time, as long as possible and without overlaps."""
    places: dict[int, int] = {}
    at = 0
    while at < len(numbers):
        before = places.setdefault(numbers[at], at)
        length = 0
        # A place may not run into itself: of "ha ha ha ha" nothing is repeated.
        while at + length < len(numbers) and before + length + SHINGLE_WORDS <= at and numbers[before + length] == numbers[at + length]:
            length += 1
        if length:
            yield Run(at, at + length + SHINGLE_WORDS - 1, before)
        at += max(1, length)


def _runs(held: Sequence[bool]) -> Iterator[Run]:
    first: int | None = None
    for place, is_held in enumerate([*held, False]):
        if is_held and first is None:
            first = place
        elif not is_held and first is not None:
            yield Run(first, place + SHINGLE_WORDS - 1)
            first = None


def _least_run(reading: Reading) -> int:
    """Where a word is one character, twelve are half a sentence."""
    return LEAST_RUN if reading.spaced else 2 * LEAST_RUN


def _says_something(reading: Reading, run: Run) -> bool:
    return len(set(reading.words[run.first : run.last])) >= LEAST_DIFFERENT


def _is_quoted(reading: Reading, run: Run) -> bool:
    """Whether somebody may only be quoting what was said or read before, as people do with a sentence."""
    if run.length >= QUOTED_RUN:
        return False
    spoken = any(reading.spoken[run.first : run.last]) or any(reading.spoken[run.before : run.before + run.length])
    return spoken or _is_verse(reading, run.first, run.length) or _is_verse(reading, run.before, run.length)


def _is_verse(reading: Reading, first: int, length: int) -> bool:
    """Whether the words stand in short lines, as a verse does that is read out a second time."""
    place = words_place(reading, first, first + length)
    lines = sum(bool(line.strip()) for line in reading.text[place.start : place.end].split("\n"))
    return lines > 1 and length < LEAST_RUN * lines


def _one_line(text: str, place: Place) -> str:
    return " ".join(text[place.start : place.end].split())


RETELLING = Metric(
    name="retelling",
    unit="share",
    description="How much of the chapter stood word for word in earlier chapters.",
    better=Better.LOWER,
    noise=0.005,
    take=_retelling,
)
REPEATED_TEXT = Metric(
    name="repeatedText",
    unit="share",
    description="How much of the chapter stands in it twice.",
    better=Better.LOWER,
    noise=0.002,
    take=_repeated_text,
)
