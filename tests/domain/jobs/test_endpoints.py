"""The door in front of a model: who waits there, for how long, and that nobody is held up or let through in a crowd."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from domain.jobs.attempts import LONGEST_PAUSE_SECONDS
from domain.jobs.endpoints import MANY_ENDPOINTS, OUT_OF_ORDER, Endpoint, Endpoints
from domain.jobs.run import Interrupted, JobRun, StopReason
from domain.llm import failures as f
from domain.llm.circuit import FAILURES
from tests.domain.jobs.manual_time import ManualTime, settle
from tests.domain.jobs.test_run import a_run

PAUSES = {"circuit": 10.0, "longest_circuit": 40.0, "turns": 1.0, "patience": 600.0}


@dataclass
class Rates:
    """Answers these waits, then none."""

    waits: list[float] = field(default_factory=list)
    booked: list[tuple[str, int]] = field(default_factory=list)
    given_back: list[tuple[str, int]] = field(default_factory=list)

    async def book(self, endpoint: str, *, tokens: int) -> float:
        self.booked.append((endpoint, tokens))
        return self.waits.pop(0) if self.waits else 0.0

    async def give_back(self, endpoint: str, *, tokens: int) -> None:
        self.given_back.append((endpoint, tokens))


@dataclass
class Door:
    """An endpoint and its visitors. `entered` says at which time each got in."""

    endpoint: Endpoint
    time: ManualTime
    entered: list[float] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    visitors: list[asyncio.Task[None]] = field(default_factory=list)

    def visit(self, *, outcome: f.ModelFailure | str = "answered", run: JobRun | None = None, until: asyncio.Event | None = None) -> None:
        """A call that comes to this end once `until` is set; "nothing" says nothing of the endpoint."""

        async def call() -> None:
            async with self.endpoint.admitted(run or a_run(), tokens=100, tell=self.told.append) as admission:
                self.entered.append(self.time.now)
                if until is not None:
                    await until.wait()
                if isinstance(outcome, f.ModelFailure):
                    admission.failed(outcome)
                elif outcome == "answered":
                    admission.answered()

        self.visitors.append(asyncio.create_task(call()))

    async def break_down(self) -> None:
        for _ in range(FAILURES):
            self.visit(outcome=f.ModelUnavailable("Gone."))
            await settle()
        self.entered.clear()


@pytest.fixture
async def door(time: ManualTime) -> Door:
    return Door(Endpoint("a model", rates=None, timing=time.timing(**PAUSES)), time)


async def test_through_an_open_door_nobody_waits(door: Door, time: ManualTime):
    door.visit()
    await settle()
    assert (door.entered, time.slept, door.told) == ([1000], [], [])


@pytest.mark.parametrize("kind", OUT_OF_ORDER)
async def test_failures_that_speak_for_a_broken_endpoint_close_the_door(door: Door, kind: type[f.ModelFailure]):
    for _ in range(FAILURES):
        door.visit(outcome=kind("Broken."))
        await settle()
    door.visit()
    await settle()
    assert len(door.entered) == FAILURES


@pytest.mark.parametrize(
    "kind", [f.ModelCredentialsRefused, f.ModelQuotaExhausted, f.ModelRejectedRequest, f.ModelEmpty, f.ModelRateLimited]
)
async def test_failures_that_are_answers_never_do(door: Door, kind: type[f.ModelFailure]):
    for _ in range(3 * FAILURES):
        door.visit(outcome=kind("No."))
        await settle()
    assert len(door.entered) == 3 * FAILURES


async def test_while_it_is_shut_everybody_waits_and_one_at_a_time_looks(door: Door, time: ManualTime):
    await door.break_down()
    for _ in range(5):
        door.visit(outcome=f.ModelUnavailable("Still gone."))
    await time.pass_by(9)
    assert door.entered == []
    await time.pass_by(4)
    assert len(door.entered) == 1
    await time.pass_by(15)
    assert len(door.entered) == 1, "it failed, so the next comes in twice the time"
    await time.pass_by(12)
    assert len(door.entered) == 2


async def test_when_it_opens_those_who_waited_go_one_after_the_other(door: Door, time: ManualTime):
    await door.break_down()
    probing = asyncio.Event()
    for _ in range(20):
        door.visit(until=probing)
    await time.pass_by(60)
    assert len(door.entered) == 1
    probing.set()
    await time.pass_by(120)
    assert len(door.entered) == 20
    apart = [later - earlier for earlier, later in zip(door.entered[1:], door.entered[2:], strict=False)]
    assert min(apart) >= 0.5


async def test_a_probe_that_says_nothing_leaves_its_place_to_the_next(door: Door, time: ManualTime):
    await door.break_down()
    for _ in range(2):
        door.visit(outcome="nothing")
    await time.pass_by(20)
    assert len(door.entered) == 2


async def test_who_waited_too_long_is_told_that_the_endpoint_is_out_of_order(door: Door, time: ManualTime):
    await door.break_down()
    door.visit(until=asyncio.Event())
    await time.pass_by(20)
    assert len(door.entered) == 1
    door.visit()
    await time.pass_by(PAUSES["patience"])
    with pytest.raises(f.ModelUnavailable, match="not back within 600 seconds") as caught:
        await door.visitors[-1]
    assert caught.value.retryable


async def test_who_is_told_to_come_back_later_speaks_for_all(door: Door, time: ManualTime):
    door.visit(outcome=f.ModelRateLimited("Slow down.", retry_after=30))
    await settle()
    for _ in range(10):
        door.visit()
    await time.pass_by(29.9)
    assert len(door.entered) == 1
    await time.pass_by(60)
    assert len(door.entered) == 11
    assert min(door.entered[1:]) > 1030
    assert len(set(door.entered[1:])) == 10, "each at a time of its own"
    assert door.told


async def test_an_overloaded_provider_that_names_a_time_is_left_alone_until_then(door: Door, time: ManualTime):
    door.visit(outcome=f.ModelUnavailable("Overloaded.", retry_after=30))
    await settle()
    door.visit()
    await time.pass_by(29.9)
    assert len(door.entered) == 1


async def test_of_two_wishes_the_longer_one_holds(door: Door, time: ManualTime):
    answered = asyncio.Event()
    for seconds in (30, 5):
        door.visit(outcome=f.ModelRateLimited("Slow down.", retry_after=seconds), until=answered)
    await settle()
    answered.set()
    await settle()
    door.visit()
    await time.pass_by(29)
    assert len(door.entered) == 2


async def test_a_wish_that_nobody_would_wait_for_fails_each_call_at_once_instead_of_being_ignored(door: Door, time: ManualTime):
    door.visit(outcome=f.ModelRateLimited("Tomorrow.", retry_after=10_000))
    await time.pass_by(100)
    door.visit()
    await settle()
    with pytest.raises(f.ModelRateLimited) as caught:
        await door.visitors[-1]
    assert caught.value.retry_after == 9900
    assert time.slept == []
    await time.pass_by(9900 - LONGEST_PAUSE_SECONDS)
    door.visit()
    await time.pass_by(LONGEST_PAUSE_SECONDS + 2)
    assert len(door.entered) == 2


@pytest.mark.parametrize("stop", [lambda run: run.interrupt(StopReason.CANCELLED), lambda run: run.drain()])
async def test_a_cancel_and_a_shutdown_end_the_wait_at_once(door: Door, stop: Callable[[JobRun], None]):
    await door.break_down()
    run = a_run()
    door.visit(run=run)
    await settle()
    stop(run)
    await settle()
    with pytest.raises(Interrupted):
        await door.visitors[-1]


async def test_who_must_wait_for_their_place_in_the_rate_wait_before_they_begin(time: ManualTime):
    rates = Rates([0.0, 7.0])
    door = Door(Endpoint("a model", rates=rates, timing=time.timing(**PAUSES)), time)
    for _ in range(2):
        door.visit()
    await time.pass_by(20)
    assert door.entered == [1000, 1007]
    assert rates.booked == [("a model", 100)] * 2
    assert "operator" in door.told[0]


async def test_a_place_in_the_rate_is_not_asked_for_while_the_endpoint_is_out_of_order(time: ManualTime):
    rates = Rates()
    door = Door(Endpoint("a model", rates=rates, timing=time.timing(**PAUSES)), time)
    await door.break_down()
    booked = len(rates.booked)
    door.visit()
    await time.pass_by(9)
    assert len(rates.booked) == booked
    await time.pass_by(9)
    assert len(rates.booked) == booked + 1


async def test_who_has_a_place_in_the_rate_still_minds_what_happened_meanwhile(time: ManualTime):
    rates = Rates([20.0])
    door = Door(Endpoint("a model", rates=rates, timing=time.timing(**PAUSES)), time)
    door.visit()
    await settle()
    door.visit(outcome=f.ModelRateLimited("Slow down.", retry_after=60))
    await time.pass_by(59)
    assert len(door.entered) == 1
    await time.pass_by(10)
    assert len(door.entered) == 2
    assert len(rates.booked) == 2


async def test_who_leaves_before_their_place_comes_up_gives_it_back(time: ManualTime):
    rates, run = Rates([20.0]), a_run()
    door = Door(Endpoint("a model", rates=rates, timing=time.timing(**PAUSES)), time)
    door.visit(run=run)
    await settle()
    run.interrupt(StopReason.CANCELLED)
    await settle()
    assert rates.given_back == rates.booked == [("a model", 100)]
    with pytest.raises(Interrupted):
        await door.visitors[-1]


async def test_models_of_one_address_are_endpoints_of_their_own(time: ManualTime):
    endpoints = Endpoints("http://models.example/v1", rates=None, timing=time.timing(**PAUSES))
    await Door(endpoints.of("one"), time).break_down()
    door = Door(endpoints.of("two"), time)
    door.visit()
    await settle()
    assert len(door.entered) == 1
    assert endpoints.of("one") is endpoints.of("one")


async def test_names_of_models_that_led_nowhere_are_not_kept_for_ever(time: ManualTime):
    endpoints = Endpoints("http://models.example/v1", rates=None, timing=time.timing(**PAUSES))
    troubled = endpoints.of("troubled")
    await Door(troubled, time).break_down()
    busy = Door(endpoints.of("busy"), time)
    busy.visit(until=asyncio.Event())
    await settle()
    for number in range(3 * MANY_ENDPOINTS):
        endpoints.of(f"no such model {number}")
    assert len(endpoints._endpoints) <= MANY_ENDPOINTS
    assert endpoints.of("troubled") is troubled
    assert endpoints.of("busy") is busy.endpoint
