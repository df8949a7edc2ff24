"""Paid calls: recorded before and after, tried again only when nothing came, and never paid for twice."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.identifiers import uuid7
from domain.jobs.attempts import ATTEMPTS, LONGEST_PAUSE_SECONDS, Attempts
from domain.jobs.endpoints import Endpoints
from domain.jobs.event_log import EventLog
from domain.jobs.job import CallIntent, CallResult, Claim, JobKind, LeaseLost
from domain.jobs.model_calls import INTERRUPTED, CutOff, ModelCalls, request_hash
from domain.jobs.run import Interrupted, JobRun, OutOfFunds, StopReason
from domain.jobs.timing import Pauses, Timing
from domain.llm.circuit import FAILURES
from domain.llm.failures import (
    ModelFailure,
    ModelInterrupted,
    ModelRateLimited,
    ModelRefusedContent,
    ModelRejectedRequest,
    ModelUnavailable,
)
from domain.llm.model import Completed, CompletionRequest, FinishReason, Message, Role, TextDelta, TokenUsage
from domain.llm.prices import PriceBook
from domain.llm.tokens import TokenCounter
from domain.spending import Allowance, Funds, LimitName
from tests.factories import NOON

REQUEST = CompletionRequest(model="gpt-4.1-mini", messages=(Message(Role.USER, "Write."),), temperature=1.0, max_tokens=100)
USAGE = TokenUsage(prompt_tokens=7, cached_prompt_tokens=0, completion_tokens=3, estimated=False)
WITHOUT_PAUSES = Pauses(between_attempts=0, turns=0)


@dataclass
class Desk:
    """The part of a desk that calls need. `record` fails as often as `outages` says."""

    intents: list[CallIntent] = field(default_factory=list)
    abandoned: list[TokenUsage | None] = field(default_factory=list)
    recorded: dict[str, CallResult] = field(default_factory=dict)
    entered: list[CallResult] = field(default_factory=list)
    outages: int = 0
    lost: bool = False
    money: Decimal | None = None
    wanted: list[Decimal] = field(default_factory=list)
    when_intended: Callable[[], None] = lambda: None
    was_abandoned: asyncio.Event = field(default_factory=asyncio.Event)

    async def intend(self, claim: Claim, intent: CallIntent) -> CallResult | None:
        self.intents.append(intent)
        self.when_intended()
        return self.recorded.get(intent.step)

    async def fund(self, claim: Claim, wanted: Decimal) -> Funds:
        self.wanted.append(wanted)
        granted = wanted if self.money is None else min(wanted, self.money)
        return Funds(granted=granted, short_of=Allowance(LimitName.COST_LIMIT, Decimal(1), granted) if granted < wanted else None)

    async def abandon(self, claim: Claim, intent: CallIntent, *, at: Any, usage: TokenUsage | None, cost: Any) -> None:
        self.abandoned.append(usage)
        self.was_abandoned.set()

    async def record(self, claim: Claim, intent: CallIntent, result: CallResult, *, at: Any) -> None:
        if self.lost:
            raise LeaseLost
        if self.outages:
            self.outages -= 1
            raise ConnectionError
        self.entered.append(result)
        self.recorded.setdefault(intent.step, result)

    async def append(self, batches: Any, *, at: Any) -> set[Any]:
        return set()


class Model:
    """Plays one script a call: texts, failures, events to wait for, and how it ended."""

    rehearsal = False

    def __init__(self, *scripts: list[str | ModelFailure | asyncio.Event | FinishReason]) -> None:
        self.scripts = list(scripts)
        self.calls = 0
        self.is_prepared = False
        self.call_ids: list[UUID | None] = []

    async def prepare(self) -> None:
        self.is_prepared = True

    @asynccontextmanager
    async def stream(self, request: CompletionRequest) -> AsyncIterator[AsyncIterator[TextDelta | Completed]]:
        self.calls += 1
        self.call_ids.append(request.call_id)
        request.last_look()
        yield self._play(self.scripts.pop(0))

    async def _play(self, script: list[str | ModelFailure | asyncio.Event | FinishReason]) -> AsyncIterator[TextDelta | Completed]:
        finish = FinishReason.STOP
        for part in script:
            if isinstance(part, ModelFailure):
                raise part
            if isinstance(part, FinishReason):
                finish = part
            elif isinstance(part, asyncio.Event):
                await part.wait()
            else:
                yield TextDelta(part)
        yield Completed(finish=finish, usage=USAGE, request_id=None)

    async def aclose(self) -> None:
        pass


@dataclass
class Caller:
    desk: Desk
    model: Model
    run: JobRun
    shown: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    something_shown: asyncio.Event = field(default_factory=asyncio.Event)
    pauses: Pauses = WITHOUT_PAUSES
    was_told: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.timing = Timing(pauses=self.pauses, now=time.monotonic, sleep=asyncio.sleep, draw=lambda: 0.0)
        self.endpoints = Endpoints("http://models.example/v1", rates=None, timing=self.timing)

    def tell(self, message: str) -> None:
        self.told.append(message)
        self.was_told.set()

    def show(self, text: str) -> None:
        self.shown.append(text)
        self.something_shown.set()

    async def complete(self, request: CompletionRequest = REQUEST) -> CallResult:
        calls = ModelCalls(
            desk=self.desk,
            model=self.model,
            tokens=TokenCounter(),
            prices=PriceBook(clock=lambda: NOON),
            clock=lambda: NOON,
            ids=uuid7,
            endpoints=self.endpoints,
            timing=self.timing,
        )
        async with asyncio.timeout(10):
            return await calls.complete(self.run, "draft/1", request, attempts=Attempts(self.timing), show=self.show, tell=self.tell)


@pytest.fixture
async def calling() -> AsyncIterator[Callable[..., Caller]]:
    """Makes callers of a model with these scripts."""
    desk = Desk()
    log = EventLog(desk, lambda: NOON, on_written=lambda _: None, on_lost=lambda _: None)
    writing = asyncio.create_task(log.run())
    claim = Claim(job_id=uuid4(), kind=JobKind.CHAPTER, project_id=uuid4(), user_id=uuid4(), epoch=1, attempt=1, cancel_requested=False)
    yield lambda *scripts, **options: Caller(desk, Model(*scripts), JobRun(claim, log.open(claim)), **options)
    writing.cancel()
    await asyncio.wait({writing})


def rate_limited(retry_after: float | None = None) -> ModelFailure:
    return ModelRateLimited("Too many.", retry_after=retry_after)


async def test_a_call_is_intended_shown_and_recorded(calling: Any):
    caller = calling(["Mara ", "waited."])
    result = await caller.complete()
    assert (result.text, result.finish, result.usage) == ("Mara waited.", "stop", USAGE)
    assert caller.shown == ["Mara ", "waited."]
    assert (len(caller.desk.intents), caller.desk.entered) == (1, [result])


async def test_a_recorded_result_is_not_bought_again(calling: Any):
    caller = calling(["Once."])
    first = await caller.complete()
    assert await caller.complete() == first
    assert caller.model.calls == 1


async def test_a_call_that_brings_nothing_is_tried_four_times_and_each_try_is_intended(calling: Any):
    caller = calling(*[[rate_limited()] for _ in range(ATTEMPTS + 1)])
    with pytest.raises(ModelRateLimited):
        await caller.complete()
    assert caller.model.calls == len(caller.desk.intents) == len(caller.desk.abandoned) == ATTEMPTS == 4


async def test_each_call_goes_out_under_the_id_that_was_written_down_for_it(calling: Any):
    caller = calling([rate_limited()], ["At last."])
    await caller.complete()
    assert caller.model.call_ids == [intent.call_id for intent in caller.desk.intents]
    assert len(set(caller.model.call_ids)) == 2


async def test_a_process_that_slept_past_its_lease_between_intent_and_call_does_not_call(calling: Any):
    caller = calling(["Too late."])
    caller.desk.when_intended = lambda: setattr(caller.run, "lease_until", 0.0)
    with pytest.raises(LeaseLost):
        await caller.complete()
    assert (caller.shown, len(caller.desk.intents), caller.desk.abandoned) == ([], 1, [None])


async def test_the_client_is_ready_before_a_call_is_intended(calling: Any):
    caller = calling(["Once."])
    ready: list[bool] = []
    caller.desk.when_intended = lambda: ready.append(caller.model.is_prepared)
    await caller.complete()
    assert ready == [True]


async def test_every_try_is_paid_for_out_of_money_that_is_held_for_it(calling: Any):
    caller = calling([rate_limited()], ["At last."])
    await caller.complete()
    assert caller.desk.wanted == [intent.expected_cost for intent in caller.desk.intents]


async def test_money_that_came_with_the_claim_is_good_for_one_call(calling: Any):
    caller = calling(["Once."], ["Twice."])
    caller.run = JobRun(replace(caller.run.claim, funds=Decimal(1)), caller.run.log)
    await caller.complete()
    assert caller.desk.wanted == []
    caller.desk.recorded.clear()
    await caller.complete()
    assert len(caller.desk.wanted) == 1


async def test_an_answer_may_be_as_long_as_the_money_lasts(calling: Any):
    caller = calling(["Short."])
    caller.desk.money = Decimal("0.000300")
    long = replace(REQUEST, max_tokens=4000)
    await caller.complete(long)
    (intent,) = caller.desk.intents
    assert intent.expected.completion_tokens < 4000
    assert intent.expected_cost <= caller.desk.money
    price = PriceBook(clock=lambda: NOON).cost
    one_more = replace(intent.expected, completion_tokens=intent.expected.completion_tokens + 1)
    assert price(REQUEST.model, one_more) > caller.desk.money - Decimal("0.000001")


async def test_a_call_for_which_hardly_any_money_is_left_is_not_made_and_says_what_it_would_take(calling: Any):
    caller = calling()
    caller.desk.money = Decimal("0.000010")
    with pytest.raises(OutOfFunds) as stopped:
        await caller.complete(replace(REQUEST, max_tokens=4000))
    waiting = stopped.value.waiting
    assert (waiting.limit_name, waiting.limit) == ("costLimit", Decimal(1))
    assert waiting.required == 1 + waiting.needs - caller.desk.money
    assert (caller.desk.intents, caller.model.calls) == ([], 0)


async def test_a_model_without_a_price_asks_nobody_for_money(calling: Any):
    caller = calling(["Who knows."])
    caller.desk.money = Decimal(0)
    await caller.complete(replace(REQUEST, model="nobody-knows-it"))
    assert (caller.desk.wanted, caller.model.calls) == ([], 1)


async def test_what_waiting_cannot_mend_is_not_tried_again(calling: Any):
    caller = calling([ModelRejectedRequest("No.")])
    with pytest.raises(ModelRejectedRequest):
        await caller.complete()
    assert caller.model.calls == 1


async def test_no_try_begins_before_the_server_wanted_it(calling: Any):
    caller = calling([rate_limited(0.2)], ["At last."])
    began = asyncio.get_running_loop().time()
    assert (await caller.complete()).text == "At last."
    assert asyncio.get_running_loop().time() - began >= 0.2


async def test_a_pause_that_nobody_would_wait_for_is_not_made_shorter_but_fails_the_call(calling: Any):
    caller = calling([rate_limited(LONGEST_PAUSE_SECONDS + 1)])
    with pytest.raises(ModelRateLimited):
        await caller.complete()
    assert caller.model.calls == 1


async def test_a_cancel_ends_the_pause_between_two_tries(calling: Any):
    caller = calling([rate_limited(60)])
    completing = asyncio.create_task(caller.complete())
    await caller.was_told.wait()
    caller.run.interrupt(StopReason.CANCELLED)
    with pytest.raises(Interrupted):
        await completing
    assert (caller.model.calls, caller.desk.entered) == (1, [])


async def test_while_the_endpoint_is_out_of_order_nothing_is_intended(calling: Any):
    caller = calling(pauses=Pauses(circuit=60))
    fail(caller, FAILURES)
    completing = asyncio.create_task(caller.complete())
    await caller.was_told.wait()
    caller.run.drain()
    with pytest.raises(Interrupted):
        await completing
    assert (caller.model.calls, caller.desk.intents) == (0, [])


async def test_the_first_text_of_a_call_shows_that_the_endpoint_works(calling: Any):
    go_on = asyncio.Event()
    caller = calling(["Half of", go_on, " it."])
    completing = asyncio.create_task(caller.complete())
    fail(caller, FAILURES - 1)
    await caller.something_shown.wait()
    fail(caller, FAILURES - 1)
    go_on.set()
    await completing
    await caller.complete()
    assert caller.told == [], "nothing was held back"


async def test_calls_that_brought_nothing_are_reported_to_the_endpoint(calling: Any):
    caller = calling([ModelUnavailable("Gone.")], [ModelUnavailable("Gone.")], pauses=Pauses(between_attempts=0, circuit=60))
    fail(caller, FAILURES - 2)
    completing = asyncio.create_task(caller.complete())
    await caller.was_told.wait()
    caller.run.interrupt(StopReason.CANCELLED)
    with pytest.raises(Interrupted):
        await completing
    assert caller.model.calls == 2


def fail(caller: Caller, times: int) -> None:
    """Other calls do."""
    for _ in range(times):
        caller.endpoints.of(REQUEST.model).failed(object(), ModelUnavailable("Gone."))


async def test_a_cancel_keeps_and_pays_for_what_had_arrived(calling: Any):
    caller = calling(["Half of", asyncio.Event()])
    completing = asyncio.create_task(caller.complete())
    await caller.something_shown.wait()
    caller.run.interrupt(StopReason.CANCELLED)
    with pytest.raises(Interrupted):
        await completing
    (result,) = caller.desk.entered
    assert (result.text, result.finish, result.usage.estimated) == ("Half of", INTERRUPTED, True)


async def test_a_call_that_was_cancelled_before_it_left_costs_nothing(calling: Any):
    caller = calling(["Never asked for."])
    caller.desk.when_intended = lambda: caller.run.interrupt(StopReason.CANCELLED)
    with pytest.raises(Interrupted):
        await caller.complete()
    assert caller.model.calls == 0
    assert (caller.desk.abandoned, caller.desk.entered) == ([None], [])


async def test_a_broken_stream_keeps_what_it_brought(calling: Any):
    broken = ModelInterrupted("Cut.")
    caller = calling(["Half of", broken])
    with pytest.raises(CutOff) as caught:
        await caller.complete()
    assert caught.value.failure is broken
    assert caller.desk.entered == [caught.value.result]
    assert (caught.value.result.text, caught.value.result.finish) == ("Half of", INTERRUPTED)
    assert caller.model.calls == 1


async def test_a_text_that_the_content_filter_cut_off_is_kept_and_says_so(calling: Any):
    caller = calling(["Half of", FinishReason.CONTENT_FILTER])
    with pytest.raises(CutOff) as caught:
        await caller.complete()
    assert isinstance(caught.value.failure, ModelRefusedContent)
    assert caller.desk.entered == [caught.value.result]
    assert (caught.value.result.text, caught.value.result.usage) == ("Half of", USAGE)


async def test_characters_that_no_column_can_hold_are_taken_out(calling: Any):
    caller = calling(["Ma\0ra", "\ud83d waited."])
    result = await caller.complete()
    assert result.text == "".join(caller.shown) == "Mara? waited."


async def test_a_stream_of_nothing_but_such_characters_that_breaks_has_brought_nothing(calling: Any):
    caller = calling(["\0", ModelUnavailable("Gone.")], ["Text."])
    assert (await caller.complete()).text == "Text."


async def test_a_paid_text_outlives_an_outage_of_the_database(calling: Any):
    caller = calling(["Paid for."])
    caller.desk.outages = 2
    result = await caller.complete()
    assert caller.desk.recorded == {"draft/1": result}
    assert (caller.model.calls, caller.desk.entered) == (1, [result])


async def test_a_job_that_has_another_owner_is_not_insisted_on(calling: Any):
    caller = calling(["Too late."])
    caller.desk.lost = True
    with pytest.raises(LeaseLost):
        await caller.complete()


def test_a_schema_is_part_of_what_was_asked_and_requests_without_one_keep_their_hash():
    assert request_hash(REQUEST) == "17595986cab277c558cd01bf5352669d044ac8dae8fea98922b955affb203ae9"
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}
    asked = [
        REQUEST,
        replace(REQUEST, response_schema=schema),
        replace(REQUEST, response_schema=schema | {"required": ["a"]}),
        replace(REQUEST, response_schema=schema, schema_name="edits"),
    ]
    assert len(set(map(request_hash, asked))) == 4
    turned = dict(reversed(schema.items()))
    assert request_hash(replace(REQUEST, response_schema=turned)) == request_hash(asked[1])
