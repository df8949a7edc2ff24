"""What goes wrong, when, and to whom: all of it drawn from the seed, one fault soon after the other for as long as there is work."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any

from tests.reliability.chaos.fleet import Duty, Fleet, Member
from tests.reliability.chaos.postgres import RestlessPostgres

LONGEST_OUTAGE_SECONDS = 2.0
SHORTEST_FREEZE_LEASES, LONGEST_FREEZE_LEASES = 1.2, 4.0


class FaultKind(StrEnum):
    KILL_WORKER = "SIGKILL of a worker"
    KILL_SERVER = "SIGKILL of a server"
    TERMINATE_WORKER = "SIGTERM of a worker"
    TERMINATE_SERVER = "SIGTERM of a server"
    FREEZE_WORKER = "SIGSTOP of a worker past its lease"
    FREEZE_SERVER = "SIGSTOP of a server past its lease"
    RESTART_DATABASE = "restart of the database"
    CRASH_DATABASE = "crash of the database"


SPARED = {Duty.SERVE: 1, Duty.WORK: 0}

# Workers die most often, for they have most to lose.
ROUND = (
    *(FaultKind.KILL_WORKER, FaultKind.KILL_WORKER, FaultKind.KILL_WORKER),
    *(FaultKind.FREEZE_WORKER, FaultKind.FREEZE_WORKER, FaultKind.TERMINATE_WORKER),
    *(FaultKind.KILL_SERVER, FaultKind.TERMINATE_SERVER, FaultKind.FREEZE_SERVER),
    *(FaultKind.RESTART_DATABASE, FaultKind.CRASH_DATABASE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Comes `after` seconds. From 0 to 1: `victim` says which of those who can be hit it is, `length` how long it lasts."""

    kind: FaultKind
    after: float
    victim: float
    length: float

    @property
    def down_seconds(self) -> float:
        """Without a database."""
        return LONGEST_OUTAGE_SECONDS * self.length

    @property
    def frozen_leases(self) -> float:
        """Who sleeps for long finds another owner at the job, who sleeps briefly none yet."""
        return SHORTEST_FREEZE_LEASES + (LONGEST_FREEZE_LEASES - SHORTEST_FREEZE_LEASES) * self.length


def faults_of(seed: int, *, shortest_pause: float = 0.5, longest_pause: float = 2.5) -> Iterator[Fault]:
    """Without an end; each round has every kind."""
    random = Random(f"faults of {seed}")
    while True:
        for kind in random.sample(ROUND, len(ROUND)):
            yield Fault(kind=kind, after=random.uniform(shortest_pause, longest_pause), victim=random.random(), length=random.random())


@dataclass
class Misfortune:
    """Carries faults out. So that work can be done at all, the last sound server is spared until there is another."""

    fleet: Fleet
    postgres: RestlessPostgres
    lease_seconds: float
    happened: Counter[FaultKind] = field(default_factory=Counter)
    outages: list[float] = field(default_factory=list)
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)

    async def rage(self, faults: Iterator[Fault]) -> None:
        """Until cancelled; what has begun by then comes to its end, so that everything works again."""
        try:
            for fault in faults:
                await asyncio.sleep(fault.after)
                await self._cause(fault)
        finally:
            await asyncio.gather(*self._under_way)

    async def _cause(self, fault: Fault) -> None:
        match fault.kind:
            case FaultKind.KILL_WORKER | FaultKind.KILL_SERVER:
                await self.fleet.kill(await self._victim(fault))
            case FaultKind.TERMINATE_WORKER | FaultKind.TERMINATE_SERVER:
                self._begin(self.fleet.terminate(await self._victim(fault)))
            case FaultKind.FREEZE_WORKER | FaultKind.FREEZE_SERVER:
                self._begin(self.fleet.freeze(await self._victim(fault), self.lease_seconds * fault.frozen_leases))
            case FaultKind.RESTART_DATABASE | FaultKind.CRASH_DATABASE:
                await asyncio.shield(self._begin(self._restart(fault)))
        self.happened[fault.kind] += 1

    async def _restart(self, fault: Fault) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self.postgres.stop(crash=fault.kind is FaultKind.CRASH_DATABASE)
        await asyncio.sleep(fault.down_seconds)
        await self.postgres.start()
        self.outages.append(loop.time() - began)

    async def _victim(self, fault: Fault) -> Member:
        duty = Duty.SERVE if fault.kind.name.endswith("SERVER") else Duty.WORK
        sound = await self.fleet.at_least(SPARED[duty] + 1, duty)
        return sound[int(fault.victim * len(sound))]

    def _begin(self, fault: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(fault)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task
