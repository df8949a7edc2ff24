"""Comparing versions: exact, readable, bounded."""

import random
import time
import tracemalloc
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.writing.comparison import DiffHunk, DiffOperation, diff

EQUAL, INSERT, DELETE = DiffOperation.EQUAL, DiffOperation.INSERT, DiffOperation.DELETE

PROSE = st.lists(
    st.sampled_from(
        ["The", "tide", "went", "out", ".", " ", "  ", "\n", "\n\n", "“No,”", "said", "Mara's", "海", "é", "e\u0301", "\r\n", "—", "_"]
    ),
    max_size=60,
).map("".join)


def side(hunks, operation):
    return "".join(hunk.text for hunk in hunks if hunk.operation in (EQUAL, operation))


@settings(max_examples=300, deadline=None)
@given(old=PROSE | st.text(max_size=80), new=PROSE | st.text(max_size=80))
def test_hunks_give_back_both_texts_and_never_touch_their_like(old, new):
    hunks = diff(old, new)
    assert side(hunks, DELETE) == old
    assert side(hunks, INSERT) == new
    assert all(hunk.text for hunk in hunks)
    assert all(one.operation is not other.operation for one, other in pairwise(hunks))
    assert diff(old, new) == hunks


def test_equal_texts_are_one_equal_hunk_and_empty_ones_none():
    assert diff("The tide.\n", "The tide.\n") == [DiffHunk(EQUAL, "The tide.\n")]
    assert diff("", "") == []
    assert diff("", "The tide.") == [DiffHunk(INSERT, "The tide.")]
    assert diff("The tide.", "") == [DiffHunk(DELETE, "The tide.")]


def test_a_replaced_phrase_is_one_deletion_and_one_insertion():
    assert diff("He walked slowly to the old house.", "He ran quickly to the house.") == [
        DiffHunk(EQUAL, "He "),
        DiffHunk(DELETE, "walked slowly"),
        DiffHunk(INSERT, "ran quickly"),
        DiffHunk(EQUAL, " to the"),
        DiffHunk(DELETE, " old"),
        DiffHunk(EQUAL, " house."),
    ]


def test_an_untouched_paragraph_stays_whole_between_changed_ones():
    hunks = diff("It rained.\n\nNobody came to the quay.\n\nShe left.", "It snowed.\n\nNobody came to the quay.\n\nShe stayed.")
    assert DiffHunk(EQUAL, ".\n\nNobody came to the quay.\n\nShe ") in hunks


def test_chinese_is_compared_by_characters():
    assert diff("我看见了海", "我看见了山") == [DiffHunk(EQUAL, "我看见了"), DiffHunk(DELETE, "海"), DiffHunk(INSERT, "山")]


def test_a_heavily_revised_long_chapter_is_compared_quickly_and_in_little_memory():
    chance = random.Random(7)
    vocabulary = [f"word{number}" for number in range(4_000)]
    words = [chance.choice(vocabulary) + chance.choice(["", "", "", "", ",", ".", ".\n\n"]) for _ in range(20_000)]
    old = " ".join(words)
    new = " ".join(word if chance.random() > 0.2 else chance.choice(words) for word in words)
    tracemalloc.start()
    began = time.process_time()
    hunks = diff(old, new)
    seconds = time.process_time() - began
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert side(hunks, DELETE) == old
    assert side(hunks, INSERT) == new
    assert seconds < 2  # measured at 0.08 without tracing: a bound for slow machines, far below what an unbounded comparison takes
    assert peak < 100_000_000
