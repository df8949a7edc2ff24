"""What sending something is worth."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.genre_overrides import GROUPS
from domain.prompting.sections import Section
from domain.prompting.worth import LEAST_MERITS, NEEDS, STEADY_CHARACTERS, share_of_need, share_of_text, worth_of_tail

MERITS = st.lists(st.floats(0.0, 8.0, allow_subnormal=False), min_size=1, max_size=30)


def test_every_group_of_optional_candidates_has_a_need():
    assert set(NEEDS) == set(GROUPS)
    assert set(NEEDS) <= {section.group for section in Section}
    assert sum(NEEDS.values()) < 1


@given(st.sampled_from(sorted(NEEDS)), MERITS)
def test_a_group_covers_at_most_its_need_and_each_of_it_by_its_merit(group, merits):
    worths = [share_of_need(group, merit, sum(merits)) for merit in merits]
    assert sum(worths) <= NEEDS[group] + 1e-9
    assert all(worth >= 0 for worth in worths)
    # In the order of their merits; two that differ in the last digit alone may be worth the same.
    by_merit = [share_of_need(group, merit, sum(merits)) for merit in sorted(merits)]
    assert by_merit == sorted(by_merit)
    if sum(merits) >= LEAST_MERITS.get(group, 1.0):
        assert sum(worths) == pytest.approx(NEEDS[group])


@pytest.mark.parametrize("group", sorted(NEEDS))
def test_one_weak_candidate_alone_does_not_cover_the_need_of_its_group(group):
    assert share_of_need(group, 0.1, 0.1) == pytest.approx(NEEDS[group] * 0.1 / LEAST_MERITS.get(group, 1.0))


@given(st.integers(1, 10**7), st.integers(1, 10**7))
def test_more_of_a_text_is_worth_more_and_all_of_it_all(one, other):
    part, whole = sorted((one, other))
    assert 0 < share_of_text(part, whole) <= share_of_text(whole, whole) == 1.0
    assert share_of_text(part, whole) >= part / whole - 1e-9  # its beginning tells at least as much as the rest


def test_up_to_some_pages_a_text_tells_as_much_by_the_page_and_then_less_and_less():
    assert share_of_text(STEADY_CHARACTERS // 4, STEADY_CHARACTERS) == 0.25
    pages = [
        share_of_text((number + 1) * STEADY_CHARACTERS, 10**6) - share_of_text(number * STEADY_CHARACTERS, 10**6) for number in range(1, 9)
    ]
    assert pages == sorted(pages, reverse=True)
    assert pages[-1] > 0
    assert share_of_text(0, 0) == 1.0


def test_the_recent_text_tells_less_the_further_back_it_goes():
    worths = [worth_of_tail(tokens) for tokens in range(0, 4_000, 200)]
    gains = [more - less for less, more in pairwise(worths)]
    assert worths[0] == 0.0
    assert worths[-1] < 1.0
    assert gains == sorted(gains, reverse=True)
    assert gains[-1] > 0
