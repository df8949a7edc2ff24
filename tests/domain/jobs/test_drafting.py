"""A draft in parts: what breaks off is continued, but not for ever, and never passed off as finished."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import pytest

from domain.identifiers import uuid7
from domain.jobs.attempts import ATTEMPTS
from domain.jobs.drafting import MAXIMUM_PARTS, Drafting
from domain.jobs.endpoints import Endpoints
from domain.jobs.event_log import EventLog
from domain.jobs.events import Progressed, TextAppended, text_after
from domain.jobs.job import CallResult, Claim, GenerationRequest, JobKind
from domain.jobs.model_calls import ModelCalls
from domain.jobs.run import Interrupted, JobRun
from domain.llm.failures import ModelInterrupted, ModelRefusedContent, ModelStalled, ModelUnavailable
from domain.llm.model import FinishReason
from domain.llm.prices import PriceBook
from domain.llm.tokens import TokenCounter
from tests.domain.jobs.manual_time import ManualTime
from tests.domain.jobs.test_model_calls import Desk, Model
from tests.factories import NOON
from tests.persistence.job_world import prompt

TARGET_WORDS = 40
CUT = ModelInterrupted("Cut off.")
LENGTH, FILTERED = FinishReason.LENGTH, FinishReason.CONTENT_FILTER


@dataclass
class Author:
    """Has a chapter of 40 words written, in one run after the other."""

    desk: Desk
    events: EventLog
    time: ManualTime
    claim: Claim
    logged: list[Any] = field(default_factory=list)
    model: Model = field(default_factory=Model)
    others_wait: bool = False

    async def should_step_aside(self) -> bool:
        return self.others_wait

    async def write(self, *scripts: list[Any], shown: str | None = None) -> str:
        """The text of a run in which the model's calls go like this. `shown`: what followers see before it, if not what is recorded."""
        self.model = Model(*scripts)
        timing = self.time.timing(between_attempts=1)
        calls = ModelCalls(
            desk=self.desk,
            model=self.model,
            tokens=TokenCounter(),
            prices=PriceBook(clock=lambda: NOON),
            clock=lambda: NOON,
            ids=uuid7,
            endpoints=Endpoints("http://models.example/v1", rates=None, timing=timing),
            timing=timing,
        )
        log = self.events.open(self.claim)
        drafting = Drafting(
            desk=self.desk,
            calls=calls,
            run=JobRun(self.claim, log, should_step_aside=self.should_step_aside),
            prompt=prompt(),
            request=REQUEST,
            target_words=TARGET_WORDS,
            shown="".join(result.text for result in self.desk.recorded.values()) if shown is None else shown,
            written_at=0.95,
        )
        self.claim = replace(self.claim, attempt=self.claim.attempt + 1)
        writing = asyncio.create_task(drafting.write())
        async with asyncio.timeout(10):
            while not writing.done():
                await self.time.pass_by(1)
            await log.flush()
        return await writing


REQUEST = GenerationRequest(
    instructions="", include=(), exclude=(), model="gpt-4.1", token_budget=8000, temperature=1.0, base_version_id=None
)


@pytest.fixture
async def author(time: ManualTime) -> AsyncIterator[Author]:
    desk = LoggingDesk()
    events = EventLog(desk, lambda: NOON, on_written=lambda _: None, on_lost=lambda _: None)
    writing = asyncio.create_task(events.run())
    claim = Claim(job_id=uuid4(), kind=JobKind.CHAPTER, project_id=uuid4(), user_id=uuid4(), epoch=1, attempt=1, cancel_requested=False)
    yield Author(desk, events, time, claim, logged=desk.logged)
    writing.cancel()
    await asyncio.wait({writing})


@dataclass
class LoggingDesk(Desk):
    logged: list[Any] = field(default_factory=list)

    async def results(self, claim: Claim) -> dict[str, CallResult]:
        return self.recorded

    async def append(self, batches: Any, *, at: Any, number: int | None = None) -> set[Any]:
        self.logged += [event for _, events in batches for event in events]
        return set()


async def test_a_text_that_breaks_off_is_continued_after_a_pause(author: Author):
    assert await author.write(["Half of", CUT], [" it."]) == "Half of it."
    assert author.time.slept == [1]


