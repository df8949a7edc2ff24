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

Value = TypeVar("Value")

Json = dict[str, Any]


def to_document(value: Any) -> Json:
    """Amounts and ids become text, so that nothing is rounded on the way."""
    return {field.name: _encode(getattr(value, field.name)) for field in dataclasses.fields(value)}


def from_document(value_type: type[Value], document: Json) -> Value:
    """Raises KeyError for a field that the document lacks and the type gives no default."""
    decoders = _decoders(value_type)  # type: ignore[arg-type]  # every class is hashable, which mypy does not see
    return value_type(**{name: decode(document[name]) for name, (decode, required) in decoders.items() if required or name in document})


def _encode(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_document(value)
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, (UUID, Decimal)) else value


@cache
def _decoders(value_type: type[Any]) -> dict[str, tuple[Callable[[Any], Any], bool]]:
    """Each field's decoder, and whether a document must have it."""
    hints = typing.get_type_hints(value_type)
    return {
        field.name: (
            _decoder(hints[field.name]),
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
        )
        for field in dataclasses.fields(value_type)
    }


def decoder_of_union(value_types: Sequence[Any]) -> Callable[[Any], Any]:
    """Of several dataclasses, the document is the first whose fields it has: all of the required ones, and no others."""
    if len(value_types) == 1:
        decode = _decoder(value_types[0])
        return lambda content: None if content is None else decode(content)

    def decode_one(document: Any) -> Any:
        for value_type in value_types:
            fields = _decoders(value_type)
            if document.keys() <= fields.keys() and all(name in document for name, (_, required) in fields.items() if required):
                return from_document(value_type, document)
        raise KeyError(f"none of {value_types} has the fields {sorted(document)}")

    return decode_one


def _decoder(hint: Any) -> Callable[[Any], Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {Union, types.UnionType}:
        return decoder_of_union([argument for argument in arguments if argument is not type(None)])
    if origin is tuple:
        decode_item = _decoder(arguments[0])
        return lambda content: tuple(decode_item(item) for item in content)
    if dataclasses.is_dataclass(hint):
        return lambda content: from_document(typing.cast("type[Any]", hint), content)
    if isinstance(hint, type) and issubclass(hint, (UUID, Decimal, Enum)):
        return hint
    return lambda content: content
