"""Time and chance as calls to a model know them: passed in, so that tests need neither wait nor be lucky."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from domain.jobs.run import JobRun

WORTH_TELLING_SECONDS = 2.0

Tell = Callable[[str], None]
"""Is given a sentence for those who follow the job when it is going to wait for a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Seconds. `between_attempts` is the first of several that double; the others are about calls that are held back.

    `circuit` is how long a circuit breaker stays open at first, doubling up to `longest_circuit`; `turns` is what lies between the starts
    of calls that were held back together; `patience` is how long one call may be held back before it fails.
    """

    between_attempts: float = 1.0
    circuit: float = 5.0
    longest_circuit: float = 60.0
    turns: float = 0.25
    patience: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """`now` is in seconds and never jumps, `sleep` takes seconds, `draw` gives numbers in 0..1."""

    pauses: Pauses
    now: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    draw: Callable[[], float]

    async def rest(self, run: JobRun, seconds: float, *, reason: str, tell: Tell) -> None:
        """Wait with nothing under way. Raises Interrupted, also when the run is to be drained."""
        if seconds >= WORTH_TELLING_SECONDS:
            tell(f"{reason} Going on in about {seconds:,.0f} seconds.")
        if seconds > 0:
            async with run.idle():
                await self.sleep(seconds)
