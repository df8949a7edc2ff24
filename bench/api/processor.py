"""Processor time of other processes: user and system, whatever threads they have had."""

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress

import asyncpg

_BACKENDS = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


def seconds_of(pid: int) -> float:
    """Linux's clock of the whole process, in nanoseconds where /proc counts in hundredths of a second."""
    return time.clock_gettime((~pid << 3) | 2)


def seconds_by_process(pids: Iterable[int]) -> Mapping[int, float]:
    """As `seconds_of`, for those of the processes that there still are."""
    found = {}
    for pid in pids:
        with suppress(OSError):
            found[pid] = seconds_of(pid)
    return found


def seconds_since(before: Mapping[int, float]) -> float:
    """What they have used since then; of a process that has ended meanwhile, nothing is known."""
    return sum(seconds - before[pid] for pid, seconds in seconds_by_process(before).items())


async def backends(connection: "asyncpg.Connection[asyncpg.Record]") -> list[int]:
    """The processes of Postgres that work for its clients, this connection's own aside."""
    return [row[0] for row in await connection.fetch(_BACKENDS)]
