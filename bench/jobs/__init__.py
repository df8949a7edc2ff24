"""The job layer: how fast a job starts, an event is delivered and a cancel arrives, whose turn it is among many, what sleeping jobs cost."""

from bench.delivery.writers import delivery
from bench.jobs.cancels import cancels
from bench.jobs.claims import claims
from bench.jobs.sleeping import sleeping
from bench.jobs.starts import starts


async def jobs() -> None:
    for measure in (starts, delivery, cancels, claims, sleeping):
        await measure()
