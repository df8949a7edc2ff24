"""Money and tokens: what calls used, what they may cost, and what a project has left. All amounts are USD."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from math import ceil

from domain.llm.model import TokenUsage

ZERO = Decimal("0.000000")
SHORT_DRAFT = 0.5
LONG_DRAFT = 1.5
SHORTEST_LIMIT_TOKENS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a number of model calls used. `cost` sums the priced calls; `unpriced_calls` says how many are missing from it.

    Of `uncertain_calls` nobody knows whether they were billed: they count with all they could have used.
    """

    calls: int = 0
    prompt_tokens: int = 0
    cached_prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: Decimal = ZERO
    unpriced_calls: int = 0
    uncertain_calls: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            calls=self.calls + other.calls,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            cached_prompt_tokens=self.cached_prompt_tokens + other.cached_prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cost=self.cost + other.cost,
            unpriced_calls=self.unpriced_calls + other.unpriced_calls,
            uncertain_calls=self.uncertain_calls + other.uncertain_calls,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReport:
    total: Usage
    by_day: tuple[tuple[date, Usage], ...]
    by_model: tuple[tuple[str, Usage], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CostEstimate:
    """What a call will probably cost. `low` and `high` are None for a model without a known price."""

    model: str
    prompt_tokens: int
    completion_tokens: int
    low: Decimal | None
    high: Decimal | None

    @property
    def priced(self) -> bool:
        return self.high is not None


class LimitName(StrEnum):
    """The limits on spending, by the names that clients know them by."""

    COST_LIMIT = "costLimit"
    BUDGET_LIMIT = "budgetLimit"
    MONTHLY_LIMIT = "monthlyLimit"


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one limit leaves. It can be less than nothing: a limit may be lowered below what has been spent."""

    name: LimitName
    limit: Decimal
    left: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Funds:
    """What a call may cost. `short_of` is the limit in its way when that is less than was asked for."""

    granted: Decimal
    short_of: Allowance | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """`reserved` is held for running jobs, `remaining` None when there is no limit."""

    limit: Decimal | None
    spent: Decimal
    reserved: Decimal

    @property
    def remaining(self) -> Decimal | None:
        return None if self.limit is None else max(ZERO, self.limit - self.spent - self.reserved)


def longest_answer(expected_tokens: int) -> int:
    """Tokens: how long a text may get for which so many are expected. Half as long again, and never so short that it must break off."""
    return max(SHORTEST_LIMIT_TOKENS, ceil(LONG_DRAFT * expected_tokens))


def estimate_call(
    model: str, *, prompt_tokens: int, completion_tokens: int, part_tokens: int, cost: Callable[[str, TokenUsage], Decimal | None]
) -> CostEstimate:
    """What a text will cost for which `completion_tokens` are expected, written in calls of at most `part_tokens` each.

    `low`: the provider has the whole prompt in its cache and the text comes out half as long as expected; `high`: nothing is cached, it
    is as long as its first calls may make it (`longest_answer`), and each further call sends the prompt and the text so far once more.
    Neither is a bound the provider guarantees. `cost` answers USD, None for a model without a known price.
    """
    longest = longest_answer(completion_tokens)
    calls = max(1, ceil(longest / part_tokens))
    sent_again = part_tokens * calls * (calls - 1) // 2
    return CostEstimate(
        model=model,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        low=cost(model, _used(prompt_tokens, cached=prompt_tokens, completion=ceil(SHORT_DRAFT * completion_tokens))),
        high=cost(model, _used(calls * prompt_tokens + sent_again, completion=longest)),
    )


def estimate_calls(
    model: str, *, prompt_tokens: int, completion_tokens: int, cost: Callable[[str, TokenUsage], Decimal | None]
) -> CostEstimate:
    """What several calls will cost together, whose prompts are known; both numbers are sums over all of them.

    `low`: the provider has all prompts in its cache and answers half as much as expected; `high`: nothing is cached, and the answers are
    half as long again. `cost` answers USD, None for a model without a known price.
    """
    return CostEstimate(
        model=model,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        low=cost(model, _used(prompt_tokens, cached=prompt_tokens, completion=ceil(SHORT_DRAFT * completion_tokens))),
        high=cost(model, _used(prompt_tokens, completion=ceil(LONG_DRAFT * completion_tokens))),
    )


def add_estimates(model: str, *parts: CostEstimate) -> CostEstimate:
    """The sum, under this model's name; where a part has no price, neither has the sum, and it goes by that part's model. Free without parts."""
    unpriced = next((part for part in parts if part.high is None), None)
    return CostEstimate(
        model=unpriced.model if unpriced else model,
        prompt_tokens=sum(part.prompt_tokens for part in parts),
        completion_tokens=sum(part.completion_tokens for part in parts),
        low=None if unpriced else sum((part.low or ZERO for part in parts), ZERO),
        high=None if unpriced else sum((part.high or ZERO for part in parts), ZERO),
    )


def _used(prompt: int, *, cached: int = 0, completion: int) -> TokenUsage:
    return TokenUsage(prompt_tokens=prompt, cached_prompt_tokens=cached, completion_tokens=completion, estimated=True)
