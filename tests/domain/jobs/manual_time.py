"""Time that passes when a test says so, and chance that is what a test says."""

import asyncio
import heapq
from dataclasses import dataclass, field
from itertools import count

from domain.jobs.timing import Pauses, Timing

SETTLING_ROUNDS = 50


@dataclass
class ManualTime:
    """`slept` is how long each sleep was asked to be; `drawn` is what every draw gives."""

    now: float = 1000.0
    drawn: float = 0.0
    slept: list[float] = field(default_factory=list)
    _sleepers: list[tuple[float, int, asyncio.Event]] = field(default_factory=list)
    _numbers: count = field(default_factory=count)

    def timing(self, **pauses: float) -> Timing:
        return Timing(pauses=Pauses(**pauses), now=lambda: self.now, sleep=self.sleep, draw=lambda: self.drawn)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        woken = asyncio.Event()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._numbers), woken))
        await woken.wait()

    async def pass_by(self, seconds: float) -> None:
        """Everybody whose sleep is over by then is woken at their time, and does what they do then."""
        until = self.now + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            self.now, _, woken = heapq.heappop(self._sleepers)
            woken.set()
            await settle()
        self.now = until


async def settle() -> None:
    """Return when everybody has got as far as they can without time passing."""
    for _ in range(SETTLING_ROUNDS):
        await asyncio.sleep(0)
