"""Assessments: what was measured of a version, what a judge found in it, and how sure the score is.

Offsets are Unicode code points into the version's text, and `text[start:end]` is always the finding's `quote`, verbatim.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.prompting.receipts import Source
from domain.spending import Usage


class FindingSeverity(StrEnum):
    BLOCKING = "BLOCKING"
    MAJOR = "MAJOR"
    MINOR = "MINOR"
    NOTE = "NOTE"


class FindingCategory(StrEnum):
    CONTINUITY = "CONTINUITY"
    PLOT = "PLOT"
    CHARACTER = "CHARACTER"
    PACING = "PACING"
    PROSE = "PROSE"
    DIALOGUE = "DIALOGUE"
    STYLE = "STYLE"
    BRIEF = "BRIEF"


@dataclass(frozen=True, slots=True)
class FindingEvidence:
    """The other side of a contradiction: `quote` is verbatim from `source`."""

    source: Source
    quote: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundIssue:
    """Something to do about a text. `quote` is "" and the offsets None only for what is missing from it.

    `metric` names the metric that found it, and is None for a judge's finding. `replacement` could stand instead of the quote.
    """

    category: FindingCategory
    severity: FindingSeverity
    message: str
    suggestion: str
    quote: str = ""
    start: int | None = None
    end: int | None = None
    conflicts_with: FindingEvidence | None = None
    replacement: str | None = None
    metric: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProseMetric:
    """One measurement. The typical range is where nine in ten chapters of its `typical_source` lie; None where nothing is typical.

    `z_score`: how many standard deviations the value lies above the mean of the author's own accepted chapters; None before there
    are three of them.
    """

    name: str
    value: float
    unit: str
    description: str
    typical_low: float | None = None
    typical_high: float | None = None
    typical_source: str | None = None
    z_score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionScore:
    """0..100 in one respect, with the reason in a sentence or two."""

    name: str
    score: float
    rationale: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What the metrics alone say of a text. `score` is 0..100; `notes` says what could not be measured, and why."""

    metrics: tuple[ProseMetric, ...]
    findings: tuple[FoundIssue, ...]
    score: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """`judge` is None where only the metrics were taken; then the interval has no width. Scores are 0..100.

    `rubric` is the version of what the judge was asked: scores of one version can be compared with each other.
    """

    id: UUID
    project_id: UUID
    chapter_id: UUID
    version_id: UUID
    job_id: UUID | None
    score: float
    score_low: float
    score_high: float
    dimensions: tuple[DimensionScore, ...]
    metrics: tuple[ProseMetric, ...]
    notes: tuple[str, ...]
    judge: str | None
    rubric: str | None
    rehearsal: bool
    usage: Usage
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A found issue as it is kept: one of an assessment's, in the order in which they were found."""

    id: UUID
    project_id: UUID
    chapter_id: UUID
    assessment_id: UUID
    position: int
    issue: FoundIssue
    dismissed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChapterQuality:
    """A chapter with the assessment that speaks for it; `stale` when that is not of the chapter's current version."""

    chapter_id: UUID
    assessment: Assessment
    stale: bool
