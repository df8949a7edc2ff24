"""Looking after jobs that are long over: their logs are compacted, the keys under which they were started forgotten.

Every process that works on jobs offers to, one at a time does, and no more in a round than is done in a moment.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

logger = logging.getLogger(__name__)

LOGS_AT_ONCE = 20
KEYS_AT_ONCE = 1000


class JobArchive(Protocol):
    """Jobs of all tenants that are long over. Every method is a transaction; how old something is, the database's clock says."""

    def alone(self) -> AbstractAsyncContextManager[bool]:
        """Whether no other process looks after old jobs; while the context lasts none begins to."""

    async def due_logs(self, *, older_than: timedelta, limit: int) -> Sequence[UUID]:
        """Jobs that ended longer ago than this and whose log has not been compacted since; the oldest first."""

    async def compact_log(self, job_id: UUID) -> None:
        """As domain.jobs.events says. Changes nothing when the job is active, or the log is compacted already."""

    async def forget_keys(self, *, limit: int) -> int:
        """Delete idempotency keys that have expired, and say how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Seconds: before the first round, between rounds, and while there is more to do than a round does."""

    first: float = 10.0
    usual: float = 300.0
    short: float = 1.0


class Upkeep:
    """`log_retention` is how long a log stays as it was written once its job is done; None is for ever."""

    def __init__(self, archive: JobArchive, *, log_retention: timedelta | None, pauses: Pauses = Pauses()) -> None:
        self._archive = archive
        self._log_retention = log_retention
        self._pauses = pauses

    async def run(self) -> None:
        """Rounds until cancelled."""
        pause = self._pauses.first
        while True:
            await asyncio.sleep(pause)
            pause = self._pauses.usual
            try:
                if await self.round():
                    pause = self._pauses.short
            except Exception:  # the database is away: there is time until the next round
                logger.warning("upkeep.failed", exc_info=True)

    async def round(self) -> bool:
        """Whether there is more to do than was done."""
        async with self._archive.alone() as alone:
            if not alone:
                return False
            forgotten = await self._archive.forget_keys(limit=KEYS_AT_ONCE)
            compacted = await self._compact(await self._due_logs())
        if forgotten or compacted:
            logger.info("upkeep.done", extra={"logs_compacted": compacted, "keys_forgotten": forgotten})
        return forgotten == KEYS_AT_ONCE or compacted == LOGS_AT_ONCE

    async def _due_logs(self) -> Sequence[UUID]:
        if self._log_retention is None:
            return ()
        return await self._archive.due_logs(older_than=self._log_retention, limit=LOGS_AT_ONCE)

    async def _compact(self, job_ids: Sequence[UUID]) -> int:
        compacted = 0
        for job_id in job_ids:
            try:
                await self._archive.compact_log(job_id)
                compacted += 1
            except Exception:  # one log that cannot be compacted must not keep the others from it
                logger.warning("upkeep.compaction_failed", exc_info=True, extra={"job_id": str(job_id)})
        return compacted
