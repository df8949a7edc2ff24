"""The log of a process: in order, in few writes, with nothing lost when the database is away."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from domain.jobs.event_log import TEXT_SECONDS, EventLog, JobLog
from domain.jobs.events import Event, Progressed, TextAppended, TextReplaced, text_after
from domain.jobs.job import Claim, JobKind, JobStage

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def a_claim() -> Claim:
    return Claim(job_id=uuid4(), kind=JobKind.CHAPTER, project_id=uuid4(), user_id=uuid4(), epoch=1, attempt=1, cancel_requested=False)


class Recorder:
    """The part of a desk that a log needs."""

    def __init__(self) -> None:
        self.events: dict[UUID, list[Event]] = {}
        self.failures = 0
        self.answers_lost = 0
        self.numbers: list[int] = []
        self.lost: set[UUID] = set()
        self.refused: set[UUID] = set()

    async def append(self, batches: Sequence[tuple[Claim, Sequence[Event]]], *, at: datetime, number: int | None = None) -> set[UUID]:
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise ConnectionError
        if any(claim.job_id in self.refused for claim, _ in batches):
            raise ValueError
        assert number is not None
        if batches and number not in self.numbers:
            self.numbers.append(number)
            for claim, events in batches:
                if claim.job_id not in self.lost:
                    self.events.setdefault(claim.job_id, []).extend(events)
        if batches and self.answers_lost:
            self.answers_lost -= 1
            raise ConnectionError
        return self.lost


@asynccontextmanager
async def running(desk: Recorder, *, lost: list[Claim] | None = None) -> AsyncIterator[EventLog]:
    log = EventLog(desk, lambda: NOW, on_written=lambda _: None, on_lost=(lost if lost is not None else []).append)
    task = asyncio.create_task(log.run())
    try:
        yield log
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_what_is_emitted_is_written_in_order_and_flush_waits_for_it():
    desk, claim = Recorder(), a_claim()
    async with running(desk) as events:
        log = events.open(claim)
        log.write("draft/1", "One. ")
        log.emit(Progressed(JobStage.DRAFTING, 0.5, "half"))
        log.write("draft/1", "Two.")
        await log.flush()
    assert desk.events[claim.job_id] == [
        TextAppended("draft/1", 0, "One. "),
        Progressed(JobStage.DRAFTING, 0.5, "half"),
        TextAppended("draft/1", 5, "Two."),
    ]


async def test_many_small_deltas_become_few_events():
    claim = a_claim()
    log = JobLog(claim, wake=lambda: None)
    log.write("draft/1", "first")
    first = log.take(now=100.0)
    for _ in range(50):
        log.write("draft/1", " word")
    assert first == [TextAppended("draft/1", 0, "first")]
    assert log.take(now=100.0 + TEXT_SECONDS / 2) == []
    assert log.take(now=100.0 + TEXT_SECONDS) == [TextAppended("draft/1", 5, " word" * 50)]


async def test_a_sentence_end_goes_out_at_once():
    log = JobLog(a_claim(), wake=lambda: None)
    log.write("draft/1", "A")
    log.take(now=100.0)
    log.write("draft/1", " sentence.")
    assert log.take(now=100.001) == [TextAppended("draft/1", 1, " sentence.")]


async def test_an_outage_of_the_database_delays_and_loses_nothing():
    desk, claim = Recorder(), a_claim()
    desk.failures = 3
    async with running(desk) as events:
        log = events.open(claim)
        log.write("draft/1", "Kept.")
        await log.flush()
    assert desk.events[claim.job_id] == [TextAppended("draft/1", 0, "Kept.")]


async def test_an_append_whose_answer_is_lost_is_made_again_under_its_number_and_written_once():
    desk, claim = Recorder(), a_claim()
    desk.answers_lost = 3
    async with running(desk) as events:
        log = events.open(claim)
        for text in ("One.", "Two."):
            log.write("draft/1", text)
            await log.flush()
    assert desk.events[claim.job_id] == [TextAppended("draft/1", 0, "One."), TextAppended("draft/1", 4, "Two.")]
    assert desk.numbers == [1, 2]


async def test_a_lost_claim_is_told_and_its_flush_does_not_hang():
    desk, claim, lost = Recorder(), a_claim(), []
    desk.lost = {claim.job_id}
    async with running(desk, lost=lost) as events:
        log = events.open(claim)
        log.write("draft/1", "Too late.")
        async with asyncio.timeout(5):
            await log.flush()
    assert lost == [claim]
    assert desk.events == {}


async def test_a_job_whose_events_are_refused_is_let_go_and_holds_up_nobody():
    desk, bad, good, lost = Recorder(), a_claim(), a_claim(), []
    desk.refused = {bad.job_id}
    async with running(desk, lost=lost) as events, asyncio.timeout(10):
        logs = [events.open(claim) for claim in (bad, good)]
        for log in logs:
            log.write("draft/1", "Text.")
        for log in logs:
            await log.flush()
    assert lost == [bad]
    assert desk.events == {good.job_id: [TextAppended("draft/1", 0, "Text.")]}


@given(st.lists(st.one_of(st.text(max_size=8), st.tuples(st.integers(0, 30), st.text(max_size=5))), max_size=30), st.data())
def test_followers_of_the_log_show_what_was_written(actions: list, data: st.DataObject):
    """Whatever the deltas, the replacements and the moments of writing: offsets fit, and the text comes out whole."""
    log, shown, written, now = JobLog(a_claim(), wake=lambda: None), "", [], 0.0
    for action in actions:
        if isinstance(action, str):
            shown += action
            log.write("draft/1", action)
        else:
            offset = min(action[0], len(shown))
            shown = shown[:offset] + action[1]
            log.emit(TextReplaced("draft/1", offset, action[1]))
        now += data.draw(st.floats(0, 0.1))
        written += log.take(now)
    written += log.take(now + 1)
    assert text_after(written) == shown
    position = 0
    for event in written:
        assert event.offset == position if isinstance(event, TextAppended) else event.offset <= position
        position = event.offset + len(event.text)
