"""The two scalars beyond GraphQL's own: DateTime and USD."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Final

import orjson
import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

_MILLIONTH: Final = Decimal("0.000001")
_LONGEST_AMOUNT: Final = 40
_OFFSET: Final = len("+00:00")
_LENGTH: Final = len("2026-01-31T12:00:00.000000Z")


def _write_time(value: datetime) -> str:
    utc = value if value.tzinfo is UTC else value.astimezone(UTC)
    return f"{utc.isoformat(timespec='microseconds')[:-_OFFSET]}Z"


def _write_times(values: Sequence[datetime | None]) -> list[str | None]:
    """The same for a column, for which it takes a seventh of the time."""
    written: list[str | None] = orjson.loads(orjson.dumps(values, option=orjson.OPT_UTC_Z))
    if {_LENGTH}.issuperset(map(len, filter(None, written))):
        return written
    # orjson writes whole seconds without their fraction, and keeps other offsets than UTC.
    return [None if value is None else _write_time(value) for value in values]


_write_time.of_many = _write_times  # type: ignore[attr-defined]  # what the executor calls


def _read_time(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) and "T" in value.upper() else None
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise GraphQLError("A DateTime is RFC 3339 text with an offset, such as 2026-01-31T12:00:00Z.")


def _write_amount(value: Decimal) -> str:
    return f"{value.quantize(_MILLIONTH):f}"


def _read_amount(value: object) -> Decimal:
    """JSON numbers come as int or float; `repr` gives a float's shortest decimal, which is what was written."""
    text = value if isinstance(value, str) else repr(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
    try:
        amount = Decimal(text) if len(text) <= _LONGEST_AMOUNT else None
    except InvalidOperation:
        amount = None
    if amount is None or not amount.is_finite():
        raise GraphQLError('A USD amount is a decimal number, such as "1.250000".')
    return amount


SCALARS: Final[Mapping[object, ScalarDefinition]] = MappingProxyType(
    {
        datetime: strawberry.scalar(
            name="DateTime",
            description="A moment as RFC 3339 text, such as `2026-01-31T12:00:00.000000Z`. Always UTC in answers; any offset is accepted, none is not.",
            specified_by_url="https://datatracker.ietf.org/doc/html/rfc3339",
            serialize=_write_time,
            parse_value=_read_time,
        ),
        Decimal: strawberry.scalar(
            name="USD",
            description='An amount of US dollars as decimal text with six places, such as `"0.014230"`. Text or a number is accepted.',
            serialize=_write_amount,
            parse_value=_read_amount,
        ),
    }
)
