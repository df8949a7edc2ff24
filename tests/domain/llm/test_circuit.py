"""When a circuit holds calls back, for how long, and whom it lets find out whether that is still needed."""

import pytest

from domain.llm.circuit import FAILURES, Circuit


@pytest.fixture
def circuit() -> Circuit:
    return Circuit(first=10, longest=60, draw=lambda: 0.0)


def fail(circuit: Circuit, now: float) -> bool:
    """One call that begins now and fails at once; whether that opens the circuit."""
    call = circuit.begin()
    opened = circuit.failed(call, now)
    circuit.left(call)
    return opened


def opened(circuit: Circuit, now: float = 0.0) -> Circuit:
    assert [fail(circuit, now) for _ in range(FAILURES)] == [False] * (FAILURES - 1) + [True]
    return circuit


def test_a_few_failures_hold_nobody_back(circuit: Circuit):
    for _ in range(FAILURES - 1):
        assert not fail(circuit, 0)
        assert circuit.delay(0) == 0


def test_an_answer_between_failures_begins_the_count_anew(circuit: Circuit):
    for _ in range(3 * FAILURES):
        assert not fail(circuit, 0)
        circuit.answered()
    assert circuit.is_untroubled


def test_enough_failures_in_a_row_hold_everybody_back_for_a_while(circuit: Circuit):
    opened(circuit)
    assert [circuit.delay(now) for now in (0, 4, 10, 11)] == [10, 6, 0, 0]
    assert not circuit.is_closed


def test_one_call_at_a_time_finds_out_and_the_others_look_again_later(circuit: Circuit):
    probe = opened(circuit).begin()
    assert circuit.delay(10) > 0
    assert circuit.delay(10_000) > 0
    circuit.left(probe)
    assert circuit.delay(10_000) == 0


def test_a_probe_that_is_answered_closes_the_circuit(circuit: Circuit):
    probe = opened(circuit).begin()
    circuit.answered()
    circuit.left(probe)
    assert circuit.delay(10) == 0
    assert circuit.is_untroubled


def test_a_probe_that_fails_opens_it_for_twice_as_long_up_to_a_bound(circuit: Circuit):
    now, delays = 0.0, []
    opened(circuit)
    for _ in range(6):
        delays.append(circuit.delay(now))
        now += delays[-1]
        assert fail(circuit, now)
    assert delays == [10, 20, 40, 60, 60, 60]


def test_after_it_was_closed_it_opens_for_as_short_a_time_as_at_first(circuit: Circuit):
    fail(opened(circuit), 10)
    circuit.answered()
    assert opened(circuit, 100).delay(100) == 10


def test_openings_differ_by_up_to_half_so_that_processes_do_not_probe_together():
    drawn = iter([0.0, 0.5, 1.0])
    circuit = Circuit(first=10, longest=10, draw=lambda: next(drawn))
    delays = [opened(circuit).delay(0)]
    for now in (10, 30):
        fail(circuit, now)
        delays.append(circuit.delay(now))
    assert delays == [10, 12.5, 15]


def test_calls_that_had_begun_before_it_opened_do_not_keep_it_open(circuit: Circuit):
    late = circuit.begin()
    opened(circuit)
    assert not circuit.failed(late, 9)
    assert circuit.delay(9) == 1
    probe = circuit.begin()
    assert not circuit.failed(late, 10)
    assert circuit.delay(10) > 0, "the probe is still out"
    circuit.left(late)
    assert circuit.delay(10) > 0
    circuit.left(probe)
    assert circuit.delay(10) == 0


def test_a_call_that_had_begun_before_it_opened_and_is_answered_closes_it(circuit: Circuit):
    circuit.begin()
    opened(circuit).answered()
    assert circuit.delay(0) == 0
