"""Who tells a passage, and from whose head."""

import pytest

from domain.assessing.assessment import FindingSeverity
from domain.assessing.metrics.point_of_view import POINT_OF_VIEW_DRIFT
from domain.projects import PointOfView
from tests.domain.assessing.metrics.story_book import material, quotes, taken

THIRD = "Mara walked down to the slip. She counted the bell and said nothing to him."
SLIP = "I walked down to the slip. I counted the bell, and my hands were cold. Nobody saw me there."
LIMITED = material(point_of_view=PointOfView.THIRD_LIMITED, narrator="Mara")


@pytest.mark.parametrize("book", [material(), LIMITED])
def test_an_i_in_a_book_told_in_the_third_person_is_found(book):
    (issue,) = taken(POINT_OF_VIEW_DRIFT, f"{THIRD}\n\n{SLIP}\n\n{THIRD}", book).findings
    assert (issue.quote, issue.severity) == (SLIP, FindingSeverity.MAJOR)


def test_a_single_slip_weighs_less():
    (issue,) = taken(POINT_OF_VIEW_DRIFT, f"{THIRD} I walked home. {THIRD}", LIMITED).findings
    assert (issue.quote, issue.severity) == ("I walked home.", FindingSeverity.MINOR)


@pytest.mark.parametrize(
    "passage",
    [
        "“I walked down to the slip. I counted the bell, and my hands were cold,” she said.",
        "“I walked down to the slip.\n\n“I counted the bell, and my hands were cold.",
        "My dear Tobias,\n\nI walked down to the slip. I counted the bell, and my hands were cold.\n\nYours truly,\n\nMara",
        "_I walked down to the slip. I counted the bell, and my hands were cold._",
        "> I walked down to the slip. I counted the bell, and my hands were cold.",
        "I must now say a word of my heroine. I think that she was cold. I will not describe the bell to my readers.",
    ],
)
def test_speech_letters_thoughts_and_the_author_are_let_be(passage):
    assert quotes(POINT_OF_VIEW_DRIFT, f"{THIRD}\n\n{passage}\n\n{THIRD}") == []


def test_what_somebody_else_thinks_is_out_of_a_limited_point_of_view():
    text = f"{THIRD} Tobias wondered whether she knew. Mara thought of the bar."
    assert quotes(POINT_OF_VIEW_DRIFT, text, LIMITED) == ["Tobias wondered whether she knew."]
    assert quotes(POINT_OF_VIEW_DRIFT, text) == [], "an omniscient author may know it"


def test_a_narrator_who_becomes_she_is_found():
    book = material(point_of_view=PointOfView.FIRST, narrator="Mara Venn")
    slip = (
        "Mara walked down to the slip where the boats lay. She counted the bell and said nothing to him, since nobody would have heard her. "
        "The fog stood over the bar, and the men who waited there had drawn their coats over their heads and looked at the water."
    )
    assert quotes(POINT_OF_VIEW_DRIFT, f"{SLIP}\n\n{slip}\n\n{SLIP}", book) == [slip]
    assert quotes(POINT_OF_VIEW_DRIFT, f"{SLIP}\n\n{slip.replace('Mara', 'Tobias')}\n\n{SLIP}", book) == []


def test_an_i_is_out_of_a_book_told_to_you():
    book = material(point_of_view=PointOfView.SECOND)
    assert quotes(POINT_OF_VIEW_DRIFT, f"You walked home. You shut the door.\n\n{SLIP}", book) == [SLIP]


def test_a_book_without_a_point_of_view_is_not_measured():
    assert taken(POINT_OF_VIEW_DRIFT, SLIP, material(point_of_view=None)) is None
