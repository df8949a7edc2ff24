"""Which findings a revision answers by itself: the severest, spread over the text, and always the same."""

import random
from uuid import UUID

from domain.assessing.assessment import Finding, FindingSeverity
from domain.assessing.revising.choosing import MOST_FINDINGS, worth_revising
from tests.domain.assessing.revising.findings import issue

TEXT = " ".join(f"Sentence number {number:03} is here." for number in range(300))
BLOCKING, MAJOR, MINOR, NOTE = FindingSeverity


def finding(number, severity=MINOR, *, dismissed=False, at=None):
    place = number if at is None else at
    found = issue("", message="Missing.", severity=severity) if place < 0 else issue(f"number {place:03}", TEXT, severity=severity)
    return Finding(
        id=UUID(int=number + 1_000),
        project_id=UUID(int=1),
        chapter_id=UUID(int=2),
        assessment_id=UUID(int=3),
        position=number,
        issue=found,
        dismissed=dismissed,
    )


def places(findings):
    return [each.position for each in findings]


def test_the_severest_come_first_and_notes_never():
    findings = [finding(1), finding(2, NOTE), finding(3, MAJOR), finding(4, BLOCKING), finding(5, MAJOR)]
    assert places(worth_revising(findings))[0] == 4
    assert set(places(worth_revising(findings))[1:3]) == {3, 5}
    assert places(worth_revising(findings))[3:] == [1]


def test_dismissed_findings_are_never_chosen():
    assert worth_revising([finding(1, BLOCKING, dismissed=True), finding(2, dismissed=True)]) == []


def test_what_is_missing_is_worth_it_unless_it_is_minor():
    findings = [finding(1, MINOR, at=-1), finding(2, MAJOR, at=-1), finding(3, BLOCKING, at=-1)]
    assert places(worth_revising(findings)) == [3, 2]


def test_no_more_than_the_limit():
    findings = [finding(number) for number in range(100)]
    assert len(worth_revising(findings)) == MOST_FINDINGS
    assert len(worth_revising(findings, limit=3)) == 3
    assert worth_revising(findings, limit=0) == []
    assert len(worth_revising([*findings, *(finding(number, BLOCKING) for number in range(200, 240))], limit=20)) == 20


def test_they_are_spread_over_the_text():
    crowded = [*range(20), 100, 200, 299]
    chosen = places(worth_revising([finding(number) for number in crowded], limit=4))
    assert sorted(chosen) == [0, 100, 200, 299]


def test_minor_ones_are_spread_away_from_what_the_severe_ones_cover():
    findings = [finding(10, BLOCKING), finding(11), finding(12), finding(250)]
    assert places(worth_revising(findings, limit=2)) == [10, 250]


def test_the_order_in_which_they_are_given_does_not_matter():
    chance = random.Random(4)
    findings = [finding(number, chance.choice(list(FindingSeverity)), at=chance.choice([-1, *range(300)])) for number in range(60)]
    expected = places(worth_revising(findings))
    for _ in range(20):
        assert places(worth_revising(chance.sample(findings, len(findings)))) == expected
