"""The messages a client may send in the graphql-transport-ws protocol."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schema.edge import json_text
from schema.edge.operation_request import MalformedRequest, OperationRequest


class MalformedFrame(ValueError):  # noqa: N818 - named after what the client sent
    """The message is none of the protocol's."""


@dataclass(frozen=True, slots=True)
class ConnectionInit:
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ping:
    payload: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Pong:
    pass


@dataclass(frozen=True, slots=True)
class Subscribe:
    id: str
    request: OperationRequest


@dataclass(frozen=True, slots=True)
class Complete:
    id: str


Frame = ConnectionInit | Ping | Pong | Subscribe | Complete


def parse_frame(text: object) -> Frame:
    """Raises: MalformedFrame."""
    match _decode(text):
        case {"type": "connection_init", **rest}:
            return ConnectionInit(_optional_object(rest) or {})
        case {"type": "ping", **rest}:
            return Ping(_optional_object(rest))
        case {"type": "pong", **rest}:
            _optional_object(rest)
            return Pong()
        case {"type": "subscribe", "id": str(identifier), "payload": payload} if identifier:
            try:
                return Subscribe(identifier, OperationRequest.parse(payload))
            except MalformedRequest as error:
                raise MalformedFrame(str(error)) from error
        case {"type": "complete", "id": str(identifier)} if identifier:
            return Complete(identifier)
        case _:
            raise MalformedFrame("This is no message of the graphql-transport-ws protocol.")


def _decode(text: object) -> object:
    if not isinstance(text, str):
        raise MalformedFrame("Messages must be text.")
    try:
        return json_text.decode(text)
    except ValueError as error:
        raise MalformedFrame("Messages must be JSON.") from error


def _optional_object(message: Mapping[object, Any]) -> Mapping[str, Any] | None:
    payload = message.get("payload")
    if not isinstance(payload, dict | None):
        raise MalformedFrame("`payload` must be an object.")
    return payload
