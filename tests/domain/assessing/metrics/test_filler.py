"""Passages in which nobody and nothing in particular is to be found."""

import pytest

from domain.assessing.assessment import FindingSeverity
from domain.assessing.metrics.filler import FILLER_PASSAGES
from tests.domain.assessing.metrics.story_book import quotes, taken

STORY = "Mara laid the ledger on the counter and turned the lamp down. Tobias kneaded the last of the dough."
EMPTY = (
    "Some things change, and others stay the same forever. Perhaps that was the meaning of it. "
    "Nobody ever knows the true reason for such things. It was simply the way of life."
)


def test_sentences_that_could_stand_in_any_book_are_found():
    (issue,) = taken(FILLER_PASSAGES, f"{STORY}\n\n{EMPTY}\n\n{STORY}").findings
    assert (issue.quote, issue.severity) == (EMPTY, FindingSeverity.MINOR)


def test_a_long_passage_weighs_more():
    (issue,) = taken(FILLER_PASSAGES, f"{STORY}\n\n{EMPTY} {EMPTY}\n\n{STORY}").findings
    assert issue.severity is FindingSeverity.MAJOR


def test_stock_phrases_close_together_are_found():
    stock = "Time seemed to stand still over the counter. The air was thick with flour. Little did she know of ovens."
    assert quotes(FILLER_PASSAGES, f"{STORY} {stock} {STORY}") == [stock]


def test_a_single_phrase_only_counts():
    measured = taken(FILLER_PASSAGES, f"{STORY} In that moment the lamp went out. A mix of flour and ash lay there.")
    assert (measured.findings, round(measured.value)) == ((), round(1000 * 2 / 34))


@pytest.mark.parametrize("text", [STORY, f"“{EMPTY}”", EMPTY.replace("Perhaps", "Perhaps to Mara").replace("Nobody", "Tobias")])
def test_a_story_and_what_somebody_says_are_let_be(text):
    assert quotes(FILLER_PASSAGES, text) == []
