"""One run of a job: the claim, its log, and the one place where it may be interrupted.

Only what is awaited inside `interruptible()` (a model's stream) or `idle()` (a pause between attempts) is ever cut short; transactions
always end by themselves. A user's cancel and a shutdown both arrive as `Interrupted`, so the text written so far can be recorded either way.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from enum import StrEnum
from math import inf

from domain.jobs.event_log import JobLog
from domain.jobs.events import Progressed
from domain.jobs.job import Claim, JobStage, LeaseLost, Waiting
from domain.spending import ZERO


class StopReason(StrEnum):
    CANCELLED = "CANCELLED"
    HANDED_OVER = "HANDED_OVER"


class Interrupted(Exception):  # noqa: N818  - asked for, not a malfunction
    """The run is to end now; `reason` says what becomes of the job."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason)
        self.reason = reason


class OutOfFunds(Exception):  # noqa: N818  - it goes on when a limit is raised
    """The next call could cost more than a limit leaves."""

    def __init__(self, waiting: Waiting) -> None:
        super().__init__(waiting.limit_name)
        self.waiting = waiting


async def never() -> bool:
    return False


class JobRun:
    """`should_step_aside` says whether somebody else's turn has come; it is asked between steps only.

    `lease_until`, of the event loop's time, moves with every renewal: before it nobody else can take the job.
    """

    def __init__(
        self, claim: Claim, log: JobLog, *, should_step_aside: Callable[[], Awaitable[bool]] = never, lease_until: float = inf
    ) -> None:
        self.claim = claim
        self.log = log
        self.lease_until = lease_until
        self._funds = claim.funds
        self._should_step_aside = should_step_aside
        self._reason: StopReason | None = StopReason.CANCELLED if claim.cancel_requested else None
        self._furthest = claim.progress
        self._draining = False
        self._idle = False
        self._waiting: asyncio.Task[object] | None = None

    def drain(self) -> None:
        """End at the next boundary between steps; at once where nothing is under way."""
        self._draining = True
        if self._idle:
            self.interrupt(StopReason.HANDED_OVER)

    def interrupt(self, reason: StopReason) -> None:
        """End as soon as possible. A user's cancel outranks a shutdown."""
        if self._reason is None or reason is StopReason.CANCELLED:
            self._reason = reason
        if self._waiting is not None:
            # Once only: while the scope is being left, a second cancellation would be taken for one that is not ours.
            self._waiting.cancel()
            self._waiting = None

    def checkpoint(self) -> None:
        """Call between steps. Raises Interrupted when the run is to end."""
        if self._reason is not None:
            raise Interrupted(self._reason)
        if self._draining:
            raise Interrupted(StopReason.HANDED_OVER)

    async def between_steps(self) -> None:
        """As `checkpoint`, and gives the job back when somebody waits whose turn it is. Call when a step has been recorded."""
        self.checkpoint()
        if await self._should_step_aside():
            raise Interrupted(StopReason.HANDED_OVER)

    def take_funds(self) -> Decimal:
        """USD that came with the claim and may be spent without asking: once, for what is spent changes them."""
        funds, self._funds = self._funds, ZERO
        return funds

    def require_lease(self) -> None:
        """Call right before what must not be done by two. Raises LeaseLost when this process has slept past its lease."""
        if asyncio.get_running_loop().time() >= self.lease_until:
            raise LeaseLost

    @asynccontextmanager
    async def interruptible(self) -> AsyncIterator[None]:
        """Raises Interrupted in place of the cancellation that `interrupt` causes; any other cancellation passes."""
        if self._reason is not None:
            raise Interrupted(self._reason)
        self._waiting = task = asyncio.current_task()
        assert task is not None
        cancellations_before = task.cancelling()
        try:
            yield
        except asyncio.CancelledError:
            if self._reason is not None and task.uncancel() <= cancellations_before:
                raise Interrupted(self._reason) from None
            raise
        finally:
            self._waiting = None

    @asynccontextmanager
    async def idle(self) -> AsyncIterator[None]:
        """As `interruptible`, for waits in which nothing is under way: there a drain, too, raises Interrupted at once."""
        self.checkpoint()
        self._idle = True
        try:
            async with self.interruptible():
                yield
        finally:
            self._idle = False

    def progressed(self, stage: JobStage, fraction: float, message: str) -> Progressed:
        """As far as the job has come: never less than it has said, also in the hands of an earlier worker."""
        self._furthest = max(self._furthest, round(fraction, 4))
        return Progressed(stage, self._furthest, message)

    def progress(self, stage: JobStage, fraction: float, message: str) -> None:
        self.log.emit(self.progressed(stage, fraction, message))
