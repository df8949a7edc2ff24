"""Rows as the domain's frozen dataclasses and back, by field name: the whole of the mapping between tables and values.

Enums are text, a nested dataclass is a JSON document, a tuple is an array, and everything else is what the driver makes of it.
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union

from sqlalchemy import ARRAY, Column, ColumnElement, Table, bindparam, func, literal, or_

from persistence.documents import decoder_of_union, from_document, to_document

Value = TypeVar("Value")
Convert = Callable[[Any], Any]


@cache
def columns_of(value_type: type[Any], table: Table) -> tuple[Column[Any], ...]:
    """The columns that make a value, in the order of its fields."""
    return tuple(table.c[field.name] for field in dataclasses.fields(value_type))


def to_value(value_type: type[Value], row: Sequence[Any]) -> Value:
    """The value in a row that begins with `columns_of(value_type, ...)`; what follows them is left alone."""
    plan = _plan(value_type)  # type: ignore[arg-type]  # every class is hashable, which mypy does not see
    return value_type(**{
        name: content if convert is None else convert(content) for (name, convert), content in zip(plan, row, strict=False)
    })  # fmt: skip


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
def _plan(value_type: type[Any]) -> tuple[tuple[str, Convert | None], ...]:
    hints = typing.get_type_hints(value_type)
    return tuple((field.name, _converter(hints[field.name])) for field in dataclasses.fields(value_type))


def _converter(hint: Any) -> Convert | None:
    """None when the driver's own value is the field's."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {Union, types.UnionType}:
        possible = [argument for argument in arguments if argument is not types.NoneType]
        return _unless_null(_converter(possible[0]) if len(possible) == 1 else decoder_of_union(possible))
    if origin is tuple:
        convert_item = _converter(arguments[0])
        return tuple if convert_item is None else lambda content: tuple(map(convert_item, content))
    if dataclasses.is_dataclass(hint):
        return lambda document: from_document(typing.cast("type[Any]", hint), document)
    return hint if isinstance(hint, type) and issubclass(hint, Enum) else None


def _unless_null(convert: Convert | None) -> Convert | None:
    return None if convert is None else lambda content: None if content is None else convert(content)
