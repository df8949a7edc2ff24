"""Only the spans of the edits change; everything else of any text stays as it is, code point by code point."""

import random
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.assessing.quotes import Place
from domain.assessing.revising.applying import apply_edits
from domain.assessing.revising.plan import Edit
from domain.assessing.revising.planning import plan_revision
from domain.prompting.untrusted import clean
from domain.writing.comparison import DiffOperation, diff
from tests.domain.assessing.revising.findings import chosen, issue

# One of every kind that has broken offsets somewhere: combining marks, astral planes, right-to-left, joined emoji, controls, line ends.
ALPHABET = [
    *"aZ é.,!?…“”’'\"- \t",
    "e\u0301",
    "ǘ",
    "ẞ",
    "ﬁ",
    "Ω",
    "я",
    "שלום",
    "مرحبا",
    "\u202bعربي\u202c",
    "नमस्ते",
    "灯灭了。",
    "かな",
    "한글",
    "👩‍🚀",
    "👨‍👩‍👧‍👦",
    "🏳️‍🌈",
    "🇩🇪",
    "𝔘𝔫𝔦",
    "𠜎",
    "\U0010fffd",
    "\u200b",
    "\u00ad",
    "\ufeff",
    "\x01",
    "\x1b",
    "\x7f",
    "\x85",
    "\u2028",
    "\r\n",
    "\r\n\r\n",
    "\n\n",
    "\n",
    ". ",
    "? ",
    "*",
    "_",
]


def random_text(chance):
    return "".join(chance.choices(ALPHABET, k=chance.randint(12, 160)))


def three_spans(chance, text):
    """Not empty, and none touching another."""
    borders = sorted(chance.sample(range(len(text) - 3), 6))
    borders = [border + index for index, border in enumerate(borders)]
    borders = [border - index % 2 for index, border in enumerate(borders)]
    return [(borders[index], borders[index + 1]) for index in (0, 2, 4)]


def between(text, spans):
    """What stands before, between and behind the spans."""
    borders = [0, *(border for span in spans for border in span), len(text)]
    return [text[start:end] for start, end in zip(borders[::2], borders[1::2], strict=True)]


def assert_only_the_changes_differ(text, revised):
    assert between(text, [(change.old.start, change.old.end) for change in revised.changes]) == between(
        revised.text, [(change.new.start, change.new.end) for change in revised.changes]
    )


@pytest.mark.parametrize("seed", range(500))
def test_three_chosen_findings_change_their_spans_and_nothing_else(seed):
    chance = random.Random(seed)
    text = random_text(chance)
    spans = three_spans(chance, text)
    replacements = [clean(f"{number}{random_text(chance)[: chance.randint(0, 40)]}") for number in range(3)]
    findings = [
        issue(text[start:end], text, at=start, replacement=replacement)
        for (start, end), replacement in zip(spans, replacements, strict=True)
    ]
    edits = plan_revision(text, chosen(*findings), "", language="en").ready_edits
    revised = apply_edits(text, chance.sample(edits, len(edits)))
    assert [(change.old.start, change.old.end) for change in revised.changes] == spans
    assert [revised.text[change.new.start : change.new.end] for change in revised.changes] == replacements
    assert [change.finding_ids for change in revised.changes] == [(UUID(int=number),) for number in (1, 2, 3)]
    assert_only_the_changes_differ(text, revised)
    hunks = diff(text, revised.text)
    assert "".join(hunk.text for hunk in hunks if hunk.operation is not DiffOperation.INSERT) == text
    assert "".join(hunk.text for hunk in hunks if hunk.operation is not DiffOperation.DELETE) == revised.text


@given(st.text(min_size=1), st.data())
def test_any_edits_of_any_text_leave_the_rest_alone(text, data):
    borders = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=8, unique=True)))
    edits = [
        Edit(start=start, end=end, replacement=data.draw(st.text(max_size=20)))
        for start, end in zip(borders[::2], borders[1::2], strict=False)
    ]
    revised = apply_edits(text, data.draw(st.permutations(edits)))
    assert_only_the_changes_differ(text, revised)
    for edit, change in zip(edits, revised.changes, strict=True):
        assert revised.text[change.new.start : change.new.end] == edit.replacement
        taken = text[change.old.start : edit.start] + text[edit.end : change.old.end]
        assert not taken.strip()
        assert not (edit.replacement and taken)


def test_the_order_of_the_edits_does_not_matter():
    text = "One. Two. Three. Four."
    edits = [
        Edit(start=0, end=4, replacement="1."),
        Edit(start=5, end=9, replacement=""),
        Edit(start=9, end=9, replacement=" And a half."),
        Edit(start=17, end=22, replacement="4."),
    ]
    assert {apply_edits(text, order).text for order in permutations(edits)} == {"1. And a half. Three. 4."}


@pytest.mark.parametrize(
    ("text", "cut", "left"),
    [
        ("One. Two. Three.", ["Two."], "One. Three."),
        ("One. Two. Three.", ["One."], "Two. Three."),
        ("One. Two. Three.", ["Three."], "One. Two."),
        ("One. Two. Three.", ["One.", "Two."], "Three."),
        ("One. Two. Three.", ["Two.", "Three."], "One."),
        ("One. Two. Three.", ["One.", "Three."], "Two."),
        ("One.\n\nTwo.\n\nThree.", ["Two."], "One.\n\nThree."),
        ("One.\n\nTwo.\n\nThree.", ["One."], "Two.\n\nThree."),
        ("One.\n\nTwo.\n\nThree.\n", ["Three."], "One.\n\nTwo.\n"),
        ("One.\r\n\r\nTwo. Two.\r\n\r\nThree.", ["Two. "], "One.\r\n\r\nTwo.\r\n\r\nThree."),
        ("One.\n\nTwo. Two and a half.\n\nThree.", ["Two."], "One.\n\nTwo and a half.\n\nThree."),
        ("One.\n\nTwo. Half.\n\nThree.", ["Half."], "One.\n\nTwo.\n\nThree."),
        ("She was very old.", ["very"], "She was old."),
        ("She was old, very.", ["very"], "She was old,."),
        ("She ran quickly.", ["quickly"], "She ran."),
        ("灯灭了。她数着。没有人来。", ["她数着。"], "灯灭了。没有人来。"),
        ("unhappy", ["un"], "happy"),
    ],
)
def test_a_deletion_closes_the_gap_that_it_leaves(text, cut, left):
    edits = [Edit(start=text.index(part), end=text.index(part) + len(part), replacement="") for part in cut]
    assert apply_edits(text, edits).text == left


def test_insertions_at_one_place_come_in_the_order_given():
    edits = [Edit(start=4, end=4, replacement=" B."), Edit(start=4, end=4, replacement=" C."), Edit(start=0, end=4, replacement="A.")]
    revised = apply_edits("One. Two.", edits)
    assert revised.text == "A. B. C. Two."
    assert [change.new for change in revised.changes] == [Place(0, 2), Place(2, 5), Place(5, 8)]


@pytest.mark.parametrize("spans", [[(0, 3), (2, 4)], [(0, 10)], [(-1, 2)], [(3, 2)], [(0, 4), (2, 2)], [(1, 2), (1, 2)]])
def test_edits_that_overlap_or_lie_outside_are_refused(spans):
    with pytest.raises(ValueError, match="overlaps another one or lies outside"):
        apply_edits("One. Two.", [Edit(start=start, end=end, replacement="x") for start, end in spans])


def test_no_edits_leave_the_text():
    assert apply_edits("One.", []).text == "One."
