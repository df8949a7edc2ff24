"""Each fault of a model at a judge's call: the job ends as the table says, what was measured is kept, and the money is settled."""

import pytest

from tests.fakes.model_server import reply
from tests.reliability.faulty_model import World, assert_settled, nothing_crashed, shared_world, world
from tests.reliability.model_faults import ANSWER, FAULTS_OF_JUDGES, Fault, Paid
from tests.server import judging
from tests.server.judging import CONCERNS, PROSE
from tests.server.running import MODEL

__all__ = ["nothing_crashed", "shared_world", "world"]


@pytest.mark.parametrize("fault", FAULTS_OF_JUDGES, ids=lambda fault: fault.what)
async def test_a_fault_that_lasts_ends_the_assessment_as_the_table_says(world: World, fault: Fault):
    world.server.default = reply(ANSWER)
    world.script_well(ANSWER)
    world.script(fault, fault.calls)
    job = await world.assess(PROSE)
    made = await judging.assessment_of(world.ada, job)
    assert job["text"] == ""
    assert made["metrics"]
    if fault.failure is None:
        assert (job["status"], job["failure"], made["judge"], world.calls) == ("SUCCEEDED", None, MODEL, CONCERNS)
        assert_settled(world, job, fault, [Paid.REPORTED, fault.paid, *[Paid.REPORTED] * (CONCERNS - 2)])
        return
    assert (job["status"], made["judge"], world.calls) == ("FAILED", None, 1 + fault.calls)
    assert (job["failure"]["code"], job["failure"]["retryable"]) == (fault.failure.code, fault.failure.retryable)
    assert_settled(world, job, fault, [Paid.REPORTED, *[fault.paid] * fault.calls])
    await assert_taken_up_again(world, fault)


async def assert_taken_up_again(world: World, fault: Fault) -> None:
    """A retry buys no answer twice that could be used."""
    entries = len(world.ledger())
    job = await world.try_again()
    if fault.shuts_out:
        assert (job["status"], job["failure"]["code"], world.calls) == ("FAILED", fault.failure and fault.failure.code, 0)
        return
    made = await judging.assessment_of(world.ada, job)
    assert (job["status"], made["judge"], world.calls) == ("SUCCEEDED", MODEL, CONCERNS - 1)
    assert (len(world.ledger()), world.held()) == (entries + CONCERNS - 1, 0)
