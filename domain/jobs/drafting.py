"""The draft of one chapter, bought in recorded parts.

A part ends because the model is done, because it reached its length, or because it was cut short; the latter two are continued from
their tail by the next part, until the chapter is long enough or `MAXIMUM_PARTS` are spent.
"""

from itertools import takewhile

from domain.jobs.events import TextReplaced
from domain.jobs.job import CallResult, GenerationRequest, JobStage
from domain.jobs.model_calls import INTERRUPTED, ModelCalls
from domain.jobs.run import JobRun
from domain.llm.model import CompletionRequest, FinishReason, Message, Role
from domain.ports import JobDesk
from domain.prompting.lengths import PART_TOKENS, tokens_for_words
from domain.prompting.receipts import Prompt
from domain.spending import longest_answer
from domain.writing.words import count_words

MAXIMUM_PARTS = 60
ENOUGH = 1.5
UNFINISHED = frozenset({FinishReason.LENGTH.value, INTERRUPTED})
CHARACTERS_PER_WORD = 6
SHARE_BEFORE, SHARE_OF_DRAFT, REPORTED_EVERY = 0.05, 0.9, 0.02
CONTINUE = (
    "Continue exactly where the text above breaks off, in the middle of a sentence if need be. Repeat nothing and comment on nothing."
)


class Drafting:
    """`target_words` is what the brief asks for, `shown` what followers of the log see of the text."""

    def __init__(
        self,
        *,
        desk: JobDesk,
        calls: ModelCalls,
        run: JobRun,
        prompt: Prompt,
        request: GenerationRequest,
        target_words: int,
        shown: str,
    ) -> None:
        self._desk = desk
        self._calls = calls
        self._run = run
        self._prompt = prompt
        self._request = request
        self._target_words = target_words
        self._shown = shown
        self._reported = 0.0

    async def write(self) -> str:
        """The whole text. Raises what ModelCalls.complete raises; the parts so far stay recorded."""
        recorded = {} if self._run.claim.attempt == 1 else await self._desk.results(self._run.claim)
        text, bought = "", False
        for number in range(1, MAXIMUM_PARTS + 1):
            step = f"draft/{number}"
            if (last := recorded.get(step)) is None:
                if bought:
                    await self._run.between_steps()
                last, bought = await self._buy(step, text), True
            text += last.text
            if last.finish not in UNFINISHED or count_words(text) >= ENOUGH * self._target_words:
                break
        return text

    async def _buy(self, step: str, text: str) -> CallResult:
        self._run.checkpoint()
        self._correct(step, text)
        return await self._calls.complete(self._run, step, self._request_for(text), show=lambda delta: self._show(step, delta))

    def _request_for(self, text: str) -> CompletionRequest:
        continuation = (Message(Role.ASSISTANT, text), Message(Role.USER, CONTINUE)) if text else ()
        missing_words = max(0, self._target_words - count_words(text))
        return CompletionRequest(
            model=self._request.model,
            messages=(*self._prompt.messages, *continuation),
            temperature=self._request.temperature,
            max_tokens=min(PART_TOKENS, longest_answer(tokens_for_words(missing_words))),
        )

    def _correct(self, step: str, text: str) -> None:
        """Take back what a worker that died had shown of a part it never recorded."""
        if self._shown != text:
            kept = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(self._shown, text, strict=False)))
            self._run.log.emit(TextReplaced(step, kept, text[kept:]))
            self._shown = text
        self._run.log.continue_at(len(text))

    def _show(self, step: str, delta: str) -> None:
        self._shown += delta
        self._run.log.write(step, delta)
        written = len(self._shown) / CHARACTERS_PER_WORD
        fraction = SHARE_BEFORE + SHARE_OF_DRAFT * min(1.0, written / self._target_words)
        if fraction >= self._reported + REPORTED_EVERY:
            self._reported = fraction
            self._run.progress(JobStage.DRAFTING, fraction, f"About {round(written, -1):,.0f} of {self._target_words:,} words.")
