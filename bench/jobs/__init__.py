"""The job layer: how fast a job starts, whose turn it is among many, what five hundred sleeping ones cost, how fast a cancel arrives."""

from bench.jobs.cancels import cancels
from bench.jobs.claims import claims
from bench.jobs.sleeping import sleeping
from bench.jobs.starts import starts


async def jobs() -> None:
    for measure in (starts, cancels, claims, sleeping):
        await measure()
