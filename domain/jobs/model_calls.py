"""Paid calls to the model: intended before, recorded after, never bought twice.

A call whose text has begun to arrive is always recorded, also when it is cut short by a cancel, a shutdown, the network or a content
filter: its text is kept, its usage estimated if need be, and the next call continues from its tail. Only calls that brought nothing are
tried again under their own name.
A result is held on to while the database is away.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any

from domain.jobs.attempts import Attempts
from domain.jobs.endpoints import Admission, Endpoints
from domain.jobs.job import CallIntent, CallResult, LeaseLost, Waiting
from domain.jobs.ports import JobDesk
from domain.jobs.quotes import Quote
from domain.jobs.run import Interrupted, JobRun, OutOfFunds
from domain.jobs.timing import Tell, Timing
from domain.llm.failures import ModelFailure, ModelRefusedContent
from domain.llm.model import Completed, CompletionRequest, FinishReason, LanguageModel, TextDelta
from domain.llm.prices import PriceBook
from domain.ports import Clock, Ids, Tokens
from domain.prompting.digest import prompt_digest
from domain.spending import ZERO, Allowance, LimitName

logger = logging.getLogger(__name__)

INTERRUPTED = "interrupted"
LEAST_TOKENS = 128
"""An answer that may not even be this long is not worth sending the prompt for."""
RECORDING_ATTEMPTS = 600
RECORDING_PAUSE_SECONDS = 0.5


class CutOff(Exception):  # noqa: N818  - what came is kept, so it is half a result
    """Text came, was recorded as `result`, and broke off because of `failure`."""

    def __init__(self, result: CallResult, failure: ModelFailure) -> None:
        super().__init__(result.finish)
        self.result = result
        self.failure = failure


class ModelCalls:
    def __init__(
        self,
        *,
        desk: JobDesk,
        model: LanguageModel,
        tokens: Tokens,
        prices: PriceBook,
        clock: Clock,
        ids: Ids,
        endpoints: Endpoints,
        timing: Timing,
    ) -> None:
        self._desk = desk
        self._model = model
        self._tokens = tokens
        self._prices = prices
        self._clock = clock
        self._ids = ids
        self._endpoints = endpoints
        self._timing = timing

    def has_price(self, model: str) -> bool:
        """Whether limits on spending can hold what this model is paid."""
        return self._prices.price(model) is not None

    def attempts(self) -> Attempts:
        """For all calls of one run that ask for parts of one text."""
        return Attempts(self._timing)

    async def complete(
        self, run: JobRun, step: str, request: CompletionRequest, *, attempts: Attempts, show: Callable[[str], None], tell: Tell
    ) -> CallResult:
        """The recorded result of this step, bought now if it is not there yet; `show` is given its text as it arrives.

        Raises ModelFailure when the model cannot be had, CutOff when its text broke off, CallsLost when two workers died over this call,
        OutOfFunds when a limit does not leave enough for it, Interrupted when the run is to end; text that had arrived is recorded.
        """
        await self._model.prepare()
        quote = await Quote.of(request, tokens=self._tokens, prices=self._prices)
        endpoint = self._endpoints.of(request.model)
        most_tokens = quote.usage(request.max_tokens).total_tokens
        while True:
            async with endpoint.admitted(run, tokens=most_tokens, tell=tell) as admission:
                affordable = await self._within_means(run, request, quote)
                intent = self._intent(step, affordable, quote)
                if (recorded := await self._desk.intend(run.claim, intent)) is not None:
                    return recorded
                try:
                    call = replace(affordable, call_id=intent.call_id, last_look=run.require_lease)
                    result = await self._attempt(run, intent, call, quote=quote, admission=admission, show=show)
                except ModelFailure as failure:
                    admission.failed(failure)
                    cost = self._prices.cost(request.model, failure.usage) if failure.usage else None
                    await self._desk.abandon(run.claim, intent, at=self._clock(), usage=failure.usage, cost=cost)
                    await attempts.endure(failure, run, tell)
                else:
                    attempts.ended_well()
                    return result

    async def _within_means(self, run: JobRun, request: CompletionRequest, quote: Quote) -> CompletionRequest:
        """The request, its answer cut to what may be spent on it. Raises OutOfFunds when that is hardly anything.

        A model without a known price cannot be held to any limit: that is what a project's consent to such models is for.
        """
        if not (wanted := quote.cost(request.max_tokens)) or wanted <= run.take_funds():
            return request
        funds = await self._desk.fund(run.claim, wanted)
        if funds.short_of is None:
            return request
        # Half a text is worth something, half an answer of a certain form is not.
        least = request.max_tokens if request.response_schema is not None else min(request.max_tokens, LEAST_TOKENS)
        needs = quote.cost(least) or ZERO
        if funds.granted < needs:
            raise OutOfFunds(_waiting(funds.short_of, needs))
        return replace(request, max_tokens=quote.affordable_tokens(funds.granted, at_most=request.max_tokens))

    async def _attempt(
        self,
        run: JobRun,
        intent: CallIntent,
        request: CompletionRequest,
        *,
        quote: Quote,
        admission: Admission,
        show: Callable[[str], None],
    ) -> CallResult:
        answer, begun = _Answer(), False
        ended_early: Interrupted | LeaseLost | ModelFailure | None = None
        try:
            async with run.interruptible():
                begun = True
                async with self._model.stream(request) as items:
                    async for item in items:
                        if delta := answer.take(item):
                            admission.answered()
                            show(delta)
        except (Interrupted, LeaseLost, ModelFailure) as early:
            if isinstance(early, ModelFailure) and not answer.text:
                raise
            ended_early = early
        # A lease is looked at last right before the request is sent.
        if isinstance(ended_early, LeaseLost) or (isinstance(ended_early, Interrupted) and not begun):
            await self._desk.abandon(run.claim, intent, at=self._clock(), usage=None, cost=None)
            raise ended_early
        result = self._result(answer, ended_early, request, quote)
        await run.log.flush()
        await self._record(run, intent, result)
        if isinstance(ended_early, Interrupted):
            raise ended_early
        if failure := ended_early or _filtered(result):
            raise CutOff(result, failure)
        return result

    async def _record(self, run: JobRun, intent: CallIntent, result: CallResult) -> None:
        """What has been paid for is not given up because the database is away for a few minutes. Raises LeaseLost."""
        at = self._clock()
        for attempt in count(1):
            try:
                await self._desk.record(run.claim, intent, result, at=at)
            except LeaseLost:
                raise
            except Exception:  # whatever ails the database; the domain does not know its drivers
                if attempt == RECORDING_ATTEMPTS:
                    raise
                logger.warning("call.recording_failed", exc_info=True, extra={"job_id": str(run.claim.job_id), "step": intent.step})
                await asyncio.sleep(RECORDING_PAUSE_SECONDS)
            else:
                return

    def _result(
        self, answer: "_Answer", ended_early: Interrupted | ModelFailure | None, request: CompletionRequest, quote: Quote
    ) -> CallResult:
        if answer.completed:
            finish, usage = answer.completed.finish.value, answer.completed.usage
        else:
            reported = ended_early.usage if isinstance(ended_early, ModelFailure) else None
            finish, usage = INTERRUPTED, reported or quote.usage(self._tokens.count(answer.text, model=request.model))
        return CallResult(text=answer.text, finish=finish, usage=usage, cost=self._prices.cost(request.model, usage))

    def _intent(self, step: str, request: CompletionRequest, quote: Quote) -> CallIntent:
        return CallIntent(
            call_id=self._ids(),
            step=step,
            model=request.model,
            request_hash=request_hash(request),
            expected=quote.usage(request.max_tokens),
            expected_cost=quote.cost(request.max_tokens),
            at=self._clock(),
        )


class _Answer:
    """What has arrived of a stream so far."""

    def __init__(self) -> None:
        self.text = ""
        self.completed: Completed | None = None

    def take(self, item: TextDelta | Completed) -> str:
        """The text that this adds."""
        if isinstance(item, Completed):
            self.completed = item
            return ""
        delta = _storable(item.text)
        self.text += delta
        return delta


def _waiting(limit: Allowance, needs: Decimal) -> Waiting:
    required = None if limit.name is LimitName.MONTHLY_LIMIT else limit.limit + needs - limit.left
    return Waiting(limit_name=limit.name.value, limit=limit.limit, required=required, needs=needs)


def _filtered(result: CallResult) -> ModelFailure | None:
    if result.finish != FinishReason.CONTENT_FILTER:
        return None
    return ModelRefusedContent("The model's content filter cut the text off. Change the brief or the model; what was written is kept.")


def _storable(text: str) -> str:
    """No column can hold a NUL or half a surrogate pair, and no prose needs one."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def request_hash(request: CompletionRequest) -> str:
    """sha256 of what decides the words of the answer; how many there may be depends on the money that is there just now."""
    key: list[Any] = [prompt_digest(request.messages), request.model, request.temperature]
    if request.response_schema is not None:  # left out where there is none, so that requests for prose keep the hash they always had
        key += [request.schema_name, dict(request.response_schema)]
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
