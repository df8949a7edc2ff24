"""Clients that stop reading, beside others that do not: what each of them costs, how soon it is dropped, what the others notice.

The server is a process of its own, set up as `scriptorium serve` does it, with a subscription that floods in front of the product's
transports. The peer is a second such process whose clients all read, at the same time on the same machine.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from itertools import cycle
from statistics import median

from bench.report import HEADING, row
from bench.slow_readers.clients import Listener, stalled_socket, stalled_stream
from bench.slow_readers.observed import Observed, served
from schema.edge.media_types import EVENT_STREAM, MULTIPART

ROUNDS = 3
CLIENTS = 20
SETTLING_SECONDS = 2.0
PATIENCE_SECONDS = 60.0
LIMIT_SECONDS = 30.0
LIMIT_BYTES = 5_000_000
LIMIT_RATIO = 1.10


async def slow_readers() -> None:
    dropped: list[float] = []
    async with served() as server, served() as peer, AsyncExitStack() as clients:
        beside = [await clients.enter_async_context(Listener(server.port, f"listener-{number}")) for number in range(CLIENTS)]
        without = [await clients.enter_async_context(Listener(peer.port, f"listener-{number}")) for number in range(CLIENTS)]
        await asyncio.sleep(SETTLING_SECONDS)
        for listener in (*beside, *without):
            listener.delays.clear()
        costs = [await _stall(server, dropped) for _ in range(ROUNDS)]
    _report(_delays(beside), _delays(without), dropped, costs)


async def _stall(server: Observed, dropped: list[float]) -> tuple[float, float]:
    """Bytes that one stalled client costs at the most, in the process and in the kernel. Ends when all are dropped."""
    before, connected = server.resident_bytes(), server.open_files()
    hang_up = [
        await stalled_socket(server.port, f"stalled-{number}")
        if media_type is None
        else stalled_stream(server.port, f"stalled-{number}", media_type)
        for number, media_type in zip(range(CLIENTS), cycle((None, EVENT_STREAM, f"{MULTIPART};subscriptionSpec=1.0")), strict=False)
    ]
    await asyncio.sleep(0.2)
    began = time.perf_counter() - 0.2
    process = kernel = 0
    left = server.open_files() - connected
    assert left == CLIENTS
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while left:
                await asyncio.sleep(0.1)
                process = max(process, server.resident_bytes() - before)
                kernel = max(kernel, server.kernel_bytes())
                still = server.open_files() - connected
                dropped += [time.perf_counter() - began] * (left - still)
                left = still
    finally:
        for client in hang_up:
            client()
    return process / CLIENTS, kernel / CLIENTS


def _report(beside: list[float], without: list[float], dropped: list[float], costs: list[tuple[float, float]]) -> None:
    print(f"\n{CLIENTS} clients that stop reading (a third each over WebSocket, event stream and multipart), {CLIENTS} that do not")
    print(HEADING)
    print(row("an event to a client that reads, beside them", beside))
    print(row("peer: the same on a server without them, meanwhile", without))
    print(row("a client that stopped reading, until it was dropped", dropped, limit=LIMIT_SECONDS))
    ratio = _p95(beside) / _p95(without)
    print(f"  p95 beside them / without them: {ratio:.2f}   limit {LIMIT_RATIO:.2f}: {_verdict(ratio <= LIMIT_RATIO)}")
    process, kernel = (median(cost[part] for cost in costs) for part in (0, 1))
    worst = max(sum(cost) for cost in costs)
    print(
        f"  kept for one that stopped: {process / 1e6:.2f} MB in the process, {kernel / 1e6:.2f} MB in the kernel (medians of {ROUNDS}); "
        f"at most {worst / 1e6:.2f} MB   limit {LIMIT_BYTES / 1e6:.0f} MB: {_verdict(worst <= LIMIT_BYTES)}"
    )


def _delays(listeners: list[Listener]) -> list[float]:
    return [delay for listener in listeners for delay in listener.delays]


def _p95(seconds: list[float]) -> float:
    return sorted(seconds)[int(0.95 * len(seconds))]


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"
