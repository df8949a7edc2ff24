"""The queue: never over, never stopping at what does not fit, never worse with more room, nobody starved."""

from itertools import pairwise, product

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.prompting.candidates import Variant
from domain.prompting.genres import Share
from domain.prompting.selection import GRACE, Offer, queue


def variant(tokens, worth):
    return Variant(text="", tokens=tokens, worth=worth)


def offer(*variants, group="cast", score=1.0):
    return Offer(group=group, score=score, variants=[variant(tokens, worth) for tokens, worth in variants])


@st.composite
def an_offer(draw):
    sizes = draw(st.lists(st.tuples(st.integers(1, 400), st.integers(1, 40)), max_size=3))
    tokens = worth = 0
    variants = []
    for more_tokens, more_worth in sizes:
        tokens, worth = tokens + more_tokens, worth + more_worth
        variants.append((tokens, float(worth)))
    return offer(*variants, group=draw(st.sampled_from(["cast", "world", "style"])), score=draw(st.sampled_from([0.1, 0.5])))


@st.composite
def some_shares(draw):
    floors = [draw(st.integers(0, 30)) / 100 for _ in range(2)]
    ceilings = [draw(st.integers(30, 100)) / 100 for _ in range(2)]
    return {name: Share(floor=floor, ceiling=ceiling) for name, floor, ceiling in zip(("cast", "world"), floors, ceilings, strict=True)}


OFFERS = st.lists(an_offer(), max_size=7)


def cost(offers, choice):
    return sum(offers[index].variants[chosen].tokens for index, chosen in choice.items())


@settings(max_examples=400, deadline=None)
@given(OFFERS, some_shares(), st.integers(-5, 3_000), st.integers(0, 600))
def test_a_choice_fits_and_more_room_never_lowers_its_worth(offers, shares, room, more):
    waiting = queue(offers, shares)
    choice = waiting.within(room)
    assert cost(offers, choice) <= max(room, 0)
    assert waiting.worth(waiting.within(room + more)) >= waiting.worth(choice) - 1e-9


@settings(max_examples=200, deadline=None)
@given(OFFERS, some_shares(), st.integers(0, 1_500))
def test_a_choice_is_worth_at_least_the_best_single_thing(offers, shares, room):
    waiting = queue(offers, shares)
    fitting = (
        waiting.worths[index][number] for index, each in enumerate(offers) for number, one in enumerate(each.variants) if one.tokens <= room
    )
    best = max(fitting, default=0.0)
    assert waiting.worth(waiting.within(room)) >= best


@settings(max_examples=150, deadline=None)
@given(st.lists(an_offer(), max_size=5), st.integers(0, 1_500))
def test_without_shares_a_choice_is_worth_at_least_half_of_the_best_possible(offers, room):
    waiting = queue(offers)
    possible = (
        {index: chosen for index, chosen in enumerate(combination) if chosen >= 0}
        for combination in product(*(range(-1, len(each.variants)) for each in offers))
    )
    best = max(waiting.worth(choice) for choice in possible if cost(offers, choice) <= room)
    assert waiting.worth(waiting.within(room)) >= best / 2


@given(OFFERS, some_shares())
def test_everything_is_sent_where_there_is_room_for_everything(offers, shares):
    choice = queue(offers, shares).within(10_000)
    assert choice == {index: len(each.variants) - 1 for index, each in enumerate(offers) if each.variants}


def test_what_does_not_fit_is_skipped_and_smaller_things_behind_it_still_enter():
    assert queue([offer((10, 10.0)), offer((100, 90.0)), offer((5, 4.0))]).within(20) == {0: 0, 2: 0}


def test_one_large_valuable_thing_beats_a_small_dense_one_that_would_block_it():
    assert queue([offer((1, 2.0)), offer((100, 100.0))]).within(100) == {1: 0}


def test_more_room_is_never_worth_less_where_one_large_thing_takes_the_place_of_another():
    waiting = queue([offer((5, 4.9)), offer((12, 9.0)), offer((3, 2.0)), offer((16, 9.5))])
    worths = [waiting.worth(waiting.within(room)) for room in range(40)]
    assert worths == sorted(worths)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 20), st.integers(1, 20)), min_size=2, max_size=12))
def test_no_token_more_is_ever_worth_less(sizes):
    waiting = queue([offer((tokens, float(worth))) for tokens, worth in sizes])
    worths = [waiting.worth(waiting.within(room)) for room in range(60)]
    assert all(more >= less - 1e-9 for less, more in pairwise(worths))


def test_a_reduced_form_enters_where_the_whole_does_not():
    offers = [offer((10, 7.0), (30, 10.0))]
    assert queue(offers).within(29) == {0: 0}
    assert queue(offers).within(30) == {0: 1}


def test_a_reduced_form_that_pays_worse_than_the_whole_still_fills_a_gap():
    offers = [offer((10, 1.0), (30, 30.0))]
    assert queue(offers).within(29) == {0: 0}
    assert queue(offers).within(30) == {0: 1}


def test_a_group_with_good_candidates_gets_its_floor():
    cast = [offer((100, 10.0)) for _ in range(30)]
    places = [offer((100, 1.0), group="world") for _ in range(30)]
    choice = queue([*cast, *places], {"world": Share(floor=0.3, ceiling=1.0)}).within(2_000)
    assert sum(index >= 30 for index in choice) == 6


def test_a_floor_is_not_filled_with_chaff():
    cast = [offer((100, 10.0)) for _ in range(30)]
    places = [offer((100, 1.0), group="world", score=0.1) for _ in range(30)]
    choice = queue([*cast, *places], {"world": Share(floor=0.3, ceiling=1.0)}).within(2_000)
    assert all(index < 30 for index in choice)


def test_a_group_above_its_ceiling_waits_for_the_others_but_wastes_no_room():
    cast = [offer((100, 10.0)) for _ in range(60)]
    places = [offer((100, 1.0), group="world") for _ in range(20)]
    waiting = queue([*cast, *places], {"cast": Share(floor=0.0, ceiling=0.5)})
    taken = waiting.within(4_000)
    assert sum(index < 60 for index in taken) <= (0.5 * 4_000 + 0.5 * GRACE) / 100 + 1
    assert len(waiting.within(7_500)) == 75
