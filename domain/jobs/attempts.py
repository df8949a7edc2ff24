"""How often in a row a job asks a model that lets it down, and how long it waits in between."""

from domain.jobs.run import JobRun
from domain.jobs.timing import Tell, Timing
from domain.llm.failures import ModelFailure

ATTEMPTS = 4
LONGEST_PAUSE_SECONDS = 300.0


class Attempts:
    """Of one run. Calls that brought nothing count, and calls whose text broke off; one that ends well begins the count anew."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._failed = 0

    def ended_well(self) -> None:
        self._failed = 0

    async def endure(self, failure: ModelFailure, run: JobRun, tell: Tell) -> None:
        """Pause before the next attempt. Raises the failure when there is to be none, and Interrupted.

        A pause doubles, and is never shorter than the provider asked; up to half as much again is added, so that many do not return at
        once.
        """
        self._failed += 1
        asked = failure.retry_after or 0.0
        if not failure.retryable or self._failed >= ATTEMPTS or asked > LONGEST_PAUSE_SECONDS:
            raise failure
        seconds = max(asked, self._timing.pauses.between_attempts * 2 ** (self._failed - 1)) * (1 + self._timing.draw() / 2)
        await self._timing.rest(run, seconds, reason="The model's answer did not come, or broke off.", tell=tell)
