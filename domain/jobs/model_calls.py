"""Paid calls to the model: intended before, recorded after, never bought twice.

A call whose text has begun to arrive is always recorded, also when it is cut short by a cancel, a shutdown or the network: its text
is kept, its usage estimated, and the next call continues from its tail. Only calls that brought nothing are tried again.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import count

from domain.jobs.job import CallIntent, CallResult
from domain.jobs.run import Interrupted, JobRun
from domain.llm.failures import ModelFailure
from domain.llm.model import Completed, CompletionRequest, LanguageModel, TextDelta, TokenUsage
from domain.llm.prices import PriceBook
from domain.ports import Clock, JobDesk, Tokens
from domain.prompting.digest import prompt_digest

INTERRUPTED = "interrupted"
ATTEMPTS = 4
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0


class ModelCalls:
    """`draw` gives numbers in 0..1 for the jitter of pauses."""

    def __init__(
        self, *, desk: JobDesk, model: LanguageModel, tokens: Tokens, prices: PriceBook, clock: Clock, draw: Callable[[], float]
    ) -> None:
        self._desk = desk
        self._model = model
        self._tokens = tokens
        self._prices = prices
        self._clock = clock
        self._draw = draw

    async def complete(self, run: JobRun, step: str, request: CompletionRequest, *, show: Callable[[str], None]) -> CallResult:
        """The recorded result of this step, bought now if it is not there yet; `show` is given its text as it arrives.

        Raises ModelFailure when the model cannot be had, Interrupted when the run is to end (what had arrived is recorded).
        """
        for attempt in count(1):
            if (recorded := await self._desk.intend(run.claim, self._intent(step, request))) is not None:
                return recorded
            try:
                return await self._attempt(run, step, request, show)
            except ModelFailure as failure:
                cost = self._prices.cost(request.model, failure.usage) if failure.usage else None
                await self._desk.abandon(run.claim, step, at=self._clock(), usage=failure.usage, cost=cost)
                if not failure.retryable or attempt == ATTEMPTS:
                    raise
                async with run.interruptible():
                    await asyncio.sleep(self._pause(attempt, failure.retry_after))
        raise AssertionError  # the count is endless

    async def _attempt(self, run: JobRun, step: str, request: CompletionRequest, show: Callable[[str], None]) -> CallResult:
        parts: list[str] = []
        completed: Completed | None = None
        reported: TokenUsage | None = None
        interrupted: Interrupted | None = None
        try:
            async with run.interruptible(), self._model.stream(request) as items:
                async for item in items:
                    if isinstance(item, TextDelta):
                        # No column can hold a NUL, and no prose needs one.
                        parts.append(item.text.replace("\0", ""))
                        show(parts[-1])
                    else:
                        completed = item
        except Interrupted as stop:
            interrupted = stop
        except ModelFailure as failure:
            if not parts:
                raise
            reported = failure.usage
        result = self._result("".join(parts), completed, reported, request)
        await run.log.flush()
        await self._desk.record(run.claim, step, result, at=self._clock(), events=())
        if interrupted is not None:
            raise interrupted
        return result

    def _result(self, text: str, completed: Completed | None, reported: TokenUsage | None, request: CompletionRequest) -> CallResult:
        usage = completed.usage if completed else reported or self._usage(request, text)
        finish = completed.finish.value if completed else INTERRUPTED
        return CallResult(text=text, finish=finish, usage=usage, cost=self._prices.cost(request.model, usage))

    def _intent(self, step: str, request: CompletionRequest) -> CallIntent:
        expected = replace(self._usage(request, ""), completion_tokens=request.max_tokens)
        return CallIntent(
            step=step,
            model=request.model,
            request_hash=request_hash(request),
            expected=expected,
            expected_cost=self._prices.cost(request.model, expected),
            at=self._clock(),
        )

    def _usage(self, request: CompletionRequest, text: str) -> TokenUsage:
        """Counted by us, for a call whose end nobody reported."""
        return TokenUsage(
            prompt_tokens=self._tokens.count_messages(request.messages, model=request.model),
            cached_prompt_tokens=0,
            completion_tokens=self._tokens.count(text, model=request.model),
            estimated=True,
        )

    def _pause(self, attempt: int, retry_after: float | None) -> float:
        """Seconds: as the server asked, else doubling, with up to half as much again so that many do not return at once."""
        base = retry_after if retry_after is not None else FIRST_PAUSE_SECONDS * 2 ** (attempt - 1)
        return min(LONGEST_PAUSE_SECONDS, base) * (1 + self._draw() / 2)


def request_hash(request: CompletionRequest) -> str:
    """sha256 of everything that decides the answer."""
    key = [prompt_digest(request.messages), request.model, request.temperature, request.max_tokens]
    return hashlib.sha256(json.dumps(key).encode()).hexdigest()
