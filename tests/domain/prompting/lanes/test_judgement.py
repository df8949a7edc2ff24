"""What all lanes together say of each file."""

from dataclasses import replace
from uuid import UUID

import pytest

from domain.prompting.lanes.judgement import LEAST_SCORE, MOST_UNNAMED, judge
from domain.prompting.receipts import Reason
from domain.prompting.scene import prepare
from domain.reference_files import ReferenceKind
from tests.domain.prompting.book import reference, salt_road, wish, written

MARA, TOBIAS, JOREN, GULLHAVEN, LANTERN, WINTERS, LAMP, STYLE = (UUID(int=number) for number in range(11, 19))
WIDE = "It rained on the hill, and the sheep stood about in it as they had stood about the year before. " * 5
STRANGERS = (reference(11, "Mara", "A pilot."), reference(12, "Tobias", "A baker."), reference(13, "Joren", "A clerk."))
"""Whose sheets do not name each other."""


def judged(brief, point_of_view=None, **changes):
    base = salt_road(**changes)
    chapter = replace(base.chapter, brief=brief, title="", point_of_view_character=point_of_view)
    return judge(prepare(replace(base, chapter=chapter), wish()))


def test_everything_is_a_chance_and_says_why():
    found = judged("Mara takes Joren out over the bar. The ice.")
    for one in found.values():
        assert LEAST_SCORE <= one.score <= 1
        assert one.merit >= one.score * 0.99
        assert one.evidence
    assert LAMP not in found


def test_the_point_of_view_character_is_all_but_certain():
    assert judged("They wait.", "Tobias")[TOBIAS].score > 0.75
    assert judged("They wait.")[TOBIAS].score < 0.2
    assert judged("Tobias waits.", "Tobias")[TOBIAS].score > 0.99
    assert judged("They wait.", "Tobias")[TOBIAS].reason is Reason.MENTIONED


def test_each_kind_of_evidence_raises_the_score():
    scores = [
        judged(brief, earlier=earlier)[TOBIAS].score
        for brief, earlier in (
            ("Mara waits.", ()),
            ("Mara waits. Tobias does.", ()),
            ("Mara waits. Tobias does.", (written(1, f"Tobias came. {WIDE}"),)),
        )
    ]
    assert scores == sorted(set(scores))


def test_a_sheet_named_by_the_sheet_of_somebody_the_brief_names_is_related():
    found = judged("Mara waits.", earlier=())
    for file_id, name in ((TOBIAS, "Tobias Reck"), (JOREN, "Joren Hale"), (GULLHAVEN, "Gullhaven")):
        assert (found[file_id].reason, found[file_id].evidence[0]) == (Reason.RELATED, f'"{name}" in “Mara Venn”')


def test_without_evidence_a_place_is_left_out_and_a_character_comes_by_the_size_of_the_cast():
    found = judged("Zebras.", earlier=())
    assert {GULLHAVEN, LANTERN, WINTERS}.isdisjoint(found)
    assert found[TOBIAS].evidence == ("chapters of this book need 30% of its characters",)
    assert found[TOBIAS].reason is Reason.RELEVANT
    busy = tuple(written(number, f"Mara, Joren. {WIDE}") for number in range(1, 6))
    usual = f"chapters of this book need {10.9 / 18:.0%} of its characters"
    assert judged("Zebras.", earlier=busy, references=STRANGERS)[TOBIAS].evidence == (usual,)


def test_of_the_characters_without_evidence_the_likeliest_come():
    people = tuple(reference(1_000 + number, f"Person{number}", "A person. " * (number + 1)) for number in range(MOST_UNNAMED + 2))
    found = judged("Zebras.", earlier=(), references=people)
    assert {file_id.int - 1_000 for file_id in found} == set(range(2, MOST_UNNAMED + 2))  # those with the longest sheets


def test_what_is_needed_once_in_a_hundred_chapters_is_left_out():
    long_gone = (written(1, f"Tobias came. {WIDE}"), *(written(number, f"Mara and Joren. {WIDE}") for number in range(2, 60)))
    extras = tuple(reference(100 + number, f"Extra{number}", "A sailor.") for number in range(30))
    found = judged("Zebras.", earlier=long_gone, references=(*STRANGERS, *extras))
    assert {MARA, JOREN} <= set(found)
    assert TOBIAS not in found
    assert TOBIAS in judged("Tobias.", earlier=long_gone, references=(*STRANGERS, *extras))


@pytest.mark.parametrize(("brief", "comes"), [("The Baltic ports froze in winter.", True), ("Zebras.", False)])
def test_research_comes_only_with_what_it_is_about(brief, comes):
    assert (WINTERS in judged(brief)) == comes
    assert STYLE in judged(brief)
    assert judged(brief)[STYLE].merit == judged(brief)[STYLE].score


def test_the_passages_of_a_sheet_that_bear_on_the_request_are_scored():
    sheet = reference(12, "Tobias Reck", f"A baker. {WIDE}\n\nHe has a compass. {WIDE}", kind=ReferenceKind.CHARACTER)
    assert list(judged("Tobias and the compass.", references=(sheet,), earlier=())[TOBIAS].passages) == [1]
