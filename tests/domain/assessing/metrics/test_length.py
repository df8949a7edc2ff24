"""A chapter is held against the length it is meant to have."""

import pytest

from domain.assessing.assessment import FindingSeverity
from domain.assessing.metrics.length import LENGTH_AGAINST_TARGET
from tests.domain.assessing.metrics.story_book import material, taken


@pytest.mark.parametrize(
    ("words", "severities"),
    [
        (34, [FindingSeverity.MAJOR]),
        (35, [FindingSeverity.MINOR]),
        (59, [FindingSeverity.MINOR]),
        (60, []),
        (160, []),
        (161, [FindingSeverity.MINOR]),
    ],
)
def test_far_too_short_is_worse_than_too_short_or_too_long(words, severities):
    measured = taken(LENGTH_AGAINST_TARGET, "word " * words, material(target=100))
    assert measured.value == words / 100
    assert [issue.severity for issue in measured.findings] == severities


def test_what_is_far_too_short_may_lack_a_scene():
    (issue,) = taken(LENGTH_AGAINST_TARGET, "", material(target=100)).findings
    assert "scene may be missing" in issue.suggestion


@pytest.mark.parametrize("target", [None, 0])
def test_without_a_target_nothing_is_measured(target):
    assert taken(LENGTH_AGAINST_TARGET, "word", material(target=target)) is None
