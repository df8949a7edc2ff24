"""Frozen dataclasses as JSON documents and back, by their type hints: what a JSONB column holds."""

import dataclasses
import types
import typing
from collections.abc import Callable, Sequence
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union
from uuid import UUID

from persistence.construction import Convert, Part, maker, members_of

Value = TypeVar("Value")

Json = dict[str, Any]


def to_document(value: Any) -> Json:
    """Amounts and ids become text, so that nothing is rounded on the way."""
    return {field.name: _encode(getattr(value, field.name)) for field in dataclasses.fields(value)}


def from_document(value_type: type[Value], document: Json) -> Value:
    """Raises KeyError for a field that the document lacks and the type gives no default."""
    return reader_of(value_type)(document)


def reader_of(value_type: type[Value]) -> Callable[[Json], Value]:
    """`from_document` of this type."""
    read: Callable[[Json], Value] = _reader(value_type)  # type: ignore[arg-type]  # every class is hashable, which mypy does not see
    return read


def _encode(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_document(value)
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, (UUID, Decimal)) else value


@cache
def _reader(value_type: type[Any]) -> Callable[[Json], Any]:
    hints = typing.get_type_hints(value_type)
    fields = dataclasses.fields(value_type)
    return maker(value_type, [Part(field, field.name, convert=_decoder(hints[field.name]), may_be_missing=True) for field in fields])


@cache
def _fields(value_type: type[Any]) -> tuple[frozenset[str], frozenset[str]]:
    """All that a document may have, and of these what it must."""
    fields = dataclasses.fields(value_type)
    required = {f.name for f in fields if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING}
    return frozenset(f.name for f in fields), frozenset(required)


def decoder_of_union(value_types: Sequence[Any]) -> Convert:
    """Of several dataclasses, the document is the first whose fields it has: all of the required ones, and no others."""

    def decode_one(document: Any) -> Any:
        for value_type in value_types:
            possible, required = _fields(value_type)
            if required <= document.keys() <= possible:
                return from_document(value_type, document)
        raise KeyError(f"none of {value_types} has the fields {sorted(document)}")

    return decode_one


def unless_null(convert: Convert | None) -> Convert | None:
    return None if convert is None else lambda content: None if content is None else convert(content)


def _decoder(hint: Any) -> Convert | None:
    """None when what JSON holds is the value."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {Union, types.UnionType}:
        possible = [argument for argument in arguments if argument is not types.NoneType]
        return unless_null(_decoder(possible[0]) if len(possible) == 1 else decoder_of_union(possible))
    if origin is tuple:
        decode_item = _decoder(arguments[0])
        return tuple if decode_item is None else lambda content: tuple(map(decode_item, content))
    if dataclasses.is_dataclass(hint):
        # Found when it is needed: a type may hold others of its own kind.
        return lambda content: from_document(typing.cast("type[Any]", hint), content)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return members_of(hint).__getitem__
    return hint if isinstance(hint, type) and issubclass(hint, (UUID, Decimal)) else None