async def test_parts_that_break_off_one_after_the_other_are_attempts_and_end_the_run_with_their_failure(author: Author):
    with pytest.raises(ModelStalled):
        await author.write(*[[f"{number} ", ModelStalled("Silent.") if number == ATTEMPTS else CUT] for number in range(1, 9)])
    assert author.model.calls == ATTEMPTS
    assert author.time.slept == [1, 2, 4]
    assert "".join(result.text for result in author.desk.recorded.values()) == "1 2 3 4 "


async def test_calls_that_brought_nothing_and_parts_that_broke_off_are_counted_together(author: Author):
    with pytest.raises(ModelInterrupted):
        await author.write([CUT], ["One ", CUT], [ModelUnavailable("Gone.")], ["two ", CUT], ["three."])
    assert author.model.calls == ATTEMPTS


async def test_a_part_that_ends_well_begins_the_count_anew(author: Author):
    rounds = [["Cut ", CUT], [CUT], ["again ", CUT], ["A part. ", LENGTH]]
    text = await author.write(*rounds, *rounds, ["The end."])
    assert text == "Cut again A part. " * 2 + "The end."
    assert author.time.slept == [1, 2, 4] * 2


@pytest.mark.parametrize("shown", ["", "One ", "One and what a dead worker had shown."])
async def test_who_follows_sees_in_the_end_what_is_recorded_whoever_recorded_it(author: Author, shown: str):
    await author.write(["One ", LENGTH], ["two."])
    author.logged.clear()
    assert await author.write(shown=shown) == "One two."
    assert text_after([TextAppended("draft/1", 0, shown), *author.logged]) == "One two."


async def test_what_failed_one_run_does_not_fail_the_next_which_buys_nothing_twice(author: Author):
    with pytest.raises(ModelInterrupted):
        await author.write(*[["Word ", CUT]] * ATTEMPTS)
    assert await author.write(["and ", CUT], ["the end."]) == "Word " * ATTEMPTS + "and the end."
    assert author.model.calls == 2


@pytest.mark.parametrize("words", ["Half of ", "word " * 2 * TARGET_WORDS])
async def test_what_a_content_filter_cut_off_is_not_finished_however_long_it_is(author: Author, words: str):
    with pytest.raises(ModelRefusedContent):
        await author.write([words, FILTERED])
    assert [result.text for result in author.desk.recorded.values()] == [words]
    assert (author.model.calls, author.time.slept) == (1, [])
    assert await author.write(["it."]) == words + "it."
    assert author.model.calls == 1


async def test_a_text_that_broke_off_is_brought_to_an_end_even_if_it_is_long_enough(author: Author):
    long = "word " * 2 * TARGET_WORDS
    assert await author.write([long, CUT], ["The end."]) == f"{long}The end."


async def test_parts_of_full_length_end_when_the_text_is_long_enough(author: Author):
    assert await author.write(*[["word " * 30, LENGTH]] * 5) == "word " * 60
    assert author.model.calls == 2


async def test_parts_of_full_length_end_when_there_are_enough_of_them_whatever_broke_off_between(author: Author):
    """Of one endless word, so that there are never enough of them."""
    parts = [["full", LENGTH], ["cut", CUT]] * MAXIMUM_PARTS
    assert await author.write(*parts) == "fullcut" * (MAXIMUM_PARTS - 1) + "full"
    assert author.model.calls == 2 * MAXIMUM_PARTS - 1


async def test_a_job_steps_aside_behind_a_part_that_ended_well_and_never_loses_count_of_those_that_did_not(author: Author):
    author.others_wait = True
    with pytest.raises(ModelInterrupted):
        await author.write(*[["Word ", CUT]] * ATTEMPTS)
    with pytest.raises(Interrupted):
        await author.write(["and ", CUT], ["so ", LENGTH])
    assert author.model.calls == 2


async def test_who_follows_is_told_of_long_pauses_and_progress_never_falls(author: Author):
    await author.write(["word " * 20, CUT], [CUT], [CUT], ["word " * 20])
    progress = [event for event in author.logged if isinstance(event, Progressed)]
    assert [event.progress for event in progress] == sorted(event.progress for event in progress)
    assert len([event for event in progress if "Going on in about" in event.message]) == 2
