"""An operation that ends early leaves nothing behind: no coroutine that nobody awaited, no task that goes on."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import strawberry
from graphql import GraphQLError

from schema.execution.executing import source_of
from tests.schema.execution.executing import ours, planned

PAGES = 3
LINES = 4
DOCUMENT = "{ title pages { title lines { text } moreLines { text } } }"
ASYNC_FIELDS = 1 + PAGES * (2 + LINES + LINES)


@dataclass
class Interruption:
    """What happens to an operation when so many of its asynchronous fields have begun."""

    at: int
    strike: Callable[[], object]
    begun: int = 0

    async def begin(self) -> str:
        self.begun += 1
        if self.begun == self.at:
            self.strike()
        # Hands the turn to the others, as a question to the database would.
        await asyncio.sleep(0)
        return "so"


Info = strawberry.Info[Interruption, None]


async def begin(info: Info) -> str:
    return await info.context.begin()


@strawberry.type
class Line:
    text: str = strawberry.field(resolver=begin)


@strawberry.type
class Page:
    title: str = strawberry.field(resolver=begin)

    @strawberry.field
    def lines(self) -> list[Line]:
        return [Line() for _ in range(LINES)]

    @strawberry.field
    async def more_lines(self, info: Info) -> list[Line]:
        await info.context.begin()
        return [Line() for _ in range(LINES)]


@strawberry.type
class Query:
    title: str = strawberry.field(resolver=begin)

    @strawberry.field
    def pages(self) -> list[Page]:
        return [Page() for _ in range(PAGES)]

    @strawberry.field
    def torn(self) -> str:
        raise LookupError


SCHEMA = strawberry.Schema(Query)


@contextmanager
def nothing_left() -> Iterator[None]:
    tasks = asyncio.all_tasks()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()  # what others have left
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        yield
        assert asyncio.all_tasks() <= tasks
        gc.collect()
    assert [str(complaint.message) for complaint in complaints] == []


async def test_an_operation_that_nothing_interrupts_begins_every_field():
    context = Interruption(at=0, strike=lambda: None)
    with nothing_left():
        answer = await ours(SCHEMA, DOCUMENT, context=context)
    assert answer.errors == []
    assert context.begun == ASYNC_FIELDS


@pytest.mark.parametrize("at", range(1, ASYNC_FIELDS + 1))
async def test_a_cancelled_operation_leaves_nothing_behind(at: int):
    async def run_until_cancelled() -> None:
        running = asyncio.current_task()
        assert running is not None
        await ours(SCHEMA, DOCUMENT, context=Interruption(at=at, strike=running.cancel))

    with nothing_left():
        operation = asyncio.create_task(run_until_cancelled())
        with pytest.raises(asyncio.CancelledError):
            await operation


@pytest.mark.parametrize("at", range(1, ASYNC_FIELDS + 1))
async def test_a_field_that_fails_leaves_nothing_of_its_siblings(at: int):
    def fail() -> None:
        raise LookupError

    with nothing_left():
        answer = await ours(SCHEMA, DOCUMENT, context=Interruption(at=at, strike=fail))
    assert answer.data is None
    assert answer.errors


async def test_a_field_that_fails_before_its_siblings_begin_leaves_nothing_of_them():
    context = Interruption(at=0, strike=lambda: None)
    with nothing_left():
        answer = await ours(SCHEMA, "{ title pages { title } torn }", context=context)
    assert answer.data is None
    assert answer.errors


async def test_whoever_stops_following_ends_what_was_followed_whoever_else_holds_it():
    held: list[AsyncIterator[int]] = []
    ended: list[str] = []

    async def ticks() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            ended.append("ticks")

    def begin_to_tick() -> AsyncIterator[int]:
        held.append(ticks())
        return held[0]

    @strawberry.type
    class Subscription:
        ticks: AsyncIterator[int] = strawberry.subscription(resolver=begin_to_tick)

    schema = strawberry.Schema(Query, subscription=Subscription)
    plan, variables = planned(schema, "subscription { ticks }")
    events = source_of(plan, schema._schema, variables=variables, context=None)
    assert await anext(events) == 1
    await events.aclose()
    assert ended == ["ticks"]


async def test_a_subscription_whose_arguments_cannot_be_had_ends_before_its_first_event():
    begun: list[int] = []

    @strawberry.type
    class Subscription:
        @strawberry.subscription
        async def count(self, to: int) -> AsyncIterator[int]:
            begun.append(to)
            yield to

    schema = strawberry.Schema(Query, subscription=Subscription)
    plan, variables = planned(schema, "subscription($to: Int = 3) { count(to: $to) }", {"to": None})
    with pytest.raises(GraphQLError, match="to"):
        await anext(source_of(plan, schema._schema, variables=variables, context=None))
    assert begun == []
