"""Each fault of a model at each paid step of a chapter: the job ends as the table says, the text is kept, and the money is settled."""

from pathlib import Path

import pytest

from domain.jobs.attempts import ATTEMPTS, LONGEST_PAUSE_SECONDS
from domain.jobs.timing import Pauses
from domain.llm.circuit import FAILURES
from tests.fakes.model_server import Call
from tests.reliability.faulty_model import World, assert_settled, nothing_crashed, shared_world, world
from tests.reliability.model_faults import ADVICE, FAULTS, FAULTS_OF_JUDGES, Fault, Paid, tables
from tests.server import story

__all__ = ["nothing_crashed", "shared_world", "world"]

PAGE = Path(__file__).parents[2] / "docs" / "model-faults.md"
FIRST, LAST = "The lamp was lit. ", "the tide came in."
AT_EACH_STEP = pytest.mark.parametrize("before", [[], [FIRST]], ids=["first part", "continuation"])


@AT_EACH_STEP
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
async def test_a_fault_that_lasts_ends_the_job_as_the_table_says(world: World, fault: Fault, before: list[str]):
    for text in before:
        world.script_well(text, finish="length")
    world.script(fault, fault.calls)
    job = await world.write()
    kept = "".join(before) + fault.text * fault.calls
    assert world.calls == len(before) + fault.calls
    if fault.failure is None:
        assert (job["status"], job["failure"], job["result"]["origin"]) == ("SUCCEEDED", None, "DRAFT")
    else:
        assert job["status"] == "FAILED"
        assert (job["failure"]["code"], job["failure"]["retryable"]) == (fault.failure.code, fault.failure.retryable)
        assert (job["result"] and job["result"]["origin"]) == ("PARTIAL" if kept else None)
    assert job["text"] == kept
    assert (job["result"]["text"] if job["result"] else "") == kept
    assert (await story.chapter(world.ada, world.chapter_id))["status"] == ("PLANNED" if fault.failure else "DRAFTED")
    assert_settled(world, job, fault, [Paid.REPORTED] * len(before) + [fault.paid] * fault.calls)
    if fault.failure is not None:
        await assert_taken_up_again(world, fault, kept)


async def assert_taken_up_again(world: World, fault: Fault, kept: str) -> None:
    """A retry buys nothing twice: it goes on from the tail of what is there."""
    entries = len(world.ledger())
    world.script_well(LAST)
    job = await world.try_again()
    if fault.shuts_out:
        assert (job["status"], job["failure"]["code"], world.calls) == ("FAILED", fault.failure.code, 0)
        return
    assert (job["status"], job["text"], job["result"]["text"]) == ("SUCCEEDED", kept + LAST, kept + LAST)
    assert (world.calls, len(world.ledger()), world.held()) == (1, entries + 1, 0)
    assert tail_sent(world.server.calls[-1]) == (kept or None)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.passes], ids=lambda fault: fault.what)
async def test_a_fault_that_passes_does_not_keep_the_chapter_from_being_written(world: World, fault: Fault):
    world.script(fault, 1)
    world.script_well(FIRST, finish="length")
    world.script(fault, 1)
    world.script_well(LAST)
    job = await world.write()
    written = fault.text + FIRST + fault.text + LAST
    assert (job["status"], job["result"]["text"], job["text"]) == ("SUCCEEDED", written, written)
    assert world.calls == 4
    assert_settled(world, job, fault, [fault.paid, Paid.REPORTED] * 2)


def tail_sent(call: Call) -> str | None:
    """The text that the call was asked to continue."""
    messages = call.body["messages"]
    return messages[-2]["content"] if messages[-2]["role"] == "assistant" else None


def test_the_page_for_operators_shows_the_tables():
    shown = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert shown == tables(), "run `python -m tests.reliability.model_faults` and put what it prints into docs/model-faults.md"


@pytest.mark.parametrize(
    "said",
    [
        f"{ATTEMPTS} calls in a row",
        f"{FAILURES} in a row",
        f"{Pauses().circuit:.0f} seconds",
        f"up to {Pauses().longest_circuit:.0f}",
        f"{Pauses().patience / 60:.0f} minutes",
        f"{Pauses().turns} seconds",
        f"{LONGEST_PAUSE_SECONDS / 60:.0f} minutes",
    ],
)
def test_the_page_names_the_numbers_that_are_in_use(said: str):
    assert said in PAGE.read_text(encoding="utf-8").replace("\n", " ")


def test_every_failure_has_its_advice_and_every_fault_a_name_of_its_own():
    assert {fault.failure for fault in (*FAULTS, *FAULTS_OF_JUDGES) if fault.failure} == ADVICE.keys()
    for faults in (FAULTS, FAULTS_OF_JUDGES):
        assert len({fault.what for fault in faults}) == len(faults) > 30
