"""The processes of `scriptorium` that serve and work, kept at strength as an operator's supervisor would: whoever ends is replaced."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from settings import ROOT
from tests.reliability.processes import free_port

START_SECONDS = 60
DRAIN_SECONDS = 30
EXPECTED_STATUSES = frozenset({0, 128 + signal.SIGTERM, -signal.SIGKILL})


class Duty(StrEnum):
    SERVE = "serve"
    WORK = "worker"


READY: Mapping[Duty, bytes] = {Duty.SERVE: b"Scriptorium is ready", Duty.WORK: b"Working."}
"""What each says on its standard output once it does its duty."""


class State(StrEnum):
    STARTING = "starting"
    READY = "ready"
    FROZEN = "frozen"
    LEAVING = "leaving"
    GONE = "gone"


@dataclass(eq=False)
class Member:
    """One process; `address` is where it serves, `log` the name of the file of all it complains of."""

    duty: Duty
    number: int
    process: Process
    address: str
    log: str
    state: State = State.STARTING

    @property
    def name(self) -> str:
        return f"{self.duty} {self.number}"

    def signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self.process.send_signal(number)


@dataclass(eq=False)
class Fleet:
    """`surprises` are ends that nobody has asked for, and drains that took too long; `drains` how many seconds each of them took."""

    folder: Path
    environment: Mapping[str, str]
    started: int = 0
    surprises: list[str] = field(default_factory=list)
    drains: list[float] = field(default_factory=list)
    _members: list[Member] = field(default_factory=list)
    _keepers: set[asyncio.Task[None]] = field(default_factory=set)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _closing: bool = False

    @property
    def addresses(self) -> Sequence[str]:
        """Of servers that a balancer would send somebody to: one that is frozen looks as well as any."""
        return [member.address for member in self._members if member.duty is Duty.SERVE and member.state in {State.READY, State.FROZEN}]

    def sound(self, duty: Duty) -> Sequence[Member]:
        """Those that do their duty right now."""
        return [member for member in self._members if member.duty is duty and member.state is State.READY]

    async def at_least(self, number: int, duty: Duty) -> Sequence[Member]:
        """Until so many are sound; all of them."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.sound(duty)) >= number)
            return self.sound(duty)

    async def everybody(self) -> None:
        """Until nobody is still starting."""
        async with asyncio.timeout(START_SECONDS), self._changed:
            await self._changed.wait_for(lambda: all(member.state is not State.STARTING for member in self._members))

    async def add(self, duty: Duty) -> None:
        self.started += 1
        port = free_port()
        arguments = ["serve", "--port", str(port)] if duty is Duty.SERVE else ["worker"]
        log = self.folder / f"{self.started:03}-{duty}.log"
        with log.open("wb") as complaints:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "cli", *arguments, cwd=ROOT, env=self.environment, stdout=PIPE, stderr=complaints
            )
        member = Member(duty, self.started, process, f"http://127.0.0.1:{port}", log.name)
        self._members.append(member)
        keeper = asyncio.create_task(self._keep(member), name=f"keep {member.name}")
        self._keepers.add(keeper)
        keeper.add_done_callback(self._keepers.discard)

    async def kill(self, member: Member) -> None:
        await self._become(member, State.LEAVING)
        member.signal(signal.SIGKILL)
        await self.add(member.duty)

    async def terminate(self, member: Member) -> None:
        """The successor is started at once, as in a rolling restart."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self._become(member, State.LEAVING)
        member.signal(signal.SIGTERM)
        await self.add(member.duty)
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await member.process.wait()
        except TimeoutError:
            self.surprises.append(f"{member.name} had not ended {DRAIN_SECONDS} seconds after SIGTERM: see {member.log}")
            member.signal(signal.SIGKILL)
        self.drains.append(loop.time() - began)

    async def freeze(self, member: Member, seconds: float) -> None:
        await self._become(member, State.FROZEN)
        member.signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            member.signal(signal.SIGCONT)
            await self._become(member, State.READY)

    async def close(self) -> None:
        """End everybody, with force whoever does not go by themselves."""
        self._closing = True
        alive = [member for member in self._members if member.process.returncode is None]
        for member in alive:
            member.signal(signal.SIGCONT)
            member.signal(signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await asyncio.gather(*(member.process.wait() for member in alive))
        for member in alive:
            member.signal(signal.SIGKILL)
        await asyncio.gather(*self._keepers)

    async def _keep(self, member: Member) -> None:
        """Listen to it, and see to it that it has a successor when it ends by itself."""
        assert member.process.stdout is not None
        async for line in member.process.stdout:
            if READY[member.duty] in line and member.state is State.STARTING:
                await self._become(member, State.READY)
        status = await member.process.wait()
        was = member.state
        await self._become(member, State.GONE)
        if self._closing:
            return
        if was is State.LEAVING:
            if status not in EXPECTED_STATUSES:
                self.surprises.append(f"{member.name} left with status {status} when asked to go: see {member.log}")
            return
        if was is not State.STARTING:  # who finds no database when it begins is right to give up
            self.surprises.append(f"{member.name} ended by itself with status {status}: see {member.log}")
        await self.add(member.duty)

    async def _become(self, member: Member, state: State) -> None:
        async with self._changed:
            if member.state is not State.GONE:
                member.state = state
            self._changed.notify_all()


@asynccontextmanager
async def fleet(folder: Path, environment: Mapping[str, str], *, servers: int, workers: int) -> AsyncIterator[Fleet]:
    """So many of each, ready; all ended with the context, whatever state they are in."""
    company = Fleet(folder, environment)
    try:
        for duty, number in ((Duty.SERVE, servers), (Duty.WORK, workers)):
            for _ in range(number):
                await company.add(duty)
        await company.everybody()
        yield company
    finally:
        await company.close()
