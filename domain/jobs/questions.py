"""Asking a model for an answer of a certain form, and once more where what it says cannot be used.

Each answer is a recorded step, like a part of a draft: it is never bought twice, whatever happens to the worker that asked. Answers that
could not be used fail the run that had the second of them, and not the next, which asks twice more behind them.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Protocol, TypeVar, cast

from domain.jobs.job import CallResult, JobStage
from domain.jobs.means import Means
from domain.jobs.model_calls import INTERRUPTED, CutOff
from domain.jobs.run import JobRun
from domain.llm.failures import ModelFailure
from domain.llm.model import CompletionRequest, Message
from domain.spending import ZERO, Usage

Answer = TypeVar("Answer")


class Unusable(Protocol):
    """What a reader makes of an answer that will not do; `reason` is a sentence in our own words."""

    @property
    def reason(self) -> str: ...


Broken = TypeVar("Broken", bound=Unusable)

AGAIN = "/again"
ANSWERS = 2
"""That may be of no use, one after the other."""


class AnswerUnusable(ModelFailure):
    """The model was asked twice, and neither answer could be read as what was asked for."""

    code = "MODEL_ANSWER_UNUSABLE"


class Questions:
    """All the questions of one run: one after the other, so that the provider's cache serves what they share."""

    def __init__(self, means: Means, run: JobRun) -> None:
        self._means = means
        self._run = run
        self._attempts = means.calls.attempts()
        self._results: dict[str, CallResult] | None = None
        self._may_step_aside = False
        self._stage, self._fraction = JobStage.CONTEXT, 0.0

    def progress(self, stage: JobStage, fraction: float, message: str) -> None:
        """How far the job is, also while a model is waited for."""
        self._stage, self._fraction = stage, fraction
        self._run.progress(stage, fraction, message)

    async def ask(
        self,
        step: str,
        request: CompletionRequest,
        *,
        read: Callable[[str], Answer | Broken],
        broken: type[Broken],
        repair: Callable[[str, Broken], tuple[Message, ...]],
    ) -> Answer:
        """What `read` makes of the answer, or of a second one to `repair`'s messages.

        Raises AnswerUnusable, and what ModelCalls.complete raises but CutOff: what is left of an answer is for `read` to judge.
        """
        bought, counted = False, 0
        for number in count(1):
            name = _name(step, number)
            known = (await self._recorded()).get(name)
            answer = await self._answer(name, request)
            outcome = await asyncio.to_thread(read, answer)
            if not isinstance(outcome, broken):
                return cast("Answer", outcome)
            bought = bought or known is None
            # One that an earlier worker was cut off from says nothing against the model: it may have been asked to shut down.
            counted += known is None or known.finish != INTERRUPTED
            if bought and counted % ANSWERS == 0:
                raise AnswerUnusable(f"Twice the model's answer could not be used. {outcome.reason} Try again, or choose another model.")
            request = replace(request, messages=await asyncio.to_thread(repair, answer, outcome))
        raise AssertionError  # the count is endless

    async def usage_of(self, steps: str) -> Usage:
        """What the answers to those steps have used whose names begin so, whoever asked."""
        results = (result for step, result in (await self._recorded()).items() if step.startswith(steps))
        return sum((_usage(result) for result in results), Usage())

    async def _answer(self, step: str, request: CompletionRequest) -> str:
        recorded = await self._recorded()
        if step not in recorded:
            await self._pass_border()
            recorded[step] = await self._buy(step, request)
            self._may_step_aside = True
        return recorded[step].text

    async def _pass_border(self) -> None:
        """Not before the run's first call does it make way for others: whoever takes the job up brings it on by a step."""
        if self._may_step_aside:
            await self._run.between_steps()
        else:
            self._run.checkpoint()

    async def _buy(self, step: str, request: CompletionRequest) -> CallResult:
        try:
            return await self._means.calls.complete(self._run, step, request, attempts=self._attempts, show=lambda _: None, tell=self._tell)
        except CutOff as cut:
            return cut.result

    async def _recorded(self) -> dict[str, CallResult]:
        if self._results is None:
            first = self._run.claim.attempt == 1
            self._results = {} if first else dict(await self._means.desk.results(self._run.claim))
        return self._results

    def _tell(self, message: str) -> None:
        self._run.progress(self._stage, self._fraction, message)


def _name(step: str, number: int) -> str:
    """Of the step that records this answer, counted from 1: "facts", "facts/again", "facts/again/2" and so on."""
    return step if number == 1 else f"{step}{AGAIN}" if number == ANSWERS else f"{step}{AGAIN}/{number - 1}"


def _usage(result: CallResult) -> Usage:
    return Usage(
        calls=1,
        prompt_tokens=result.usage.prompt_tokens,
        cached_prompt_tokens=result.usage.cached_prompt_tokens,
        completion_tokens=result.usage.completion_tokens,
        cost=result.cost or ZERO,
        unpriced_calls=int(result.cost is None),
    )
