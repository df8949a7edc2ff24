"""Carrying a claimed job to its end: what is to be done depends on its kind, and how it ends does not.

Whatever ends a job early, its work decides what is kept of what it has written so far.
"""

from collections.abc import Mapping
from typing import Protocol

from domain.errors import Forbidden, LimitExceeded, NotFound, PromptTooSmall, Refusal
from domain.jobs.assessing import AssessmentWork
from domain.jobs.chapter_generation import ChapterGeneration
from domain.jobs.job import CallsLost, JobFailure, JobKind, JobStatus
from domain.jobs.means import Means
from domain.jobs.revision_work import RevisionWork
from domain.jobs.run import Interrupted, JobRun, OutOfFunds, StopReason
from domain.llm.failures import ModelFailure

MAXIMUM_STUMBLES = 10
CALLS_LOST = (
    "Twice the same call to the model was lost with the process that had made it, and both may have been billed. "
    "Before a third is made, somebody should look: retry the job to go on behind what is recorded."
)
REFUSAL_CODES: dict[type[Refusal], str] = {
    PromptTooSmall: "PROMPT_TOO_SMALL",
    NotFound: "NOT_FOUND",
    Forbidden: "FORBIDDEN",
    LimitExceeded: "TOO_MANY_ATTEMPTS",
}


class Work(Protocol):
    """What jobs of one kind do."""

    async def carry_out(self, run: JobRun) -> None:
        """Do it all and finish the job, going on behind what is recorded.

        Raises Interrupted, OutOfFunds, LeaseLost, or what `explain` has words for.
        """

    async def end_early(self, run: JobRun, status: JobStatus, failure: JobFailure | None) -> None:
        """Keep what there is, if anything, and finish the job with this status. Everything emitted is in the log already."""


class Workflow:
    def __init__(self, means: Means) -> None:
        self._desk = means.desk
        self._clock = means.clock
        self._work: Mapping[JobKind, Work] = {
            JobKind.CHAPTER: ChapterGeneration(means),
            JobKind.REVISION: RevisionWork(means),
            JobKind.ASSESSMENT: AssessmentWork(means),
        }

    async def __call__(self, run: JobRun) -> None:
        """Carry the job to its end. Raises LeaseLost when it is somebody else's by now."""
        try:
            run.checkpoint()
            if run.claim.stumbles > MAXIMUM_STUMBLES:
                raise LimitExceeded(
                    limit_name="jobStumbles", limit=MAXIMUM_STUMBLES, message="Too many workers have vanished while they ran this job."
                )
            await self._work[run.claim.kind].carry_out(run)
        except Interrupted as stop:
            await run.log.flush()
            if stop.reason is StopReason.CANCELLED:
                await self._end_early(run, JobStatus.CANCELLED)
            else:
                await self._desk.release(run.claim)
        except OutOfFunds as stop:
            await run.log.flush()
            if not await self._desk.wait(run.claim, stop.waiting):
                await self._end_early(run, JobStatus.CANCELLED)
        except (ModelFailure, CallsLost, Refusal) as failure:
            await run.log.flush()
            await self._end_early(run, JobStatus.FAILED, explain(failure))

    async def _end_early(self, run: JobRun, status: JobStatus, failure: JobFailure | None = None) -> None:
        await self._desk.write_off(run.claim, at=self._clock())
        await self._work[run.claim.kind].end_early(run, status, failure)


def explain(failure: ModelFailure | CallsLost | Refusal) -> JobFailure:
    if isinstance(failure, CallsLost):
        return JobFailure(code="CALLS_LOST", message=CALLS_LOST, retryable=True)
    if isinstance(failure, ModelFailure):
        return JobFailure(code=failure.code, message=str(failure), retryable=failure.retryable)
    return JobFailure(code=REFUSAL_CODES.get(type(failure), "REFUSED"), message=failure.message, retryable=False)
