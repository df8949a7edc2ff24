"""What jobs need of the outside world: a worker's side of their rows, hints between processes, and the engine that brings them.

`persistence` and the composition root fill these ports, as they do those of `domain.ports`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from domain.jobs.events import Event
from domain.jobs.job import CallIntent, CallResult, Claim, Ending, Waiting
from domain.llm.model import TokenUsage
from domain.spending import Funds


class JobDesk(Protocol):
    """A worker's side of the job rows: bookkeeping across tenants, no access to anybody's texts. Every method is a transaction.

    Methods that take a claim raise LeaseLost, and change nothing, when the claim's epoch is no longer the job's: claiming, releasing
    and finishing a job raise it. Only what is known of a call that was made is kept also from a worker that lost its job.
    """

    async def claim_next(self, *, lease_seconds: float) -> Claim | None:
        """Take up the job whose turn it is, queued or left behind by a worker that has vanished; None when there is none.

        Users take turns, priorities go first, and nobody has more running at a time than they may.
        """

    async def should_step_aside(self, claim: Claim) -> bool:
        """Whether, between two steps, this job should be released for another: of higher priority, or of a user who has none running."""

    async def cancels_requested(self, job_ids: Sequence[UUID]) -> Sequence[UUID]:
        """Which of these somebody has asked to cancel."""

    async def renew(self, claims: Sequence[Claim], *, lease_seconds: float) -> Mapping[UUID, bool]:
        """Extend the leases still held; the answer leaves out lost jobs and says of the others whether a cancel was asked for."""

    async def release(self, claim: Claim) -> None:
        """Give a running job back, to be delivered to any worker at once."""

    async def append(self, batches: Sequence[tuple[Claim, Sequence[Event]]], *, at: datetime, number: int | None = None) -> set[UUID]:
        """Append to several logs at once, under one `number` of a claim once; answers the ids of jobs whose claim was lost. Keeps their progress too."""

    async def intend(self, claim: Claim, intent: CallIntent) -> CallResult | None:
        """Record that a paid call is about to be made; a result already recorded for this step and hash is answered instead.

        An intent left without a result by an earlier epoch is marked uncertain and its expected cost enters the ledger. Raises
        CallsLost, and intends nothing, when that has happened to the same request before.
        """

    async def abandon(self, claim: Claim, intent: CallIntent, *, at: datetime, usage: TokenUsage | None, cost: Decimal | None) -> None:
        """The call brought nothing; `usage` is what it was billed for all the same, None when it had not begun.

        Also entered when the lease was lost, since the money is gone; then LeaseLost is raised.
        """

    async def record(self, claim: Claim, intent: CallIntent, result: CallResult, *, at: datetime) -> None:
        """Store a call's result, its ledger entry and its StepFinished together; its cost leaves the reservation.

        The first answer to a request is kept, whoever brings it; what each call cost enters the ledger in any case. From a worker that
        lost its job: no event, the cost takes the place of what was assumed of it, then LeaseLost. Doing it twice does it once.
        """

    async def results(self, claim: Claim) -> Mapping[str, CallResult]:
        """What is recorded of this job's paid steps so far, in the order in which they were begun."""

    async def fund(self, claim: Claim, wanted: Decimal) -> Funds:
        """Hold up to `wanted` USD for the job's next call, as far as its own limit, its project's budget and its user's month allow."""

    async def wait(self, claim: Claim, waiting: Waiting) -> bool:
        """Put the job aside until a limit is raised; it holds no money meanwhile. False: somebody has just asked to cancel it."""

    async def resume_waiting(self) -> Sequence[UUID]:
        """Queue the jobs whose limits allow them to go on by now, and answer their ids."""

    async def write_off(self, claim: Claim, *, at: datetime) -> None:
        """Enter as uncertain the calls that were in flight when earlier owners of the job died: it is to end without asking for them again."""

    async def finish(self, claim: Claim, ending: Ending) -> None:
        """The final status, with its StatusChanged and Finished events; releases the reservation."""

    async def overdue(self) -> Sequence[UUID]:
        """Jobs that could be taken up, but that no message will bring to a worker: redelivered, and their ids answered."""

    async def expire_leases(self) -> None:
        """At the start of the only worker: whatever was running has no owner any more."""


class Wakeups(Protocol):
    """Hints that something was committed, across processes. A hint may be late or lost; readers poll underneath."""

    def job_changed(self, job_id: UUID) -> AbstractAsyncContextManager[AsyncIterator[None]]:
        """Yields once at once, then whenever the job's log may have grown, at least every few seconds."""

    def cancel_requests(self) -> AbstractAsyncContextManager[AsyncIterator[UUID]]:
        """Jobs that somebody has just asked to cancel, in whichever process; lease renewal finds what this misses."""

    def notify_local(self, job_ids: Iterable[UUID]) -> None:
        """Wake this process's readers at once, without the way through the database."""

    def joining_workers(self) -> AbstractAsyncContextManager[bool]:
        """Whether no other worker process is alive on this database; while the context lasts none can join.

        From the context on this process counts as alive to others.
        """


class Deliveries(Protocol):
    """The engine that brings "run job X" to some worker process, at least once."""

    async def work(self, run: Callable[[UUID], Awaitable[bool]]) -> None:
        """Call `run` for every delivery, a bounded number at a time, until cancelled; when it answers False, deliver again in a second.

        The id is that of the job because of which the message was sent.
        """

    async def pause(self) -> None:
        """Take no more deliveries; those being run go on."""
