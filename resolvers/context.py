"""What every resolver is given: who asks, and the outside world."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from domain.access import Viewer
from domain.jobs.ports import Wakeups
from domain.llm.catalogue import ModelCatalogue
from domain.llm.prices import PriceBook
from domain.ports import Clock, Ids, Library, Records, Tokens
from domain.prompting.memory import PromptMemory
from resolvers.loaders import Loaders


@dataclass(frozen=True, kw_only=True)
class Services:
    """The outside world, built once per process. The default models are used where a project names none.

    `monthly_limit` is what each user may spend in a month of UTC, in USD; None for no limit.
    """

    library: Library
    wakeups: Wakeups
    tokens: Tokens
    prompt_memory: PromptMemory
    models: ModelCatalogue
    prices: PriceBook
    default_model: str
    default_assessor_model: str
    monthly_limit: Decimal | None
    clock: Clock
    ids: Ids


@dataclass(frozen=True, kw_only=True)
class RequestContext(Services):
    """One operation of one viewer. Never shared between operations: its loaders collect what one operation asks for."""

    viewer: Viewer
    loaders: Loaders

    @classmethod
    def for_viewer(cls, services: Services, viewer: Viewer) -> Self:
        return cls(**vars(services), viewer=viewer, loaders=Loaders(services.library, viewer.id))

    def reading(self) -> AbstractAsyncContextManager[Records]:
        return self.library.reading(self.viewer.id)

    def writing(self) -> AbstractAsyncContextManager[Records]:
        return self.library.writing(self.viewer.id)
