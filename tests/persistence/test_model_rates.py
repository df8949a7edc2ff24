"""Rate limits of model endpoints: one bucket for all processes, places in order, and nobody waits for ever."""

import asyncio
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from persistence.database import Database
from persistence.model_rates import PostgresModelRates
from tests.statements import statements_sent

ENDPOINT = "gpt-4.1 at http://models.example/v1"
NOBODY = uuid4()
SLACK = 2.0
"""Seconds that may pass on the database's clock between two statements of a test."""


@pytest.fixture
def rates(database: Database):
    def limit(*, requests: int | None = None, tokens: int | None = None) -> PostgresModelRates:
        return PostgresModelRates(database, requests_per_minute=requests, tokens_per_minute=tokens)

    return limit


@pytest.fixture
def let_time_pass(owner_url: str):
    """As if the bucket had been touched for the last time so many seconds earlier."""

    def move(seconds: float) -> None:
        with psycopg.connect(owner_url) as connection:
            connection.execute("UPDATE model_rate SET refilled_at = refilled_at - make_interval(secs => %s)", (seconds,))

    return move


def about(*seconds: float) -> object:
    return pytest.approx(list(seconds), abs=SLACK)


async def test_a_minutes_requests_go_at_once_and_the_rest_in_even_steps(rates):
    limited = rates(requests=3)
    waits = [await limited.book(ENDPOINT, tokens=10_000) for _ in range(6)]
    assert waits[:3] == [0, 0, 0]
    assert waits[3:] == about(20, 40, 60)


async def test_a_minutes_tokens_go_at_once_and_the_rest_when_they_are_there(rates):
    limited = rates(tokens=1000)
    waits = [await limited.book(ENDPOINT, tokens=400) for _ in range(5)]
    assert waits[:2] == [0, 0]
    assert waits[2:] == about(12, 36, 60)


async def test_of_two_limits_the_tighter_one_decides(rates):
    limited = rates(requests=60, tokens=100)
    assert await limited.book(ENDPOINT, tokens=100) == 0
    assert [await limited.book(ENDPOINT, tokens=50)] == about(30)
    assert [await rates(requests=1, tokens=100_000).book("another", tokens=1) for _ in range(2)] == about(0, 60)


async def test_places_come_back_evenly_with_time_but_never_more_than_a_minutes(rates, let_time_pass):
    limited = rates(requests=6)
    for _ in range(6):
        await limited.book(ENDPOINT, tokens=1)
    let_time_pass(20)
    waits = [await limited.book(ENDPOINT, tokens=1) for _ in range(3)]
    assert waits[:2] == [0, 0]
    assert waits[2:] == about(10)
    let_time_pass(3600)
    waits = [await limited.book(ENDPOINT, tokens=1) for _ in range(7)]
    assert waits[:6] == [0] * 6
    assert waits[6:] == about(10)


async def test_a_call_larger_than_the_whole_bucket_waits_for_a_full_one_and_is_made_up_for(rates):
    limited = rates(tokens=600)
    assert await limited.book(ENDPOINT, tokens=60) == 0
    assert [await limited.book(ENDPOINT, tokens=1200)] == about(6)
    # The bucket is full at 6, empty from then on, and 600 tokens short: the next 60 are there 66 seconds later.
    assert [await limited.book(ENDPOINT, tokens=60)] == about(72)


async def test_small_calls_do_not_overtake_a_large_one_that_waits(rates):
    limited = rates(tokens=600)
    waits = [await limited.book(ENDPOINT, tokens=tokens) for tokens in (600, 600, 1, 1)]
    assert waits == sorted(waits)
    assert waits[1:] == about(60, 60, 60)


async def test_a_place_that_is_given_back_is_there_for_the_next(rates):
    limited = rates(requests=1, tokens=100)
    await limited.book(ENDPOINT, tokens=100)
    assert [await limited.book(ENDPOINT, tokens=100)] == about(60)
    await limited.give_back(ENDPOINT, tokens=100)
    assert [await limited.book(ENDPOINT, tokens=100)] == about(60)


async def test_each_endpoint_has_a_bucket_of_its_own(rates):
    limited = rates(requests=1)
    assert [await limited.book(f"{ENDPOINT} {number}", tokens=1) for number in range(3)] == [0, 0, 0]


async def test_a_limit_that_was_changed_holds_at_once(rates):
    await rates(requests=1).book(ENDPOINT, tokens=1)
    assert [await rates(requests=1).book(ENDPOINT, tokens=1)] == about(60)
    assert [await rates(requests=60).book(ENDPOINT, tokens=1)] == about(2)


async def test_a_limit_that_is_not_set_is_not_kept(rates):
    assert [await rates(requests=100).book(ENDPOINT, tokens=10**9) for _ in range(3)] == [0, 0, 0]
    assert [await rates(tokens=100).book("another", tokens=1) for _ in range(50)] == [0] * 50


async def test_a_clock_set_back_does_not_make_anybody_wait(rates, let_time_pass):
    limited = rates(requests=2)
    await limited.book(ENDPOINT, tokens=1)
    let_time_pass(-3600)
    assert await limited.book(ENDPOINT, tokens=1) == 0
    assert [await limited.book(ENDPOINT, tokens=1)] == about(30)


async def test_processes_that_ask_at_once_get_different_places(rates, database_url: str):
    other = Database(database_url)
    try:
        processes = (rates(requests=1), PostgresModelRates(other, requests_per_minute=1, tokens_per_minute=None))
        waits = await asyncio.gather(*(limited.book(ENDPOINT, tokens=1) for limited in processes for _ in range(20)))
    finally:
        await other.close()
    assert sorted(waits) == about(*range(0, 40 * 60, 60))


async def test_booking_is_one_statement(rates):
    with statements_sent() as sent:
        await rates(requests=1, tokens=1).book(ENDPOINT, tokens=1)
    assert ["model_rate" in statement for statement, _ in sent] == [True]


async def test_only_workers_keep_the_buckets(database: Database):
    for statement in ("SELECT FROM model_rate", "DELETE FROM model_rate", "UPDATE model_rate SET tokens = 0"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with database.as_user(NOBODY) as connection:
                await connection.execute(text(statement))
