"""The knapsack: never over, never stopping at what does not fit, never worse with more room."""

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.prompting.candidates import Variant
from domain.prompting.selection import select, total_worth


def variant(tokens, worth):
    return Variant(text="", tokens=tokens, worth=worth)


@st.composite
def growing_variants(draw):
    sizes = draw(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), max_size=3))
    tokens = worth = 0
    variants = []
    for more_tokens, more_worth in sizes:
        tokens, worth = tokens + more_tokens, worth + more_worth
        variants.append(variant(tokens, float(worth)))
    return tuple(variants)


CANDIDATES = st.lists(growing_variants(), max_size=6)


def cost(candidates, choice):
    return sum(candidates[index][chosen].tokens for index, chosen in choice.items())


@settings(max_examples=300, deadline=None)
@given(CANDIDATES, st.integers(-5, 150), st.integers(0, 60))
def test_a_choice_fits_and_more_room_never_lowers_its_worth(candidates, room, more):
    choice = select(candidates, room)
    assert cost(candidates, choice) <= max(room, 0)
    assert total_worth(candidates, select(candidates, room + more)) >= total_worth(candidates, choice)


@settings(max_examples=150, deadline=None)
@given(CANDIDATES, st.integers(0, 120))
def test_a_choice_is_worth_at_least_half_of_the_best_possible(candidates, room):
    possible = (
        {index: chosen for index, chosen in enumerate(combination) if chosen >= 0}
        for combination in product(*(range(-1, len(variants)) for variants in candidates))
    )
    best = max(total_worth(candidates, choice) for choice in possible if cost(candidates, choice) <= room)
    assert total_worth(candidates, select(candidates, room)) >= best / 2


def test_what_does_not_fit_is_skipped_and_smaller_things_behind_it_still_enter():
    candidates = [(variant(10, 10.0),), (variant(100, 90.0),), (variant(5, 4.0),)]
    assert select(candidates, 20) == {0: 0, 2: 0}


def test_one_large_valuable_thing_beats_a_small_dense_one_that_would_block_it():
    candidates = [(variant(1, 2.0),), (variant(100, 100.0),)]
    assert select(candidates, 100) == {1: 0}


def test_a_reduced_form_enters_where_the_whole_does_not():
    candidates = [(variant(10, 7.0), variant(30, 10.0))]
    assert select(candidates, 29) == {0: 0}
    assert select(candidates, 30) == {0: 1}
