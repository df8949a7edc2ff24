"""How often a run puts up with a model, and how long it waits each time."""

import asyncio

import pytest

from domain.jobs.attempts import ATTEMPTS, LONGEST_PAUSE_SECONDS, Attempts
from domain.llm.failures import ModelFailure, ModelInterrupted, ModelRateLimited, ModelRejectedRequest
from tests.domain.jobs.manual_time import ManualTime
from tests.domain.jobs.test_run import a_run


async def endure(attempts: Attempts, time: ManualTime, failure: ModelFailure, told: list[str] | None = None) -> None:
    enduring = asyncio.create_task(attempts.endure(failure, a_run(), [].append if told is None else told.append))
    await time.pass_by(2 * LONGEST_PAUSE_SECONDS)
    await enduring


async def test_pauses_double_and_the_fourth_failure_in_a_row_is_the_last(time: ManualTime):
    attempts = Attempts(time.timing(between_attempts=1))
    for _ in range(ATTEMPTS - 1):
        await endure(attempts, time, ModelInterrupted("Cut."))
    with pytest.raises(ModelInterrupted):
        await endure(attempts, time, ModelInterrupted("Cut."))
    assert (ATTEMPTS, time.slept) == (4, [1, 2, 4])


async def test_a_call_that_ends_well_begins_the_count_and_the_pauses_anew(time: ManualTime):
    attempts = Attempts(time.timing(between_attempts=1))
    for _ in range(3):
        await endure(attempts, time, ModelInterrupted("Cut."))
        await endure(attempts, time, ModelInterrupted("Cut."))
        attempts.ended_well()
    assert time.slept == [1, 2] * 3


@pytest.mark.parametrize(("drawn", "seconds"), [(0.0, 20.0), (0.5, 25.0), (1.0, 30.0)])
async def test_what_the_provider_asks_for_is_never_undercut_and_chance_only_adds(time: ManualTime, drawn: float, seconds: float):
    time.drawn = drawn
    await endure(Attempts(time.timing()), time, ModelRateLimited("Slow down.", retry_after=20))
    assert time.slept == [seconds]


async def test_a_provider_that_asks_for_no_pause_at_all_is_still_given_one(time: ManualTime):
    attempts = Attempts(time.timing(between_attempts=1))
    for _ in range(3):
        await endure(attempts, time, ModelRateLimited("Slow down.", retry_after=0))
    assert time.slept == [1, 2, 4]


@pytest.mark.parametrize(
    "failure", [ModelRejectedRequest("No."), ModelRateLimited("Come back tomorrow.", retry_after=LONGEST_PAUSE_SECONDS + 1)]
)
async def test_what_waiting_will_not_mend_is_not_waited_for(time: ManualTime, failure: ModelFailure):
    with pytest.raises(type(failure)):
        await endure(Attempts(time.timing()), time, failure)
    assert time.slept == []


async def test_a_long_pause_is_told_to_those_who_follow_the_job(time: ManualTime):
    told: list[str] = []
    attempts = Attempts(time.timing(between_attempts=1.5))
    for _ in range(2):
        await endure(attempts, time, ModelInterrupted("Cut."), told)
    assert [message.rpartition("Going on in about ")[2] for message in told] == ["3 seconds."]
