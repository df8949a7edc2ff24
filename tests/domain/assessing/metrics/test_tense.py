"""A passage in another tense is found; an author's aside, a general truth and a letter are not."""

import pytest

from domain.assessing.assessment import FindingSeverity
from domain.assessing.metrics.tense import TENSE_DRIFT
from domain.projects import PointOfView, Tense
from tests.domain.assessing.metrics.story_book import material, quotes, taken

PAST = "Mara walked down to the slip. She counted the bell and said nothing. Tobias was there already, and he held the lamp."
PRESENT = "Mara walks down to the slip. She counts the bell and says nothing. Tobias is there already, and he holds the lamp."


def test_a_passage_in_the_present_is_found_in_a_book_told_in_the_past():
    assert quotes(TENSE_DRIFT, f"{PAST}\n\n{PRESENT}\n\n{PAST}") == [PRESENT]


def test_a_passage_in_the_past_is_found_in_a_book_told_in_the_present():
    assert quotes(TENSE_DRIFT, f"{PRESENT}\n\n{PAST}\n\n{PRESENT}", material(tense=Tense.PRESENT)) == [PAST]


def test_a_long_passage_weighs_more_than_a_short_one():
    (issue,) = taken(TENSE_DRIFT, f"{PAST}\n\n{PRESENT}\n\n{PAST}").findings
    assert issue.severity is FindingSeverity.MAJOR
    (issue,) = taken(TENSE_DRIFT, f"{PAST}\n\nMara walks to the slip and he waits.\n\n{PAST}").findings
    assert issue.severity is FindingSeverity.MINOR


@pytest.mark.parametrize(
    "passage",
    [
        "“Mara walks down to the slip,” Tobias said. “She counts the bell and says nothing. He holds the lamp.”",
        "Dear Tobias,\n\nMara walks down to the slip. She counts the bell, and he holds the lamp.\n\nYour faithful servant",
        "I must ask my readers to follow. We know that he is old and that she is not.",
        "_Mara walks down to the slip and she knows that he waits._ She shut the door.",
        "> Mara walks down to the slip. She counts the bell and says nothing.",
        "A man who walks at night is no friend of his own bed.",
        "When the ice comes, men walk.",
    ],
)
def test_what_may_stand_in_any_tense_is_let_be(passage):
    assert quotes(TENSE_DRIFT, f"{PAST}\n\n{passage}\n\n{PAST}") == []


def test_a_look_back_in_a_book_told_in_the_present_is_let_be():
    back = "Mara had walked down to the slip. She had counted the bell, and Tobias had held the lamp."
    assert quotes(TENSE_DRIFT, f"{PRESENT}\n\n{back}\n\n{PRESENT}", material(tense=Tense.PRESENT)) == []


def test_a_narrator_who_says_i_is_told_of_too():
    book = material(tense=Tense.PAST, point_of_view=PointOfView.FIRST, narrator="Mara Venn")
    passage = "I walk down to the slip and Tobias looks at me. He holds the lamp and says nothing."
    assert quotes(TENSE_DRIFT, f"I walked home. Tobias was there.\n\n{passage}\n\nI said nothing.", book) == [passage]


def test_a_book_without_a_tense_is_not_measured():
    assert taken(TENSE_DRIFT, PRESENT, material(tense=None)) is None
