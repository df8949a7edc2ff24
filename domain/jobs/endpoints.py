"""The door in front of each model: who calls it waits here while it is out of order, asked to be left alone, or called too often.

While a call waits, nothing is intended and no attempt is counted, and a cancel or a shutdown ends the wait at once. Calls that were held
back together do not start together: each has a turn of its own, at random intervals.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from domain.jobs.attempts import LONGEST_PAUSE_SECONDS
from domain.jobs.run import Interrupted, JobRun
from domain.jobs.timing import Tell, Timing
from domain.llm.circuit import Circuit
from domain.llm.failures import ModelFailure, ModelInterrupted, ModelMalformed, ModelRateLimited, ModelStalled, ModelUnavailable

logger = logging.getLogger(__name__)

OUT_OF_ORDER = (ModelUnavailable, ModelStalled, ModelInterrupted, ModelMalformed)
"""What speaks for a broken endpoint when no text has come: no answer, or none that can be read.

Any other failure is an answer, and shows that the endpoint works. So is a refused key: waiting would not mend it, and each caller is to
hear of it at once.
"""
LONGEST_HOLD_SECONDS = 86_400.0
"""Whoever asks to be left alone for longer is taken to be mistaken."""
MANY_ENDPOINTS = 200


class ModelRates(Protocol):
    """How often models may be called, and for how many tokens, by all processes together. Waits for nobody."""

    async def book(self, endpoint: str, *, tokens: int) -> float:
        """Take a place for one call of at most so many tokens; answers how many seconds from now it is, 0 for at once.

        Places are given in the order in which they are asked for. A call larger than a whole minute's allowance gets one, too: when
        the allowance is whole, and those behind it wait until it is made up for.
        """

    async def give_back(self, endpoint: str, *, tokens: int) -> None:
        """Of a place whose call will not be made."""


class Endpoints:
    """Of one process. `address` is the model server's; `rates` limits calls of all processes together, None does not."""

    def __init__(self, address: str, *, rates: ModelRates | None, timing: Timing) -> None:
        self._address = address
        self._rates = rates
        self._timing = timing
        self._endpoints: dict[str, Endpoint] = {}

    def of(self, model: str) -> "Endpoint":
        if model not in self._endpoints:
            if len(self._endpoints) >= MANY_ENDPOINTS:
                # Authors may name any model: names that led nowhere are not kept for ever.
                self._endpoints = {name: endpoint for name, endpoint in self._endpoints.items() if not endpoint.is_forgettable}
            self._endpoints[model] = Endpoint(f"{model} at {self._address}", rates=self._rates, timing=self._timing)
        return self._endpoints[model]


class Endpoint:
    """One model at one address, as this process knows it."""

    def __init__(self, name: str, *, rates: ModelRates | None, timing: Timing) -> None:
        pauses = timing.pauses
        self._name = name
        self._rates = rates
        self._timing = timing
        self._circuit = Circuit(first=pauses.circuit, longest=pauses.longest_circuit, draw=timing.draw)
        self._held_until = self._last_turn = timing.now()
        self._inside = 0

    @property
    def is_forgettable(self) -> bool:
        return not self._inside and self._circuit.is_untroubled and self._held_until <= self._timing.now()

    @asynccontextmanager
    async def admitted(self, run: JobRun, *, tokens: int, tell: Tell) -> AsyncIterator["Admission"]:
        """Entered when the call may begin; the admission is to be told what becomes of it.

        `tokens` is how large the call can get. Raises ModelFailure when the wait would be longer than a call should wait, and Interrupted.
        """
        self._inside += 1
        try:
            await self._until_clear(run, tell)
            if self._rates is not None:
                await self._until_its_place(self._rates, run, tokens, tell)
            call = self._circuit.begin()
            try:
                yield Admission(self, call)
            finally:
                self._circuit.left(call)
        finally:
            self._inside -= 1

    def answered(self) -> None:
        if not self._circuit.is_closed:
            logger.info("endpoint.closed", extra={"endpoint": self._name})
        self._circuit.answered()

    def failed(self, call: object, failure: ModelFailure) -> None:
        if failure.retry_after:
            seconds = min(failure.retry_after, LONGEST_HOLD_SECONDS)
            self._held_until = max(self._held_until, self._timing.now() + seconds)
            logger.warning("endpoint.held", extra={"endpoint": self._name, "seconds": seconds})
        if not isinstance(failure, OUT_OF_ORDER):
            self.answered()
        elif self._circuit.failed(call, self._timing.now()):
            seconds = self._circuit.delay(self._timing.now())
            logger.warning("endpoint.opened", extra={"endpoint": self._name, "seconds": seconds, "reason": failure.code})

    async def _until_its_place(self, rates: ModelRates, run: JobRun, tokens: int, tell: Tell) -> None:
        seconds = await rates.book(self._name, tokens=tokens)
        try:
            await self._timing.rest(run, seconds, reason="The model is called as often as this server's operator allows.", tell=tell)
            await self._until_clear(run, tell)
        except (Interrupted, ModelFailure):
            await rates.give_back(self._name, tokens=tokens)
            raise

    async def _until_clear(self, run: JobRun, tell: Tell) -> None:
        began = self._timing.now()
        while (seconds := self._delay()) > 0:
            waited = self._timing.now() - began
            if waited >= self._timing.pauses.patience or self._held_for > LONGEST_PAUSE_SECONDS:
                raise self._hopeless(waited)
            await self._timing.rest(run, min(seconds, self._timing.pauses.patience - waited), reason=self._reason, tell=tell)
            if self._delay() <= 0:
                await self._timing.rest(run, self._turn(), reason=self._reason, tell=tell)

    def _delay(self) -> float:
        return max(self._held_for, self._circuit.delay(self._timing.now()))

    @property
    def _held_for(self) -> float:
        return max(0.0, self._held_until - self._timing.now())

    def _turn(self) -> float:
        """Seconds until this call's turn, some time behind the last one given."""
        now = self._timing.now()
        self._last_turn = max(self._last_turn, now) + self._timing.pauses.turns * (0.5 + self._timing.draw())
        return self._last_turn - now

    @property
    def _reason(self) -> str:
        return "The model's provider asked for a pause." if self._held_for else "The model's provider is out of order."

    def _hopeless(self, waited: float) -> ModelFailure:
        if held := self._held_for:
            return ModelRateLimited(
                f"The model's provider wants no call for another {held:,.0f} seconds. Try again then.", retry_after=held
            )
        return ModelUnavailable(f"The model's provider was out of order, and not back within {waited:,.0f} seconds. Try again later.")


class Admission:
    """One call that was let through."""

    def __init__(self, endpoint: Endpoint, call: object) -> None:
        self._endpoint = endpoint
        self._call = call
        self._is_answered = False

    def answered(self) -> None:
        """Text has begun to arrive."""
        if not self._is_answered:
            self._is_answered = True
            self._endpoint.answered()

    def failed(self, failure: ModelFailure) -> None:
        """The call has brought nothing."""
        self._endpoint.failed(self._call, failure)
