"""What a call costs, from the price table of genai-prices, which is installed like any other dependency and never fetched at run time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING

from domain.llm.model import REHEARSAL, TokenUsage

if TYPE_CHECKING:
    from genai_prices import types
    from genai_prices.data_snapshot import DataSnapshot

MICRODOLLAR = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPrice:
    """USD per million tokens. `cached_prompt_per_million` is None where cached prompts cost as much as others."""

    prompt_per_million: Decimal
    cached_prompt_per_million: Decimal | None
    completion_per_million: Decimal


_FREE = ModelPrice(prompt_per_million=Decimal(0), cached_prompt_per_million=Decimal(0), completion_per_million=Decimal(0))


class PriceBook:
    """A price of None means unpriced, never free; only the rehearsal is free.

    `clock` decides between a price and its announced successor. Models are found by name alone, so a model of that name on one's own
    machine counts at its public price.
    """

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    @cached_property
    def dated(self) -> str:
        """Which edition of the table this is."""
        return f"genai-prices {version('genai-prices')}"

    def price(self, model: str) -> ModelPrice | None:
        """The base tier; `cost` also knows the higher tiers of long prompts."""
        if model == REHEARSAL:
            return _FREE
        if (prices := self._prices(model)) is None:
            return None
        cached = prices.cache_read_mtok
        return ModelPrice(
            prompt_per_million=_base(prices.input_mtok),
            cached_prompt_per_million=None if cached is None else _base(cached),
            completion_per_million=_base(prices.output_mtok),
        )

    def cost(self, model: str, usage: TokenUsage) -> Decimal | None:
        """USD, rounded half up to six places."""
        if model == REHEARSAL:
            return Decimal(0).quantize(MICRODOLLAR)
        if (prices := self._prices(model)) is None:
            return None
        from genai_prices import Usage  # noqa: PLC0415 - a third of a second, see _table

        billed = Usage(
            input_tokens=usage.prompt_tokens, cache_read_tokens=usage.cached_prompt_tokens, output_tokens=usage.completion_tokens
        )
        return prices.calc_price(billed)["total_price"].quantize(MICRODOLLAR, ROUND_HALF_UP)

    def embedding_cost(self, model: str, tokens: int) -> Decimal | None:
        """USD for the vectors of so many tokens, rounded up to six places. Such models have a price for what goes in alone."""
        if (found := self._find_embedding_model(model)) is None or not (price := _base(found.get_prices(self._clock()).input_mtok)):
            return None
        return (price * tokens / 1_000_000).quantize(MICRODOLLAR, ROUND_UP)

    def context_window(self, model: str) -> int | None:
        """Tokens, as far as the table knows."""
        found = self._find(model)
        return found.context_window if found else None

    def _prices(self, model: str) -> "types.ModelPrice | None":
        if (found := self._find(model)) is None:
            return None
        prices = found.get_prices(self._clock())
        # Half a price, or none at all as for models billed by the picture or the minute, must not pass for a cheap one.
        return prices if _base(prices.input_mtok) and _base(prices.output_mtok) else None

    def _find(self, model: str) -> "types.ModelInfo | None":
        try:
            _, found = self._table.find_provider_model(model.removeprefix("openai/"), None, None, None)
        except LookupError:
            return None
        return found

    def _find_embedding_model(self, model: str) -> "types.ModelInfo | None":
        if (found := self._find(model)) is not None:
            return found
        # The names of embedding models do not tell their provider; of those that offer one of that name, OpenAI goes first.
        providers = sorted(self._table.providers, key=lambda provider: (provider.id != "openai", provider.id))
        return next((found for provider in providers if (found := provider.find_model(model.removeprefix("openai/")))), None)

    @cached_property
    def _table(self) -> "DataSnapshot":
        # Imported at first use: thirty thousand lines of prices take a third of a second, which no command line call should wait for.
        from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415

        return get_snapshot()


def _base(price: "Decimal | types.TieredPrices | None") -> Decimal:
    if price is None:
        return Decimal(0)
    return price if isinstance(price, Decimal) else price.base
