"""One process's writer of job logs: gathers what its jobs emit and appends it in few, small transactions.

Text goes out at once when a step begins, then whenever a sentence ends or `TEXT_SECONDS` have passed; everything else goes out at
once. One append runs at a time for all jobs of the process, and appends begin at least `TICK_SECONDS` apart. What could not be
written because the database is away is kept, in order, and tried again until the claim is lost. Whether an append was made whose
answer got lost nobody can tell; it is tried again under its number, by which the desk knows it. A job whose events the database
refuses for what they are is let go, so that it cannot hold up the others.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from uuid import UUID

from domain.jobs.events import Event, TextAppended, TextReplaced
from domain.jobs.job import Claim
from domain.jobs.ports import JobDesk
from domain.ports import Clock

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.005
TEXT_SECONDS = 0.04
RETRY_SECONDS = 0.5
REFUSALS = 5
SENTENCE_ENDS = (".", "!", "?", "…", '"', "”", "\n", "。")

Batch = tuple[Claim, list[Event]]


class JobLog:
    """The part of the log that one claim writes. Not for use after its claim is lost."""

    def __init__(self, claim: Claim, *, wake: Callable[[], None]) -> None:
        self.claim = claim
        self._wake = wake
        self._sealed: list[Event] = []
        self._text: list[str] = []
        self._step = ""
        self._shown = 0
        self._text_due = 0.0
        self._written = asyncio.Event()
        self._written.set()

    def emit(self, event: Event) -> None:
        self._seal_text()
        if isinstance(event, TextReplaced):
            self._shown = event.offset + len(event.text)
        self._sealed.append(event)
        self._changed()

    def continue_at(self, offset: int) -> None:
        """What is written next begins at this offset: an earlier run has shown what is before it."""
        self._seal_text()
        self._shown = offset

    def write(self, step: str, text: str) -> None:
        """Append to the text shown so far."""
        if not text:
            return
        if step != self._step:
            self._seal_text()
            self._step, self._text_due = step, 0.0
        self._text.append(text)
        if text.endswith(SENTENCE_ENDS):
            self._text_due = 0.0
        self._changed()

    async def flush(self) -> None:
        """Return when everything emitted so far is in the database."""
        self._seal_text()
        self._wake()
        await self._written.wait()

    def take(self, now: float) -> list[Event]:
        """What is due at `now` (the event loop's time), handed over for writing."""
        if self._text and now >= self._text_due:
            self._seal_text()
            self._text_due = now + TEXT_SECONDS
        due, self._sealed = self._sealed, []
        return due

    def next_due(self) -> float | None:
        return 0.0 if self._sealed else self._text_due if self._text else None

    def confirm(self) -> None:
        """What was taken has been written (or never can be)."""
        if not self._sealed and not self._text:
            self._written.set()

    def _seal_text(self) -> None:
        if self._text:
            text = "".join(self._text)
            self._sealed.append(TextAppended(self._step, self._shown, text))
            self._shown += len(text)
            self._text = []

    def _changed(self) -> None:
        self._written.clear()
        self._wake()


class EventLog:
    """`on_written` is told the jobs whose log has grown, `on_lost` each claim under which nothing can be written any more."""

    def __init__(
        self, desk: JobDesk, clock: Clock, *, on_written: Callable[[Iterable[UUID]], None], on_lost: Callable[[Claim], None]
    ) -> None:
        self._desk = desk
        self._clock = clock
        self._on_written = on_written
        self._on_lost = on_lost
        self._logs: dict[UUID, JobLog] = {}
        self._appends = 0
        self._changed = asyncio.Event()

    def open(self, claim: Claim) -> JobLog:
        self._logs[claim.job_id] = log = JobLog(claim, wake=self._changed.set)
        return log

    def close(self, claim: Claim) -> None:
        if (log := self._logs.get(claim.job_id)) is not None and log.claim == claim:
            del self._logs[claim.job_id]

    async def run(self) -> None:
        """Write until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._until_due(loop.time())
            began = loop.time()
            batches = [(log, events) for log in list(self._logs.values()) if (events := log.take(began))]
            if batches:
                await self._append(batches)
            await asyncio.sleep(max(0.0, began + TICK_SECONDS - loop.time()))

    async def _until_due(self, now: float) -> None:
        self._changed.clear()
        due = min((at for log in self._logs.values() if (at := log.next_due()) is not None), default=None)
        if due is not None and due <= now:
            return
        try:
            async with asyncio.timeout(None if due is None else due - now):
                await self._changed.wait()
        except TimeoutError:
            pass

    async def _append(self, batches: list[tuple[JobLog, list[Event]]]) -> None:
        self._appends += 1
        lost = await self._insist([(log.claim, events) for log, events in batches])
        self._on_written(log.claim.job_id for log, _ in batches)
        for log, _ in batches:
            log.confirm()
            if log.claim.job_id in lost:
                self.close(log.claim)
                self._on_lost(log.claim)

    async def _insist(self, batches: list[Batch]) -> set[UUID]:
        """The jobs under whose claims nothing can be written any more."""
        refusals = 0
        while (lost := await self._try(batches)) is None:
            await asyncio.sleep(RETRY_SECONDS)
            if await self._try([]) is None:
                continue  # the database is away; a lost lease ends the job elsewhere
            if len(batches) > 1:
                return {job_id for batch in batches for job_id in await self._insist([batch])}
            refusals += 1
            if refusals == REFUSALS:
                return {claim.job_id for claim, _ in batches}
        return lost

    async def _try(self, batches: list[Batch]) -> set[UUID] | None:
        try:
            return await self._desk.append(batches, at=self._clock(), number=self._appends)
        except Exception:  # the log must outlive whatever ails the database
            logger.warning("events.append_failed", exc_info=True, extra={"jobs": [str(claim.job_id) for claim, _ in batches]})
            return None
