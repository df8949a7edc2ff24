"""Estimates: bounds that follow from prices, honest about what has none."""

from decimal import Decimal

from domain.llm.model import REHEARSAL, TokenUsage
from domain.llm.prices import PriceBook
from domain.spending import ZERO, add_estimates, estimate_call, estimate_calls
from tests.factories import NOON


def price(_model: str, usage: TokenUsage) -> Decimal:
    """A dollar a prompt token, ten cents for a cached one, ten dollars a completion token."""
    fresh = usage.prompt_tokens - usage.cached_prompt_tokens
    return Decimal(fresh) + Decimal(usage.cached_prompt_tokens) / 10 + Decimal(10 * usage.completion_tokens)


def test_low_is_half_the_text_behind_a_cached_prompt_and_high_half_as_much_again_behind_a_fresh_one():
    estimate = estimate_call("m", prompt_tokens=100, completion_tokens=1001, part_tokens=4096, cost=price)
    assert (estimate.low, estimate.high) == (Decimal(10 + 5010), Decimal(100 + 15020))
    assert (estimate.model, estimate.prompt_tokens, estimate.completion_tokens, estimate.priced) == ("m", 100, 1001, True)


def test_high_leaves_room_also_for_a_text_that_is_to_be_short():
    assert estimate_call("m", prompt_tokens=100, completion_tokens=11, part_tokens=4096, cost=price).high == Decimal(100 + 5120)


def test_a_model_without_a_price_has_an_estimate_without_a_price():
    estimate = estimate_call("m", prompt_tokens=100, completion_tokens=10, part_tokens=4096, cost=lambda *_: None)
    assert (estimate.low, estimate.high, estimate.priced) == (None, None, False)


def test_the_rehearsal_is_free_and_priced():
    prices = PriceBook(clock=lambda: NOON)
    estimate = estimate_call(REHEARSAL, prompt_tokens=100, completion_tokens=10, part_tokens=4096, cost=prices.cost)
    assert (estimate.low, estimate.high, estimate.priced) == (0, 0, True)


def test_high_counts_what_every_further_call_sends_again():
    estimate = estimate_call("m", prompt_tokens=100, completion_tokens=2000, part_tokens=1000, cost=price)
    # Three calls for 3000 tokens: the prompt three times, 1000 tokens of text with the second and 2000 with the third.
    assert estimate.high == Decimal(3 * 100 + 1000 + 2000 + 10 * 3000)


def test_calls_whose_prompts_are_known_cost_what_these_cost_and_half_to_one_and_a_half_times_their_answers():
    estimate = estimate_calls("m", prompt_tokens=100, completion_tokens=11, cost=price)
    assert (estimate.low, estimate.high) == (Decimal(10 + 60), Decimal(100 + 170))
    assert (estimate.model, estimate.prompt_tokens, estimate.completion_tokens) == ("m", 100, 11)


def test_the_sum_of_estimates_has_no_price_where_a_part_has_none_and_goes_by_that_parts_model():
    one, other = (estimate_calls(name, prompt_tokens=100, completion_tokens=10, cost=price) for name in ("a", "b"))
    unpriced = estimate_calls("c", prompt_tokens=1, completion_tokens=1, cost=lambda *_: None)
    total = add_estimates("m", one, other)
    assert (total.model, total.prompt_tokens, total.completion_tokens) == ("m", 200, 20)
    assert (total.low, total.high) == (Decimal(2 * 60), Decimal(2 * 250))
    mixed = add_estimates("m", one, unpriced)
    assert (mixed.model, mixed.prompt_tokens, mixed.low, mixed.high) == ("c", 101, None, None)


def test_what_calls_no_model_is_free_and_priced():
    estimate = add_estimates("")
    assert (estimate.low, estimate.high, estimate.priced, estimate.prompt_tokens) == (ZERO, ZERO, True, 0)
