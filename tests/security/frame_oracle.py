"""What the graphql-transport-ws protocol decides about a sequence of frames: whether the connection is closed, and with which code."""

from dataclasses import dataclass, field
from typing import Any, Final

FRAME_BYTES: Final = 4096
"""The longest frame of the edge under test: only what is meant to be too long is longer."""
MOST_OPERATIONS: Final = 20
VALID: Final = "valid"
"""Stands for a token that is."""


@dataclass(frozen=True, slots=True)
class Frame:
    """`message` is what the content says, and None when it is no JSON in text at all."""

    content: str | bytes
    message: Any = None


@dataclass
class Oracle:
    """`expected` is the close code of what was sent so far; None while the connection is open."""

    expected: int | None = None
    acknowledged: bool = False
    lasting: set[str] = field(default_factory=set)
    """Ids of subscriptions that end only when the client ends them."""

    def sent(self, frame: Frame) -> None:
        if self.expected is None:
            self.expected = self._code(frame)

    def _code(self, frame: Frame) -> int | None:
        if isinstance(frame.content, str) and len(frame.content) > FRAME_BYTES:
            return 1009
        match frame.message:
            case {"type": "connection_init", **rest}:
                return self._init(rest.get("payload"))
            case {"type": "ping" | "pong", **rest}:
                return None if isinstance(rest.get("payload"), dict | None) else 4400
            case {"type": "subscribe", "id": str(identifier), "payload": dict(payload)} if identifier:
                return self._subscribe(identifier, payload)
            case {"type": "complete", "id": str(identifier)} if identifier:
                self.lasting.discard(identifier)
                return None
            case _:
                return 4400

    def _init(self, payload: Any) -> int | None:
        if not isinstance(payload, dict | None):
            return 4400
        if self.acknowledged:
            return 4429
        match payload:
            case {"authorization": None} | {"Authorization": None} | None:
                return 4401
            case {"authorization": token} | {"Authorization": token}:
                self.acknowledged = token == VALID
                return None if self.acknowledged else 4403
            case _:
                return 4401

    def _subscribe(self, identifier: str, payload: dict[str, Any]) -> int | None:
        query = payload.get("query")
        shapes = (("variables", dict), ("operationName", str), ("extensions", dict))
        if not isinstance(query, str) or not query or any(not isinstance(payload.get(name), kind | None) for name, kind in shapes):
            return 4400
        if not self.acknowledged:
            return 4401
        if identifier in self.lasting:
            return 4409
        if "silent" in query and len(self.lasting) < MOST_OPERATIONS:
            self.lasting.add(identifier)
        return None
