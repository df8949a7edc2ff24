"""DateTime and USD, in and out."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from schema.scalars import _write_time, _write_times

USAGE = "query($from: DateTime) { viewer { usage(from: $from) { total { calls } } } }"
BUDGET = "budget { limit } createdAt"


async def limit(api, value):
    return (await api.mutate("createProject", BUDGET, title="A", genre="OTHER", budgetLimit=value))["budget"]["limit"]


async def test_times_are_utc_with_a_z(api):
    assert (await api.mutate("createProject", BUDGET, title="A", genre="OTHER"))["createdAt"] == "2026-03-01T12:00:00.000000Z"


@pytest.mark.parametrize("text", ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.5+05:30", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
async def test_times_with_an_offset_are_read(api, text):
    assert await api.ask(USAGE, **{"from": text})


@pytest.mark.parametrize(
    "value", ["2026-01-31T12:00:00", "2026-01-31", "", "soon", 5, True, "0001-01-01T00:00:00+14:00", "2026-13-01T00:00:00Z", "\x00"]
)
async def test_anything_else_is_no_time(api, value):
    result = await api.execute(USAGE, **{"from": value})
    assert "DateTime" in result.errors[0].message
    assert result.data is None


@pytest.mark.parametrize(
    ("sent", "shown"),
    [("1.5", "1.500000"), (2, "2.000000"), (0.1, "0.100000"), ("0.000001", "0.000001"), ("1e2", "100.000000"), (0, "0.000000")],
)
async def test_amounts_are_read_as_text_or_number_and_shown_with_six_places(api, sent, shown):
    assert await limit(api, sent) == shown


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "sNaN", "", "a lot", True, [1], "9" * 41])
async def test_what_is_no_finite_number_is_no_amount(api, value):
    document = "mutation($input: CreateProjectInput!) { createProject(input: $input) { errors { message } } }"
    result = await api.execute(document, input={"title": "A", "genre": "OTHER", "budgetLimit": value})
    assert "USD" in result.errors[0].message


async def test_an_amount_in_the_document_is_read_too(api):
    document = 'mutation { createProject(input: {title: "A", genre: OTHER, budgetLimit: 3.25}) { project { budget { limit } } } }'
    assert (await api.ask(document))["createProject"]["project"]["budget"]["limit"] == "3.250000"


def test_a_column_of_times_is_written_like_each_of_them():
    moments = [
        datetime(2026, 1, 31, 12, 0, 0, 123_456, tzinfo=UTC),
        None,
        datetime(2026, 1, 31, 12, tzinfo=UTC),
        datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        datetime(1, 1, 1, tzinfo=UTC),
    ]
    for column in (moments, moments[:2], moments[2:3], [None], []):
        assert _write_times(column) == [None if moment is None else _write_time(moment) for moment in column]
