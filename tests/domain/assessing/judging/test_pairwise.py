"""Two versions side by side: what changed, in both orders, and what the two answers come to."""

import json
import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.assessing.judging.answer import Broken
from domain.assessing.judging.pairwise import Choice, comparison_calls, preference, read_preference, repair_preference
from domain.assessing.judging.windows import GAP, changed_passages
from domain.assessing.preference import Preference
from tests.domain.assessing.judging.chapters import TOKENS, large_project
from tests.domain.prompting.book import MODEL, salt_road

PARAGRAPHS = [f"Paragraph {number} says what it says, and ends. It has a second sentence, which nobody reads." for number in range(60)]
OLD = "\n\n".join(PARAGRAPHS)


def changed(**at):
    return "\n\n".join(at.get(f"p{number}", paragraph) for number, paragraph in enumerate(PARAGRAPHS))


def texts_of(call):
    return re.findall(r"<material \w+>\n(.*?)\n</material", call.request.messages[1].text, re.DOTALL)


def calls_for(old, new):
    return comparison_calls(old, new, salt_road(), model=MODEL, tokens=TOKENS)


def test_of_a_local_change_only_its_surroundings_are_shown():
    old, new = changed_passages(OLD, changed(p30="Paragraph 30 was rewritten."))
    assert old == GAP.lstrip("\n") + "\n\n".join(PARAGRAPHS[29:32]) + GAP.rstrip("\n")
    assert new == old.replace(PARAGRAPHS[30], "Paragraph 30 was rewritten.")


def test_changes_far_apart_are_shown_apart_and_neighbours_together():
    apart, _ = changed_passages(OLD, changed(p3="Three.", p40="Forty."))
    assert apart.count("[…]") == 3
    together, _ = changed_passages(OLD, changed(p30="Thirty.", p32="Thirty-two."))
    assert together.count("[…]") == 2
    assert PARAGRAPHS[31] in together


def test_insertions_and_deletions_are_shown_in_their_place():
    old, new = changed_passages(OLD, OLD.replace(PARAGRAPHS[30] + "\n\n", ""))
    assert PARAGRAPHS[30] in old
    assert PARAGRAPHS[30] not in new
    assert PARAGRAPHS[29] in new
    assert PARAGRAPHS[31] in new
    old, new = changed_passages(OLD, OLD + "\n\nAnd so on.")
    assert new.endswith("And so on.")
    assert old.endswith(PARAGRAPHS[59])


def test_when_nearly_everything_changed_the_whole_is_shown():
    rewritten = OLD.replace("says", "tells")
    assert changed_passages(OLD, rewritten) == (OLD, rewritten)
    assert changed_passages("", "New.") == ("", "New.")


@settings(deadline=None)
@given(st.lists(st.sampled_from(PARAGRAPHS[:6]), max_size=30), st.lists(st.sampled_from(PARAGRAPHS[:6]), max_size=30))
def test_what_is_not_shown_is_the_same_in_both(one, other):
    old, new = "\n\n".join(one), "\n\n".join(other)
    shown = changed_passages(old, new)
    if shown is None:
        assert old == new
        return
    for text, part in zip((old, new), shown, strict=True):
        for piece in part.split("[…]"):
            assert piece.strip("\n") in text
    if "[…]" not in shown[0]:
        assert [re.sub(r"\s", "", each) for each in shown] == [re.sub(r"\s", "", each) for each in (old, new)]


def test_both_orders_are_asked_with_the_same_rules_and_question():
    first, second = calls_for(OLD, changed(p30="Thirty."))
    assert [first.name, second.name] == ["old-new", "new-old"]
    assert texts_of(first) == texts_of(second)[::-1]
    assert "Thirty." in texts_of(first)[1]
    assert (first.request.messages[0], first.request.messages[2]) == (second.request.messages[0], second.request.messages[2])
    for call in (first, second):
        assert call.request.temperature == 0.0
        assert call.prompt_tokens == TOKENS.count_messages(call.request.messages, model=MODEL)
        assert call.request.response_schema["properties"]["better"]["enum"] == ["A", "B", "TIE"]


def test_a_local_change_of_a_long_chapter_costs_little():
    text, material = large_project()
    paragraphs = text.split("\n\n")
    paragraphs[20] = "Mara said nothing."
    calls = comparison_calls(text, "\n\n".join(paragraphs), material, model=MODEL, tokens=TOKENS)
    assert sum(call.prompt_tokens for call in calls) < 0.5 * TOKENS.count(text, model=MODEL)


@pytest.mark.parametrize("new", [OLD, OLD.replace("Paragraph", "Para\u00adgraph"), OLD.replace("\n", "\r\n"), OLD + "\u200b"])
def test_where_nothing_changed_that_a_reader_sees_nothing_is_asked(new):
    assert calls_for(OLD, new) is None


@pytest.mark.parametrize(
    ("answer", "choice"),
    [
        ('{"reason": "It turns.", "better": "A"}', Choice.A),
        ('{"better": " b ", "reason": 3}', Choice.B),
        ('```json\n{"reason": "", "better": "tie"}\n```', Choice.TIE),
        ('Perhaps {"better": "A"}. No: {"reason": "It drags.", "better": "B"}.', Choice.B),
        ('{"reason": "It turns.", "better": "A"} {"note": 1}', Choice.A),
    ],
)
def test_a_preference_is_read(answer, choice):
    assert read_preference(answer) is choice


@pytest.mark.parametrize(
    "answer", ["", "A", "Text A is better.", '{"better": "C"}', '{"better": null}', '{"better": ["A"]}', '{"better": "A"', "{" * 9_999]
)
def test_what_is_no_preference_is_broken(answer):
    broken = read_preference(answer)
    assert isinstance(broken, Broken)
    call, _ = calls_for(OLD, changed(p30="Thirty."))
    *begin, asked = repair_preference(call, broken)
    assert tuple(begin) == call.request.messages[:-1]
    assert broken.reason in asked.text


@settings(deadline=None)
@given(st.text(st.sampled_from('{}"better:ABTI, \\\n'), max_size=60))
def test_reading_a_preference_never_raises(text):
    assert isinstance(read_preference(text), Broken | Choice)


def test_only_a_judge_that_agrees_with_itself_has_a_preference():
    said = {pair: preference(*pair) for pair in product(Choice, Choice)}
    assert said[Choice.B, Choice.A] is Preference.BETTER
    assert said[Choice.A, Choice.B] is Preference.WORSE
    assert [pair for pair, what in said.items() if what is not Preference.TIE] == [(Choice.A, Choice.B), (Choice.B, Choice.A)]
    assert json.dumps(said[Choice.A, Choice.A]) == '"TIE"'
