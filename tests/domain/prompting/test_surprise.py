"""How surprising a word is, in bits."""

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.prompting.surprise import MOST_BITS, in_english, in_this_book


def test_rare_words_surprise_more_than_common_ones_and_unknown_words_most():
    bits = in_english({"the", "house", "whalebone", "xyzzyq"})
    assert bits["the"] < bits["house"] < bits["whalebone"] <= bits["xyzzyq"]
    assert bits["the"] < 6
    assert bits["xyzzyq"] > 15


def test_only_what_was_asked_is_answered():
    assert set(in_english({"house"})) == {"house"}
    assert in_english(()) == {}
    assert in_this_book((), counts={"house": 3}, total=10) == {}


def test_in_a_book_a_word_surprises_by_how_often_it_stands_there():
    bits = in_this_book(["nebel", "boot", "birnholz"], counts={"nebel": 400, "boot": 20}, total=100_000)
    assert bits["nebel"] < bits["boot"] < bits["birnholz"]
    assert bits["boot"] == pytest.approx(1 + log2(100_001 / 20.5))


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 10**6), max_size=5), st.integers(0, 10**9))
def test_a_surprise_is_never_without_bounds(counts, total):
    bits = in_this_book([*counts, "unknown"], counts=counts, total=max(total, sum(counts.values())))
    assert all(0 <= each <= MOST_BITS for each in bits.values())
