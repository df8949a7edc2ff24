"""Rows as the domain's frozen dataclasses and back, by field name: the whole of the mapping between tables and values.

Enums are text, a nested dataclass is a JSON document, a tuple is an array, and everything else is what the driver makes of it.
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import cache
from typing import Any, Protocol, TypeVar, Union

from sqlalchemy import ARRAY, Column, ColumnElement, Table, Text, bindparam, func, literal, literal_column, or_

from persistence.construction import Convert, Part, maker, members_of
from persistence.documents import decoder_of_union, reader_of, to_document, unless_null

Value = TypeVar("Value")


class Columns(Protocol):
    """A row, or part of one."""

    def __getitem__(self, index: int, /) -> Any: ...


@cache
def columns_of(value_type: type[Any], table: Table) -> tuple[Column[Any], ...]:
    """The columns that make a value, in the order of its fields."""
    return tuple(table.c[field.name] for field in dataclasses.fields(value_type))


def to_value(value_type: type[Value], row: Columns) -> Value:
    """The value in a row that begins with `columns_of(value_type, ...)`; what follows them is left alone."""
    return value_maker(value_type)(row)


def to_values(value_type: type[Value], rows: Iterable[Columns]) -> list[Value]:
    """As `to_value`, of many rows."""
    return list(map(value_maker(value_type), rows))


def value_maker(value_type: type[Value], *, first: int = 0) -> Callable[[Columns], Value]:
    """Makes a value of a row in which its columns begin at `first`."""
    make: Callable[[Columns], Value] = _maker(value_type, first)  # type: ignore[arg-type]  # every class is hashable, which mypy does not see
    return make


def to_row(value: Any) -> dict[str, Any]:
    """The value's columns, as bind parameters take them."""
    return {field.name: _to_column(getattr(value, field.name)) for field in dataclasses.fields(value)}


def to_changes(value_type: type[Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Some columns' new contents. Raises ValueError for a name that is no field of `value_type`."""
    if unknown := changes.keys() - {field.name for field in dataclasses.fields(value_type)}:
        raise ValueError(f"{value_type.__name__} has no {', '.join(sorted(unknown))}")
    return {name: _to_column(content) for name, content in changes.items()}


def among(column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """Whether the column holds one of the values. One array parameter: the statement stays the same however many they are."""
    return column == func.any(literal([_to_column(value) for value in values], ARRAY(column.type)))


def is_one_of(column: ColumnElement[str], constants: Iterable[str]) -> ColumnElement[bool]:
    """Whether the column holds one of our own names, which stand in the statement itself: partial indexes are chosen by them."""
    return column.in_([literal_column(f"'{name}'", Text) for name in constants])


def any_of(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """Whether the column holds one of the values that the execution gives by this parameter."""
    return column == func.any(bindparam(parameter, type_=ARRAY(column.type)))


def any_of_if_given(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """As `any_of`; where the parameter is None, everything will do."""
    values = bindparam(parameter, type_=ARRAY(column.type))
    return or_(values.is_(None), column == func.any(values))


def texts_of(values: Sequence[Enum] | None) -> list[str] | None:
    """Enum members as a parameter."""
    return None if values is None else [value.value for value in values]


def by_id(values: Iterable[Value]) -> dict[Any, Value]:
    return {value.id: value for value in values}  # type: ignore[attr-defined]


def _to_column(content: Any) -> Any:
    if isinstance(content, Enum):
        return content.value
    if isinstance(content, tuple):
        return [_to_column(item) for item in content]
    return to_document(content) if dataclasses.is_dataclass(content) else content


@cache
def _maker(value_type: type[Any], first: int) -> Callable[[Columns], Any]:
    hints = typing.get_type_hints(value_type)
    fields = enumerate(dataclasses.fields(value_type), start=first)
    return maker(value_type, [_part(field, index, hints[field.name]) for index, field in fields])


def _part(field: "dataclasses.Field[Any]", index: int, hint: Any) -> Part:
    possible = [each for each in typing.get_args(hint) if each is not types.NoneType] if _is_union(hint) else [hint]
    or_null = possible != [hint]
    if len(possible) > 1:
        return Part(field, index, convert=unless_null(decoder_of_union(possible)))
    (kind,) = possible
    if isinstance(kind, type) and issubclass(kind, Enum):
        return Part(field, index, members=members_of(kind, or_null=or_null))
    convert = _converter(kind)
    return Part(field, index, convert=unless_null(convert) if or_null else convert)


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in {Union, types.UnionType}


def _converter(hint: Any) -> Convert | None:
    """None when the driver's own value is the field's."""
    if typing.get_origin(hint) is tuple:
        item = typing.get_args(hint)[0]
        convert_item = members_of(item).__getitem__ if isinstance(item, type) and issubclass(item, Enum) else _converter(item)
        return tuple if convert_item is None else lambda content: tuple(map(convert_item, content))
    return reader_of(typing.cast("type[Any]", hint)) if dataclasses.is_dataclass(hint) else None
