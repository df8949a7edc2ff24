"""Upkeep: one process at a time, a bounded number of things at a time, and one failure does not keep the rest from being done."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domain.jobs.upkeep import KEYS_AT_ONCE, LOGS_AT_ONCE, Pauses, Upkeep

WEEK = timedelta(days=7)
NEVER = 3600.0


class Archive:
    """`due` are jobs whose logs may be compacted, `bad` those whose compaction fails; `keys` counts expired ones."""

    def __init__(self, *, due: int = 0, keys: int = 0, alone: bool = True, bad: Sequence[int] = ()) -> None:
        self.due = [uuid4() for _ in range(due)]
        self.bad = {self.due[index] for index in bad}
        self.keys = keys
        self.compacted: list[UUID] = []
        self.all_compacted = asyncio.Event()
        self.retention: timedelta | None = None
        self.rounds = 0
        self.failures = 0
        self._alone = alone
        self._held = False

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[bool]:
        self.rounds += 1
        if self.failures:
            self.failures -= 1
            raise ConnectionError
        self._held = self._alone
        yield self._alone
        self._held = False

    async def due_logs(self, *, older_than: timedelta, limit: int) -> Sequence[UUID]:
        self.retention = older_than
        return [job_id for job_id in self.due if job_id not in self.compacted][:limit]

    async def compact_log(self, job_id: UUID) -> None:
        assert self._held
        if job_id in self.bad:
            raise ValueError
        self.compacted.append(job_id)
        if len(self.compacted) == len(self.due):
            self.all_compacted.set()

    async def forget_keys(self, *, limit: int) -> int:
        assert self._held
        forgotten = min(limit, self.keys)
        self.keys -= forgotten
        return forgotten


async def test_due_logs_are_compacted_and_expired_keys_forgotten():
    archive = Archive(due=3, keys=5)

    assert await Upkeep(archive, log_retention=WEEK).round() is False

    assert archive.compacted == archive.due
    assert (archive.keys, archive.retention) == (0, WEEK)


async def test_whoever_is_not_alone_leaves_it_to_the_other():
    archive = Archive(due=3, keys=5, alone=False)

    assert await Upkeep(archive, log_retention=WEEK).round() is False

    assert (archive.compacted, archive.keys) == ([], 5)


@pytest.mark.parametrize(("due", "keys"), [(LOGS_AT_ONCE + 1, 0), (0, KEYS_AT_ONCE + 1)])
async def test_a_round_is_bounded_and_says_when_there_is_more(due: int, keys: int):
    archive = Archive(due=due, keys=keys)
    rounds = Upkeep(archive, log_retention=WEEK)

    assert [await rounds.round(), await rounds.round()] == [True, False]

    assert (len(archive.compacted), archive.keys) == (due, 0)


async def test_logs_are_kept_for_ever_without_a_retention():
    archive = Archive(due=3, keys=5)

    await Upkeep(archive, log_retention=None).round()

    assert (archive.compacted, archive.keys) == ([], 0)


async def test_a_log_that_cannot_be_compacted_keeps_no_other_from_it():
    archive = Archive(due=3, bad=[0])

    assert await Upkeep(archive, log_retention=WEEK).round() is False

    assert archive.compacted == archive.due[1:]


@pytest.mark.parametrize(
    ("failures", "pauses"),
    [(0, Pauses(first=0, short=0, usual=NEVER)), (2, Pauses(first=0, short=0, usual=0))],
    ids=["soon while there is more to do", "again after a failure"],
)
async def test_another_round_comes(failures: int, pauses: Pauses):
    archive = Archive(due=3 * LOGS_AT_ONCE)
    archive.failures = failures
    running = asyncio.create_task(Upkeep(archive, log_retention=WEEK, pauses=pauses).run())

    async with asyncio.timeout(5):
        await archive.all_compacted.wait()

    running.cancel()


async def test_the_next_round_waits_when_there_is_nothing_more_to_do():
    archive = Archive(due=1)
    running = asyncio.create_task(Upkeep(archive, log_retention=WEEK, pauses=Pauses(first=0, short=0, usual=NEVER)).run())
    async with asyncio.timeout(5):
        await archive.all_compacted.wait()

    await asyncio.wait({running}, timeout=0.05)

    running.cancel()
    assert archive.rounds == 1
