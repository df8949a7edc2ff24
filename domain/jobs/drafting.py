"""The draft of one chapter, bought in recorded parts.

A part ends because the model is done, because it reached its length, or because it broke off. What is not done is continued from its
tail by the next part, until the chapter is long enough or has `MAXIMUM_PARTS` of full length. Parts that break off count as attempts: a
few in a row end the run with the last one's failure, and so does a content filter at once. What failed one run does not fail the next,
which continues behind everything that is recorded.
"""

from itertools import count

from domain.jobs.job import CallResult, GenerationRequest, JobStage
from domain.jobs.model_calls import INTERRUPTED, CutOff, ModelCalls
from domain.jobs.ports import JobDesk
from domain.jobs.run import JobRun
from domain.jobs.showing import show
from domain.llm.model import CompletionRequest, FinishReason, Message, Role
from domain.prompting.lengths import PART_TOKENS, tokens_for_words
from domain.prompting.receipts import Prompt
from domain.spending import longest_answer
from domain.writing.words import count_words

MAXIMUM_PARTS = 60
ENOUGH = 1.5
BROKEN_OFF = frozenset({FinishReason.CONTENT_FILTER.value, INTERRUPTED})
CHARACTERS_PER_WORD = 6
SHARE_BEFORE, REPORTED_EVERY = 0.05, 0.02
CONTINUE = (
    "Continue exactly where the text above breaks off, in the middle of a sentence if need be. Repeat nothing and comment on nothing."
)


class Drafting:
    """`target_words` is what the brief asks for, `shown` what followers of the log see of the text.

    `written_at` is the job's progress when all is written.
    """

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
        written_at: float,
    ) -> None:
        self._desk = desk
        self._calls = calls
        self._run = run
        self._prompt = prompt
        self._request = request
        self._target_words = target_words
        self._shown = shown
        self._share = written_at - SHARE_BEFORE
        self._attempts = calls.attempts()
        self._reported = 0.0

    async def write(self) -> str:
        """The whole text. Raises what ModelCalls.complete raises; the parts so far stay recorded."""
        recorded = {} if self._run.claim.attempt == 1 else await self._desk.results(self._run.claim)
        text, full_parts, may_step_aside = "", 0, False
        for number in count(1):
            step = f"draft/{number}"
            if (last := recorded.get(step)) is None:
                if may_step_aside:
                    await self._run.between_steps()
                last = await self._buy(step, text)
                # Not behind a text that broke off: the next run would not know how many had done so in a row.
                may_step_aside = last.finish not in BROKEN_OFF
            text += last.text
            full_parts += last.finish == FinishReason.LENGTH
            if self._is_done(text, last.finish, full_parts):
                self._correct(step, text)
                return text
        raise AssertionError  # the count is endless

    def _is_done(self, text: str, finish: str, full_parts: int) -> bool:
        if finish == FinishReason.LENGTH:
            return full_parts == MAXIMUM_PARTS or count_words(text) >= ENOUGH * self._target_words
        return finish not in BROKEN_OFF

    async def _buy(self, step: str, text: str) -> CallResult:
        self._run.checkpoint()
        self._correct(step, text)
        try:
            return await self._calls.complete(
                self._run,
                step,
                self._request_for(text),
                attempts=self._attempts,
                show=lambda delta: self._show(step, delta),
                tell=self._tell,
            )
        except CutOff as cut:
            await self._attempts.endure(cut.failure, self._run, self._tell)
            return cut.result

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
        """Show what is recorded: a worker that died may have shown more, one that was frozen have recorded what it never showed."""
        show(self._run, step, text, shown=self._shown)
        self._shown = text

    def _show(self, step: str, delta: str) -> None:
        self._shown += delta
        self._run.log.write(step, delta)
        if self._fraction >= self._reported + REPORTED_EVERY:
            self._tell(f"About {round(self._words, -1):,.0f} of {self._target_words:,} words.")

    def _tell(self, message: str) -> None:
        self._reported = max(self._reported, self._fraction)
        self._run.progress(JobStage.DRAFTING, self._reported, message)

    @property
    def _fraction(self) -> float:
        return SHARE_BEFORE + self._share * min(1.0, self._words / self._target_words)

    @property
    def _words(self) -> float:
        return len(self._shown) / CHARACTERS_PER_WORD
