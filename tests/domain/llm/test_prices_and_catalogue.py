from datetime import UTC, datetime
from decimal import Decimal

import pytest

from domain.llm.catalogue import LONGEST_NAME, OFFERED, ModelCatalogue
from domain.llm.model import TokenUsage
from domain.llm.prices import PriceBook


def book(day: datetime = datetime(2026, 11, 22, tzinfo=UTC)) -> PriceBook:
    return PriceBook(clock=lambda: day)


def used(prompt: int, completion: int, *, cached: int = 0) -> TokenUsage:
    return TokenUsage(prompt_tokens=prompt, cached_prompt_tokens=cached, completion_tokens=completion, estimated=False)


def test_a_call_costs_its_tokens_at_the_price_of_a_million():
    price = book().price("gpt-4o")
    assert (price.prompt_per_million, price.cached_prompt_per_million, price.completion_per_million) == (
        Decimal("2.5"),
        Decimal("1.25"),
        Decimal(10),
    )
    assert book().cost("gpt-4o", used(1_000_000, 0)) == Decimal("2.5")
    assert book().cost("gpt-4o", used(1_000, 200)) == Decimal("0.0045")
    assert book().cost("openai/gpt-4o", used(1_000, 200)) == Decimal("0.0045")


def test_cached_prompt_tokens_cost_less_where_the_model_discounts_them():
    assert book().cost("gpt-4o", used(1_000, 0, cached=400)) == Decimal("0.0020")
    assert book().cost("gpt-4", used(1_000, 0, cached=400)) == book().cost("gpt-4", used(1_000, 0))


def test_costs_have_six_places_rounded_half_up():
    cost = book().cost("gpt-4o", used(1, 0))  # 0.0000025
    assert cost == Decimal("0.000003")
    assert cost.as_tuple().exponent == -6


def test_a_price_that_changes_on_a_day_is_asked_of_the_clock():
    before, after = datetime(2025, 6, 9, tzinfo=UTC), datetime(2025, 6, 11, tzinfo=UTC)
    assert book(before).price("o3").prompt_per_million == 10
    assert book(after).price("o3").prompt_per_million == 2


@pytest.mark.parametrize("model", ["llama3:8b", "whisper-1", "text-embedding-3-small", "", "no such model"])
def test_what_has_no_price_is_unpriced_and_not_free(model):
    assert book().price(model) is None
    assert book().cost(model, used(1_000, 1_000)) is None


def test_the_rehearsal_is_free():
    assert book().cost("rehearsal", used(1_000, 1_000)) == 0
    assert book().price("rehearsal").completion_per_million == 0


def test_the_table_says_which_edition_it_is():
    assert book().dated.startswith("genai-prices ")


def test_every_model_offered_is_priced_and_its_window_known():
    models = ModelCatalogue(default="gpt-4.1-mini", prices=book(), rehearsal=False).models()
    assert {model.name for model in models} == set(OFFERED)
    assert all(model.price is not None and model.context_window >= 128_000 for model in models)


def test_the_default_comes_first_and_only_once():
    models = ModelCatalogue(default="gpt-4.1-mini", prices=book(), rehearsal=False).models()
    assert models[0].name == "gpt-4.1-mini"
    assert [model.is_default for model in models] == [True] + [False] * (len(models) - 1)


def test_any_name_can_be_asked_for_at_a_real_endpoint():
    catalogue = ModelCatalogue(default="llama3:8b", prices=book(), rehearsal=False, offered=())
    assert [model.name for model in catalogue.models()] == ["llama3:8b"]
    local = catalogue.find("qwen3:32b")
    assert (local.context_window, local.price, local.is_default) == (8192, None, False)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\0", " gpt-4o", "x" * (LONGEST_NAME + 1), "rehearsal"])
def test_what_cannot_be_a_models_name_is_not_found(name):
    assert ModelCatalogue(default="gpt-4o", prices=book(), rehearsal=False).find(name) is None


def test_a_rehearsal_offers_nothing_but_itself():
    catalogue = ModelCatalogue(default="gpt-4o", prices=book(), rehearsal=True)
    [only] = catalogue.models()
    assert (only.name, only.is_default, only.price.prompt_per_million) == ("rehearsal", True, 0)
    assert catalogue.find("rehearsal") == only
    assert catalogue.find("gpt-4o") is None


@pytest.mark.parametrize(
    ("model", "cost"),
    [
        ("text-embedding-3-small", Decimal("0.000020")),
        ("openai/text-embedding-3-large", Decimal("0.000130")),
        ("mistral-embed", Decimal("0.000100")),
        ("nomic-embed-text", None),
    ],
)
def test_embedding_models_cost_what_goes_in(model: str, cost: Decimal | None):
    assert book().embedding_cost(model, 1_000) == cost


def test_no_vector_is_had_for_nothing():
    assert book().embedding_cost("text-embedding-3-small", 1) == Decimal("0.000001")
    assert book().embedding_cost("text-embedding-3-small", 0) == 0
