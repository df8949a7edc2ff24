from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.edge.allowance import Allowances, AllowanceSpent, Standing, cost_report, rate_limit_headers
from schema.edge.errors import ErrorCode


@dataclass
class Clock:
    seconds: float = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


def allowances(clock, *, points=600, per_second=10.0, most_viewers=100):
    return Allowances(points=points, refill_per_second=per_second, now=clock, most_viewers=most_viewers)


def refusal(bucket, key, cost):
    with pytest.raises(AllowanceSpent) as refused:
        bucket.take(key, cost)
    return refused.value


def test_a_new_viewer_has_a_full_bucket_and_each_has_their_own(clock):
    bucket = allowances(clock)
    assert bucket.take("ada", 100) == Standing(limit=600, window_seconds=60, remaining=500, reset_seconds=10)
    assert bucket.take("ben", 1).remaining == 599
    assert bucket.standing("ada").remaining == 500
    assert bucket.standing("cy") == Standing(limit=600, window_seconds=60, remaining=600, reset_seconds=0)


def test_it_fills_with_time_and_never_beyond_its_brim(clock):
    bucket = allowances(clock)
    bucket.take("ada", 600)
    clock.seconds += 1.25
    assert bucket.standing("ada").remaining == 12
    clock.seconds += 1_000_000
    assert bucket.standing("ada").remaining == 600


def test_what_does_not_fit_is_refused_takes_nothing_and_is_told_when_to_come_again(clock):
    bucket = allowances(clock)
    bucket.take("ada", 595)
    refused = refusal(bucket, "ada", 16)
    assert (refused.code, refused.retry_after, refused.standing.remaining) == (ErrorCode.RATE_LIMITED, 2, 5)
    assert refused.message == "Too much was asked for in a short time. Try again in 2 seconds."
    clock.seconds += 1
    assert refusal(bucket, "ada", 16).message.endswith("in 1 second.")
    clock.seconds += 1
    assert bucket.take("ada", 16).remaining == 9


@given(
    points=st.integers(1, 1_000_000),
    per_second=st.floats(0.01, 100_000),
    costs=st.lists(st.integers(0, 2_000_000), min_size=1, max_size=30),
    start=st.floats(0, 1e7),
)
def test_whoever_waits_as_long_as_they_were_told_is_let_through(points, per_second, costs, start):
    clock = Clock(start)
    bucket = allowances(clock, points=points, per_second=per_second)
    for cost in costs:
        try:
            bucket.take("ada", cost)
        except AllowanceSpent as refused:
            clock.seconds += refused.retry_after
            bucket.take("ada", cost)


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 3)), max_size=60))
def test_over_any_time_exactly_the_bucket_and_what_flowed_in_can_be_used(asked):
    clock = Clock()
    bucket = allowances(clock)
    used = 0
    for cost, seconds in asked:
        clock.seconds += seconds
        try:
            bucket.take("ada", cost)
        except AllowanceSpent:
            continue
        used += cost
    assert used <= 600 + 10 * (clock.seconds - 1_000)


def test_what_was_not_used_comes_back_and_what_was_used_beyond_is_owed(clock):
    bucket = allowances(clock)
    bucket.take("ada", 500)
    assert bucket.give_back("ada", 450).remaining == 550
    assert bucket.give_back("ada", 10_000).remaining == 600
    assert bucket.give_back("ada", -700).remaining == 0
    assert refusal(bucket, "ada", 1).retry_after == 11


def test_what_is_dearer_than_the_whole_bucket_takes_a_full_one_and_is_paid_off_later(clock):
    bucket = allowances(clock)
    assert bucket.take("ada", 900) == Standing(limit=600, window_seconds=60, remaining=0, reset_seconds=90)
    assert refusal(bucket, "ada", 900).retry_after == 90
    clock.seconds += 90
    bucket.take("ada", 900)


def test_a_bucket_that_is_full_takes_no_memory(clock):
    bucket = allowances(clock)
    for number in range(50):
        bucket.take(f"viewer {number}", 10)
        bucket.give_back(f"viewer {number}", 10)
    assert len(bucket) == 0


def test_of_too_many_viewers_the_one_used_longest_ago_is_forgotten(clock):
    bucket = allowances(clock, most_viewers=3)
    for name in ("ada", "ben", "cy", "ada", "dan"):
        bucket.take(name, 100)
    assert len(bucket) == 3
    assert [bucket.standing(name).remaining for name in ("ada", "ben", "cy", "dan")] == [400, 600, 500, 500]


def test_headers_say_it_as_the_draft_does_and_as_its_earlier_versions_did():
    headers = rate_limit_headers(Standing(limit=1_000_000, window_seconds=60, remaining=998_317, reset_seconds=1))
    assert headers == {
        "RateLimit-Policy": '"cost";q=1000000;qu="points";w=60',
        "RateLimit": '"cost";r=998317;t=1',
        "RateLimit-Limit": "1000000",
        "RateLimit-Remaining": "998317",
        "RateLimit-Reset": "1",
    }


def test_a_refusal_says_when_to_retry_and_where_its_client_stands(clock):
    bucket = allowances(clock)
    bucket.take("ada", 600)
    refused = refusal(bucket, "ada", 15)
    assert (refused.retry_after, rate_limit_headers(refused.standing)["RateLimit"]) == (2, '"cost";r=0;t=60')


def test_the_report_names_the_operation_and_the_bucket():
    standing = Standing(limit=600, window_seconds=60, remaining=550, reset_seconds=5)
    at = datetime(2026, 12, 31, 23, 59, 57, 900_000, tzinfo=UTC)
    report = cost_report(requested=120, used=50, limit=10_000, standing=standing, at=at.astimezone(timezone(timedelta(hours=-5))))
    assert report == {
        "requested": 120,
        "used": 50,
        "limit": 10_000,
        "allowance": 600,
        "remaining": 550,
        "resetAt": "2027-01-01T00:00:03Z",
    }


def test_a_full_second_is_told_as_it_is():
    standing = Standing(limit=600, window_seconds=60, remaining=600, reset_seconds=0)
    assert (
        cost_report(requested=1, used=1, limit=9, standing=standing, at=datetime(2026, 1, 1, tzinfo=UTC))["resetAt"]
        == "2026-01-01T00:00:00Z"
    )


def test_without_a_bucket_the_report_leaves_it_null():
    report = cost_report(requested=1, used=1, limit=10_000, standing=None, at=datetime(2026, 1, 1, tzinfo=UTC))
    assert (report["allowance"], report["remaining"], report["resetAt"]) == (None, None, None)
