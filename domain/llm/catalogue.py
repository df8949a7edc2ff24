"""The models an author can choose from."""

from dataclasses import dataclass

from domain.llm.model import REHEARSAL
from domain.llm.prices import ModelPrice, PriceBook

OFFERED = (
    "gpt-6-sol",
    "gpt-6-luna",
    "gpt-5.5",
    "gpt-5.4",
    "gpt-5.4-mini",
    "gpt-5.4-nano",
    "gpt-4.1",
    "gpt-4.1-mini",
    "gpt-4o",
    "gpt-4o-mini",
)
"""A choice of OpenAI's text models, newest first; a test holds that each is priced. Any other name can be given as well."""

SMALLEST_CONTEXT_WINDOW = 8192
REHEARSAL_CONTEXT_WINDOW = 131_072
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """`context_window`: tokens of prompt and completion together; the smallest one usual today where nothing is known."""

    name: str
    context_window: int
    price: ModelPrice | None
    is_default: bool


class ModelCatalogue:
    """With `rehearsal` there is one model, the built-in stand-in; otherwise `offered` and every name the endpoint may know."""

    def __init__(self, *, default: str, prices: PriceBook, rehearsal: bool, offered: tuple[str, ...] = OFFERED) -> None:
        self._default = REHEARSAL if rehearsal else default
        self._prices = prices
        self._rehearsal = rehearsal
        self._offered = () if rehearsal else offered

    def models(self) -> tuple[ModelInfo, ...]:
        """The default first, each name once."""
        return tuple(self._describe(name) for name in dict.fromkeys((self._default, *self._offered)))

    def find(self, name: str) -> ModelInfo | None:
        """None for what cannot be a model's name; whether the endpoint has the model shows when it is called."""
        if self._rehearsal != (name == REHEARSAL) or not _could_be_a_name(name):
            return None
        return self._describe(name)

    def _describe(self, name: str) -> ModelInfo:
        known = REHEARSAL_CONTEXT_WINDOW if name == REHEARSAL else self._prices.context_window(name)
        return ModelInfo(
            name=name,
            context_window=known or SMALLEST_CONTEXT_WINDOW,
            price=self._prices.price(name),
            is_default=name == self._default,
        )


def _could_be_a_name(name: str) -> bool:
    return 0 < len(name) <= LONGEST_NAME and name.isprintable() and name == name.strip()
