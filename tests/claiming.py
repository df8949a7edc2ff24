"""Taking a job that a test is about, whoever's turn it may be."""

from uuid import UUID

from domain.jobs.job import Claim
from persistence import job_transitions
from persistence.database import Database


async def claim_job(database: Database, job_id: UUID, *, lease_seconds: float = 30.0) -> Claim | None:
    """None when the job cannot be taken."""
    async with database.as_worker() as connection:
        return await job_transitions.claim(connection, job_id, worker="test", lease_seconds=lease_seconds)
