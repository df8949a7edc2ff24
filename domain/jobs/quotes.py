"""What a call can cost: its prompt is counted once, off the event loop, however often somebody asks."""

import asyncio
from decimal import Decimal
from typing import Self

from domain.llm.model import CompletionRequest, TokenUsage
from domain.llm.prices import PriceBook
from domain.ports import Tokens
from domain.spending import ZERO


class Quote:
    """Of one request. All amounts are USD, and None for a model without a known price."""

    def __init__(self, model: str, *, prompt_tokens: int, prices: PriceBook) -> None:
        self._model = model
        self._prompt_tokens = prompt_tokens
        self._prices = prices

    @classmethod
    async def of(cls, request: CompletionRequest, *, tokens: Tokens, prices: PriceBook) -> Self:
        prompt_tokens = await asyncio.to_thread(tokens.count_messages, request.messages, model=request.model)
        return cls(request.model, prompt_tokens=prompt_tokens, prices=prices)

    def usage(self, completion_tokens: int) -> TokenUsage:
        """As we count it, for an answer of this length."""
        return TokenUsage(prompt_tokens=self._prompt_tokens, cached_prompt_tokens=0, completion_tokens=completion_tokens, estimated=True)

    def cost(self, completion_tokens: int) -> Decimal | None:
        """With nothing cached."""
        return self._prices.cost(self._model, self.usage(completion_tokens))

    def affordable_tokens(self, money: Decimal, *, at_most: int) -> int:
        """How long the answer may be for the whole call to cost no more than `money`."""
        price = self._prices.price(self._model)
        if price is None or not price.completion_per_million:
            return at_most
        rest = money - (self.cost(0) or ZERO)
        return min(at_most, int(rest * 1_000_000 / price.completion_per_million))
