"""Few calls, each of a size that a model can answer, and never a chapter that is cut within a word."""

from itertools import pairwise

import pytest

from domain.assessing.quotes import Place
from domain.assessing.revising.calls import MOST_EDITS, PASSAGE_TOKENS, SURROUNDING_TOKENS, asked_of
from domain.assessing.revising.planning import plan_revision
from tests.domain.assessing.revising.findings import TEXT, characters, chosen, issue

PARAGRAPHS = [
    f"Paragraph {number} begins here. The tide of day {number} came over the bar. Mara counted {number} bells. Nobody came."
    for number in range(1, 201)
]
LONG = "\n\n".join(PARAGRAPHS)


def asked(text, *issues, instructions="", most=400):
    plan = plan_revision(text, chosen(*issues), instructions, language="en")
    return asked_of(plan, count=characters, whole_text_tokens=most)


def shown(text, call):
    return [text[part.start : part.end] for part in call.shown]


def test_a_ready_plan_needs_no_call():
    assert asked(TEXT, issue("very slowly", replacement="slowly")) == ()
    assert asked(TEXT) == ()


def test_one_call_shows_the_whole_chapter_and_asks_for_everything():
    (call,) = asked(TEXT, issue("lamp"), issue("Nobody"), issue(message="No letter."), issue("very", replacement="so"))
    assert [edit.name for edit in call.edits] == ["E1", "E3"]
    assert [insertion.name for insertion in call.insertions] == ["I1"]
    assert call.shown == (Place(0, len(TEXT)),)
    assert call.most_proposals == 0


def test_many_edits_are_asked_for_in_several_calls():
    numbers = range(1, 31)
    calls = asked(LONG, *(issue(f"Mara counted {number} bells", LONG) for number in numbers), most=100_000)
    assert [len(call.edits) for call in calls] == [MOST_EDITS, MOST_EDITS, 6]
    assert [edit.name for call in calls for edit in call.edits] == [f"E{number}" for number in numbers]
    assert {call.shown for call in calls} == {(Place(0, len(LONG)),)}


def test_long_passages_are_asked_for_in_several_calls():
    long = [f"{number} {'salt ' * 1_500}sea." for number in range(5)]
    text = "\n\n".join(long)
    calls = asked(text, *(issue(part, text) for part in long), most=100_000)
    assert [len(call.edits) for call in calls] == [1, 1, 1, 1, 1]
    calls = asked(LONG, *(issue(part, LONG) for part in PARAGRAPHS[:4]), most=100_000)
    assert [len(call.edits) for call in calls] == [4]
    assert 4 * characters(PARAGRAPHS[0]) < PASSAGE_TOKENS


def test_of_a_long_chapter_the_surroundings_are_shown_in_whole_sentences():
    (call,) = asked(LONG, issue("Mara counted 60 bells", LONG), issue("Mara counted 140 bells", LONG))
    parts = shown(LONG, call)
    assert len(parts) == 2
    for part, number in zip(parts, (60, 140), strict=True):
        assert f"Mara counted {number} bells." in part
        assert SURROUNDING_TOKENS * 0.9 < characters(part) < SURROUNDING_TOKENS * 1.2
        assert part[0].isupper()
        assert part.endswith(".")


def test_surroundings_that_overlap_are_one_part():
    (call,) = asked(LONG, issue("Mara counted 20 bells", LONG), issue("Mara counted 30 bells", LONG))
    assert len(call.shown) == 1


def test_surroundings_of_a_text_without_sentences_end_between_words():
    text = "tide " * 10_000 + "lamplight " + "bell " * 10_000
    (call,) = asked(text, issue("mpli", text), most=100)
    assert [text[edit.start : edit.end] for edit in call.edits] == ["lamplight"]
    (part,) = shown(text, call)
    assert set(part.split()) == {"tide", "lamplight", "bell"}
    assert SURROUNDING_TOKENS * 0.9 < characters(part) < SURROUNDING_TOKENS * 1.1


def test_the_place_of_an_insertion_in_a_long_chapter_is_chosen_from_its_first_sentences():
    edit, insertion = asked(LONG, issue("Mara counted 20 bells", LONG), issue(message="No letter."))
    assert not edit.outlined
    assert insertion.outlined
    firsts = shown(LONG, insertion)
    assert set(firsts) <= {f"Paragraph {number} begins here." for number in range(1, 201)}
    assert 20 < len(firsts) < 200
    assert sum(map(characters, firsts)) <= 400


def test_instructions_alone_are_given_the_chapter_part_by_part():
    (whole,) = asked(TEXT, instructions="Colder.")
    assert (whole.shown, whole.most_proposals) == ((Place(0, len(TEXT)),), MOST_EDITS)
    calls = asked(LONG, instructions="Colder.")
    parts = [part for call in calls for part in call.shown]
    assert len(parts) > 5
    assert (parts[0].start, parts[-1].end) == (0, len(LONG))
    assert all(LONG[one.end : two.start] == "\n\n" for one, two in pairwise(parts))
    assert max(characters(LONG[part.start : part.end]) for part in parts) <= 450


@pytest.mark.parametrize("issues", [(issue("lamp"),), (issue(message="No letter."),)])
def test_room_for_an_answer_grows_with_what_is_asked(issues):
    (few,) = asked(TEXT, *issues)
    (more,) = asked(TEXT, *issues, issue("Nobody came."), issue(message="No bell."))
    assert 400 < few.most_answer_tokens(TEXT, characters) < more.most_answer_tokens(TEXT, characters)
