"""What all judgements of a chapter, and its metrics, come to.

Every call ends with an overall score of its own. So the chapter is read four times without being sent once more for it, and how far these
readings lie apart says how sure the score is. One number by one model decides nothing here: three parts of the score are the mean of the
readings, one part is measured.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import fsum

from domain.assessing.assessment import DimensionScore, FindingCategory, FoundIssue, Measurement
from domain.assessing.judging.answer import Judgement
from domain.assessing.judging.concern import Concern, rubrics
from domain.assessing.judging.confidence import half_width, mean
from domain.assessing.judging.findings import key_of
from domain.assessing.quotes import Place

JUDGED_SHARE = 0.75
MEASURED = "Measured"
_DIGITS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Scores are 0..100, and `low` <= `score` <= `high`; `findings` are in the text's order, what is missing from it behind them."""

    score: float
    low: float
    high: float
    dimensions: tuple[DimensionScore, ...]
    findings: tuple[FoundIssue, ...]


def combine(judgements: Sequence[Judgement], measurement: Measurement) -> Verdict:
    """The total with its interval, a dimension for each concern and one for the metrics, and all findings.

    Score: (3 x the mean of the overall readings + the measured score) / 4. Interval: as wide as Student's interval at 90 % for that mean,
    at least 3 points to each side, and not beyond 0 and 100. It is not narrowed for the measured part: readings by one model vary less
    than opinions do. Without judgements, the score is the measured one, and the interval has no width.
    """
    dimensions = (*_dimensions(judgements), _measured(measurement))
    findings = tuple(_findings(judgements, measurement))
    if not judgements:
        score = _rounded(measurement.score)
        return Verdict(score=score, low=score, high=score, dimensions=dimensions, findings=findings)
    readings = [float(each.overall) for each in judgements]
    score, half = JUDGED_SHARE * mean(readings) + (1 - JUDGED_SHARE) * measurement.score, half_width(readings)
    return Verdict(score=_rounded(score), low=_rounded(score - half), high=_rounded(score + half), dimensions=dimensions, findings=findings)


def _dimensions(judgements: Sequence[Judgement]) -> Iterator[DimensionScore]:
    """The concerns that were judged, each with the mean over the parts, weighted with their lengths."""
    for concern in Concern:
        own = sorted((each for each in judgements if each.concern is concern), key=lambda each: each.part.start)
        if not own:
            continue
        lengths = [max(1, each.part.end - each.part.start) for each in own]
        score = fsum(each.score * length for each, length in zip(own, lengths, strict=True)) / sum(lengths)
        named = [(f"Part {each.part.number}: " if each.part.of > 1 else "") + each.rationale for each in own if each.rationale]
        yield DimensionScore(name=rubrics().of[concern].title, score=_rounded(score), rationale=" ".join(named))


def _measured(measurement: Measurement) -> DimensionScore:
    rationale = " ".join(("What the metrics say of the text, without a model.", *measurement.notes))
    return DimensionScore(name=MEASURED, score=_rounded(measurement.score), rationale=rationale)


def _findings(judgements: Sequence[Judgement], measurement: Measurement) -> Iterator[FoundIssue]:
    """The judge's and the metrics', each once: of the same place and category the judge's, which explains more."""
    judged: dict[tuple[object, ...], FoundIssue] = {}
    for each in judgements:
        for issue in each.findings:
            if issue.start is not None or _is_missing_everywhere(issue, each, judgements):
                judged.setdefault((issue.category, *key_of(issue)), issue)
    once = _once_for_the_brief(judged.values(), judgements)
    taken = [(issue.category, Place(issue.start, issue.end)) for issue in once if issue.start is not None and issue.end is not None]
    measured = [issue for issue in measurement.findings if not _is_taken(issue, taken)]
    yield from sorted([*once, *measured], key=_by_place)


def _is_missing_everywhere(issue: FoundIssue, judgement: Judgement, judgements: Sequence[Judgement]) -> bool:
    """Whether all parts miss it: each has a finding on the same words of the brief."""
    if judgement.part.of == 1:
        return True
    asked = _asked(issue, judgement)
    parts = {each.part.number for each in judgements if asked and any(_overlap(asked, place) for _, place in each.asked)}
    return len(parts) == judgement.part.of


def _once_for_the_brief(issues: Iterable[FoundIssue], judgements: Sequence[Judgement]) -> Sequence[FoundIssue]:
    """What several parts miss is missing once."""
    places = {issue: place for each in judgements for issue, place in each.asked}
    kept: list[FoundIssue] = []
    for issue in issues:
        asked = places.get(issue)
        told = [places[other] for other in kept if other in places]
        if asked is None or not any(_overlap(asked, place) for place in told):
            kept.append(issue)
    return kept


def _asked(issue: FoundIssue, judgement: Judgement) -> Place | None:
    return next((place for each, place in judgement.asked if each == issue), None)


def _is_taken(issue: FoundIssue, taken: Sequence[tuple[FindingCategory, Place]]) -> bool:
    if issue.start is None or issue.end is None:
        return False
    own = Place(issue.start, issue.end)
    return any(category is issue.category and _overlap(own, place) for category, place in taken)


def _overlap(one: Place, other: Place) -> bool:
    return one.start < other.end and other.start < one.end


def _by_place(issue: FoundIssue) -> tuple[bool, int, int, str, str]:
    return issue.start is None, issue.start or 0, issue.end or 0, issue.category, issue.message


def _rounded(score: float) -> float:
    return round(min(100.0, max(0.0, score)), _DIGITS)
