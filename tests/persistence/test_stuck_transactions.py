"""A process that is stuck in the middle of a transaction keeps its own row, and holds nobody else up."""

import asyncio

from sqlalchemy import text

from domain.jobs.job import Claim
from persistence import job_transitions
from persistence.database import Database
from tests.persistence.job_world import LEASE, build_world

SOON = 2.0  # seconds: less than any statement may take


async def test_a_job_whose_lost_worker_is_stuck_in_a_transaction_does_not_hold_up_the_others(database: Database):
    world = await build_world(database)
    stuck = await world.claimed(0)
    waiting = await world.queued(1)
    await world.desk.renew([stuck], lease_seconds=-1)
    async with database.as_worker() as frozen:
        await job_transitions.hold(frozen, stuck)
        async with asyncio.timeout(SOON):
            claim = await world.desk.claim_next(lease_seconds=LEASE)
    assert isinstance(claim, Claim)
    assert claim.job_id == waiting.id
    again = await world.desk.claim_next(lease_seconds=LEASE)
    assert again is not None
    assert again.job_id == stuck.job_id


async def test_whatever_a_stuck_transaction_holds_it_does_not_hold_for_long(database: Database):
    async with database.as_worker() as connection:
        assert (await connection.execute(text("SHOW idle_in_transaction_session_timeout"))).scalar_one() == "10s"
