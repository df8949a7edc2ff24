"""What judgements and metrics come to: a score with its interval, dimensions, and every finding once."""

from itertools import permutations
from uuid import UUID

import pytest

from domain.assessing.assessment import FindingCategory, FindingEvidence, FindingSeverity, FoundIssue, Measurement
from domain.assessing.judging.answer import Judgement
from domain.assessing.judging.concern import Concern
from domain.assessing.judging.parts import Part
from domain.assessing.judging.verdict import MEASURED, combine
from domain.assessing.quotes import Place
from domain.prompting.receipts import Source, SourceKind

WHOLE = Part(number=1, of=1, start=0, end=1_000)
SOURCE = Source(SourceKind.REFERENCE_FILE, UUID(int=11))


def issue(start=None, end=None, category="PROSE", message="Why?", **changes):
    quote = "" if start is None else "x" * (end - start)
    return FoundIssue(
        category=FindingCategory(category),
        severity=FindingSeverity.MINOR,
        message=message,
        suggestion="",
        quote=quote,
        start=start,
        end=end,
        **changes,
    )


def judged(concern=Concern.CRAFT, score=60, overall=60, part=WHOLE, findings=(), asked=()):
    return Judgement(
        concern=concern, part=part, score=score, overall=overall, rationale=f"{concern} {score}.", findings=findings, asked=asked
    )


def measured(score=70.0, *findings):
    return Measurement(metrics=(), findings=findings, score=score)


def four(*overall, **changes):
    return [judged(concern, overall=reading, **changes) for concern, reading in zip(Concern, overall, strict=True)]


def test_the_score_is_three_parts_of_the_readings_and_one_part_measured():
    verdict = combine(four(52, 58, 61, 69), measured(80.0))
    assert verdict.score == 65.0  # (3 x 60 + 80) / 4
    assert (verdict.low, verdict.high) == (56.7, 73.3)  # 2.353 x 7.071 / 2 = 8.32 to each side


def test_readings_that_agree_still_leave_three_points_to_each_side():
    verdict = combine(four(60, 60, 60, 60), measured(60.0))
    assert (verdict.low, verdict.score, verdict.high) == (57.0, 60.0, 63.0)


@pytest.mark.parametrize(("readings", "score"), [((0, 0, 0, 0), 0.0), ((100, 100, 100, 100), 100.0), ((0, 100, 0, 100), 50.0)])
def test_the_interval_stays_on_the_scale(readings, score):
    verdict = combine(four(*readings), measured(score))
    assert verdict.score == score
    assert 0.0 <= verdict.low <= verdict.score <= verdict.high <= 100.0


def test_without_judgements_the_metrics_speak_alone():
    verdict = combine([], measured(66.0, issue(3, 5)))
    assert (verdict.low, verdict.score, verdict.high) == (66.0, 66.0, 66.0)
    assert [each.name for each in verdict.dimensions] == [MEASURED]
    assert verdict.findings == (issue(3, 5),)


def test_each_concern_is_a_dimension_and_so_are_the_metrics():
    verdict = combine([judged(concern, score) for concern, score in zip(Concern, (40, 50, 60, 70), strict=True)], measured(80.0))
    assert [(each.name, each.score) for each in verdict.dimensions] == [
        ("Facts and continuity", 40.0),
        ("The brief", 50.0),
        ("Craft", 60.0),
        ("Voice", 70.0),
        ("Measured", 80.0),
    ]
    assert verdict.dimensions[0].rationale == "FACTS 40."


def test_parts_count_by_their_length():
    long, short = Part(number=1, of=2, start=0, end=900), Part(number=2, of=2, start=900, end=1_200)
    verdict = combine([judged(score=80, part=short), judged(score=40, part=long)], measured())
    craft = verdict.dimensions[0]
    assert craft.score == 50.0
    assert craft.rationale == "Part 1: CRAFT 40. Part 2: CRAFT 80."


def test_findings_come_in_the_texts_order_and_what_is_missing_comes_last():
    verdict = combine(
        [judged(findings=(issue(50, 60), issue(category="BRIEF"), issue(5, 9)))], measured(70.0, issue(20, 30), issue(70, 80))
    )
    assert [each.start for each in verdict.findings] == [5, 20, 50, 70, None]


def test_of_the_same_place_and_category_the_judges_finding_is_kept():
    judge, metric = issue(10, 30, message="A stock phrase."), issue(25, 28, message="Listed.", metric="stock phrases")
    assert combine([judged(findings=(judge,))], measured(70.0, metric)).findings == (judge,)
    other = issue(25, 28, category="STYLE", metric="adverbs")
    beside = issue(30, 33, metric="stock phrases")
    assert set(combine([judged(findings=(judge,))], measured(70.0, other, beside)).findings) == {judge, other, beside}


def test_what_two_concerns_say_of_one_place_is_kept_twice_only_if_it_is_of_two_kinds_or_against_two_sources():
    one, same, other = issue(10, 30), issue(10, 30, message="In other words."), issue(10, 30, category="CHARACTER")
    against = issue(10, 30, conflicts_with=FindingEvidence(SOURCE, "left-handed"))
    again = issue(10, 30, message="Again.", conflicts_with=FindingEvidence(SOURCE, "Left-handed"))
    verdict = combine([judged(findings=(one, against)), judged(Concern.VOICE, findings=(same, other, again))], measured())
    assert set(verdict.findings) == {one, other, against}


def missing(message):
    return issue(category="BRIEF", message=message)


def in_parts(*asked):
    """A judgement of the brief for each part, each of which misses these words of it."""
    parts = [Part(number=number, of=len(asked), start=100 * number, end=100 * number + 100) for number in range(1, len(asked) + 1)]
    return [
        judged(Concern.BRIEF, part=part, findings=tuple(one for one, _ in told), asked=tuple(told))
        for part, told in zip(parts, asked, strict=True)
    ]


def test_a_chapter_in_parts_misses_only_what_every_part_misses_and_says_so_once():
    lamp, lamps, boat = missing("No lamp."), missing("Where is the lamp?"), missing("No boat.")
    judgements = in_parts([(lamp, Place(10, 30)), (boat, Place(40, 50))], [(lamps, Place(12, 25))])
    assert combine(judgements, measured()).findings == (lamp,)
    assert combine(in_parts([(lamp, Place(10, 30))], [], [(lamps, Place(12, 25))]), measured()).findings == ()


def test_a_chapter_in_one_part_misses_what_the_judge_says():
    lamp, boat = missing("No lamp."), missing("No boat.")
    assert set(combine([judged(Concern.BRIEF, findings=(lamp, boat), asked=((lamp, Place(1, 5)),))], measured()).findings) == {lamp, boat}


def test_the_order_of_the_judgements_changes_no_number_and_no_place():
    judgements = [
        judged(concern, 40 + number, 50 + number, findings=(issue(number, number + 2),)) for number, concern in enumerate(Concern)
    ]
    assert len({combine(order, measured(60.0, issue(90, 95))) for order in permutations(judgements)}) == 1
