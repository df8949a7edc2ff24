"""Old logs are compacted by whoever works on jobs, after the time that the operator has set."""

from dataclasses import replace

import psycopg
import pytest

from domain.jobs.events import Finished, StatusChanged
from domain.jobs.job import JobStatus
from server import Scriptorium
from tests.persistence.job_world import build_world, ending
from tests.server.running import TEST_SETTINGS


@pytest.mark.parametrize(("days", "is_compacted"), [(7, True), (9, False), (0, False)])
async def test_logs_are_compacted_after_as_many_days_as_are_set_and_never_after_none(database_url, owner_url, database, days, is_compacted):
    world = await build_world(database)
    claim = await world.claimed()
    await world.desk.finish(claim, ending())
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE job SET finished_at = now() - interval '8 days'")
    scriptorium = Scriptorium(replace(TEST_SETTINGS, log_retention_days=days), database_url)

    await scriptorium._upkeep().round()
    await scriptorium.stop()

    assert (await world.events(claim.job_id) == [StatusChanged(JobStatus.SUCCEEDED), Finished()]) is is_compacted
