"""Rounds of one case, our server and the bare one in turns, so that a machine's moods meet both."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle

import asyncpg

from bench.api.agreement import content
from bench.api.connection import Connection
from bench.api.processor import backends, seconds_by_process, seconds_of, seconds_since

ROUNDS = 7
ROUND_SECONDS = 0.8
WARMING = 20
FEWEST = 8
"""Requests of a round, however long they take."""


@dataclass(frozen=True)
class Asked:
    """A server and what it is sent in turns. Figures are seconds: of processor time a request, one for each round; of latency, all."""

    pid: int
    connection: Connection
    requests: Sequence[bytes]
    server: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)


async def measure(ours: Asked, bare: Asked, postgres: "asyncpg.Connection[asyncpg.Record]", *, writes: bool) -> int:
    """Fills in the figures of both; returns how many bytes our answer has. Raises RuntimeError when the two do not say the same."""
    answers = [_warm(asked) for asked in (ours, bare)]
    said, said_barely = (content(answer, written=writes) for answer in answers)
    if said != said_barely:
        raise RuntimeError(f"the servers do not agree:\n{said}\n{said_barely}")
    for number in range(ROUNDS):
        for asked in (ours, bare) if number % 2 else (bare, ours):
            last = _round(asked, await backends(postgres))
            if not writes and content(last, written=False) != said:
                raise RuntimeError("the answer changed under way")
            content(last, written=writes)
    return len(answers[0])


def _warm(asked: Asked) -> bytes:
    """The first answer."""
    answers = [asked.connection.ask(asked.requests[number % len(asked.requests)]) for number in range(WARMING)]
    return answers[0]


def _round(asked: Asked, database: Sequence[int]) -> bytes:
    """The last answer."""
    latencies: list[float] = []
    server_before, database_before = seconds_of(asked.pid), seconds_by_process(database)
    end = time.perf_counter() + ROUND_SECONDS
    for sent in cycle(asked.requests):
        began = time.perf_counter()
        answer = asked.connection.ask(sent)
        now = time.perf_counter()
        latencies.append(now - began)
        if now >= end and len(latencies) >= FEWEST:
            break
    asked.server.append((seconds_of(asked.pid) - server_before) / len(latencies))
    asked.database.append(seconds_since(database_before) / len(latencies))
    asked.latencies.extend(latencies)
    return answer
