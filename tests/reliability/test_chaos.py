"""The storm of `make chaos` in small: processes are killed, frozen and replaced, the database restarts, and every promise holds."""

from itertools import islice

import pytest

from domain.jobs.job import JobKind
from tests.reliability.chaos.faults import ROUND, FaultKind, faults_of
from tests.reliability.chaos.plan import plan_of
from tests.reliability.chaos.report import lines
from tests.reliability.chaos.storm import Weather, storm

SHORT = Weather(
    seed=20261125,
    runs=24,
    in_flight=14,
    lease_seconds=2,
    drain_seconds=1,
    patience_seconds=200,
    shortest_pause=0.7,
    longest_pause=2.3,
    chunk_seconds=0.12,
)


def test_the_seed_decides_what_is_asked_for_and_what_goes_wrong_when():
    def drawn(seed: int) -> tuple[object, ...]:
        return plan_of(seed, 50), list(islice(faults_of(seed), 50))

    assert drawn(1) == drawn(1) != drawn(2)


def test_every_kind_of_fault_comes_in_every_round():
    assert {fault.kind for fault in islice(faults_of(1), len(ROUND))} == set(FaultKind)


@pytest.mark.timeout(300)
async def test_a_short_storm_loses_nothing_and_repeats_nothing():
    outcome = await storm(SHORT)
    assert not outcome.violations, "\n".join(lines(outcome))
    assert outcome.faults.total() >= 5
    assert len(outcome.evidence.jobs) == SHORT.runs
    assert {job.kind for job in outcome.evidence.jobs.values()} == set(JobKind)
    assert any(job.max_revisions for job in outcome.evidence.jobs.values())
