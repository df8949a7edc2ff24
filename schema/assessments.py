"""Assessments of chapter versions and what they found, as the API shows them."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import ID, Parent

from domain.assessing import assessment as domain
from domain.spending import Usage as UsageValue
from resolvers import assessments
from schema.enums import FindingCategory, FindingSeverity
from schema.fields import Info, attribute, field, loaded, required
from schema.node import Node
from schema.spending import Usage

if TYPE_CHECKING:
    from schema.chapters import Chapter, ChapterVersion
    from schema.jobs import Job


@strawberry.type(description="How good a version is in one respect.")
class DimensionScore:
    name: str = attribute("The respect, for people: one for each concern of the judge's rubric, and `Measured` for what the metrics say.")
    score: float = attribute("0 to 100.")
    rationale: str = attribute("Why, in a sentence or two.")


@strawberry.type(description="Something measured of the text itself: no model, no opinion, the same for the same text.")
class ProseMetric:
    name: str = attribute("What it is called, for programs; a name never changes its meaning.")
    value: float = attribute("What was measured.")
    unit: str = attribute("What it is measured in, such as `per 1,000 words`.")
    typical_low: float | None = attribute("The lower end of what is typical; null where nothing is typical, or lower is no worse.")
    typical_high: float | None = attribute("The upper end of what is typical; null where nothing is typical, or higher is no worse.")
    typical_source: str | None = attribute("What the typical range was measured on, for people; nine in ten of its chapters lie within it.")
    z_score: float | None = attribute(
        "How many standard deviations the value lies above the mean of the author's own FINAL chapters in this project; below 0 for one "
        "below it. Null before there are three of them."
    )
    description: str = attribute("What it measures and what it is good for, for a writer who knows no statistics.")


@strawberry.type(description="What a text contradicts.")
class FindingEvidence:
    quote: str = attribute("What it says, verbatim.")

    @field(Node, "Where it says that: a ReferenceFile, or a ChapterVersion of an earlier chapter or of the same one.")
    @staticmethod
    def source(parent: Parent[assessments.Conflict]) -> Any:
        return parent.source


@strawberry.type(
    description=(
        "Something to do about a version's text. Findings never change, but that they can be dismissed; a later assessment of the chapter "
        "finds its own, without those that say the same as a dismissed one."
    )
)
class Finding(Node):
    shows = domain.Finding

    dismissed: bool = attribute("Whether somebody has dismissed it: see `dismissFinding`.")

    assessment = loaded(
        Annotated["Assessment", strawberry.lazy("schema.assessments")],
        "The assessment that found it.",
        lambda loaders: loaders.assessments,
        by="assessment_id",
    )

    @field(FindingCategory, "What it is about.")
    @staticmethod
    def category(parent: Parent[domain.Finding]) -> FindingCategory:
        return parent.issue.category

    @field(FindingSeverity, "How much it matters.")
    @staticmethod
    def severity(parent: Parent[domain.Finding]) -> FindingSeverity:
        return parent.issue.severity

    @field(str, "What is wrong, in a sentence or two.")
    @staticmethod
    def message(parent: Parent[domain.Finding]) -> str:
        return parent.issue.message

    @field(str, "The passage it is about, verbatim from the version's text; empty only for what is missing from the text.")
    @staticmethod
    def quote(parent: Parent[domain.Finding]) -> str:
        return parent.issue.quote

    @field(int | None, "Where the quote begins in the version's text, in Unicode code points; null without a quote.")
    @staticmethod
    def start(parent: Parent[domain.Finding]) -> int | None:
        return parent.issue.start

    @field(int | None, "Where the quote ends, in Unicode code points: the first one behind it. Null without a quote.")
    @staticmethod
    def end(parent: Parent[domain.Finding]) -> int | None:
        return parent.issue.end

    @field(
        FindingEvidence | None,
        "What the quote contradicts. Null for findings that contradict nothing, and as a whole once the reference file or version that it "
        "was found in has been deleted.",
    )
    @staticmethod
    async def conflicts_with(parent: Parent[domain.Finding], info: Info) -> assessments.Conflict | None:
        return await assessments.conflict_of(info.context, parent)

    @field(str, "What could be done about it.")
    @staticmethod
    def suggestion(parent: Parent[domain.Finding]) -> str:
        return parent.issue.suggestion

    @field(str | None, "Text that could stand instead of the quote, ready to use; null if there is none. Empty where the quote can go.")
    @staticmethod
    def replacement(parent: Parent[domain.Finding]) -> str | None:
        return parent.issue.replacement

    @field(str | None, "The name of the metric that found it, as in the assessment's `metrics`; null for what a judge has found.")
    @staticmethod
    def metric(parent: Parent[domain.Finding]) -> str | None:
        return parent.issue.metric


@strawberry.type(
    description=(
        "What was measured of a version, and, if a judge has read it, what that said. Assessments never change. Every version is measured "
        "when it is saved; `startAssessment` has it judged."
    )
)
class Assessment(Node):
    shows = domain.Assessment

    score: float = attribute("How good the version is as a whole: 0 to 100. Without a judge, what the metrics alone come to.")
    score_low: float = attribute("The lower end of the interval in which repeated judging would put the score.")
    score_high: float = attribute("The upper end of it. Without a judge both ends are the score itself, for metrics do not vary.")
    dimensions: list[DimensionScore] = attribute("How good it is in several respects: the judge's rubric, and what was measured.", most=20)
    metrics: list[ProseMetric] = attribute(
        "What was measured of the text. Metrics that cannot be taken of it are left out: see `notes`.", most=30
    )
    notes: list[str] = attribute("What could not be measured or judged, and why, for people; empty if there was nothing.")
    judge: str | None = attribute("The model that judged; null when only the metrics were taken.")
    rubric: str | None = attribute(
        "The version of the rubric that it judged by: scores of one version can be compared. Null when only the metrics were taken."
    )
    rehearsal: bool = attribute("Whether the built-in stand-in judged instead of a language model: then scores and findings are made up.")
    usage: UsageValue = strawberry.field(graphql_type=Usage, description="What judging used; nothing where only the metrics were taken.")
    created_at: datetime = attribute("When it was made.")

    version = loaded(
        Annotated["ChapterVersion", strawberry.lazy("schema.chapters")],
        "The version it is of.",
        lambda loaders: loaders.versions,
        by="version_id",
    )

    job = loaded(
        Annotated["Job", strawberry.lazy("schema.jobs")] | None,
        "The job that made it; null for what was measured when a person saved the version.",
        lambda loaders: loaders.jobs,
        by="job_id",
    )

    findings = loaded(
        list[Finding],
        "What there is to do about the text, dismissed ones included. Where a judge has read it, in the text's order, and what is missing from "
        "it last; else metric by metric.",
        lambda loaders: loaders.findings_of_assessment,
        otherwise=(),
        most=100,
    )


@strawberry.type(description="A chapter with the assessment that speaks for it.")
class ChapterQuality:
    assessment: domain.Assessment = strawberry.field(
        graphql_type=Assessment,
        description=(
            "What a judge has said of its current version, or if no judge has read that, of another one lately; what was measured if no judge "
            "has read any."
        ),
    )
    stale: bool = attribute("Whether the assessment is not of the chapter's current version: its text has changed since.")

    chapter = loaded(
        Annotated["Chapter", strawberry.lazy("schema.chapters")], "The chapter.", lambda loaders: loaders.chapters, by="chapter_id"
    )


@strawberry.input(description="A finding that is to be left alone. For editors.")
class DismissFindingInput:
    finding_id: ID = required("The finding.")
    reason: str = required(
        "Why, for whoever reads it later: 1 to 2,000 characters, not blank. Dismissed again, a finding has the last reason."
    )
