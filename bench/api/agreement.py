"""What an answer says, however it is spelled."""

from collections.abc import Mapping
from datetime import datetime

import orjson

from schema.ids import decode


def content(answer: bytes, *, written: bool) -> object:
    """The answer's data, with ids as UUIDs, times as such, and cursors only as there or not; of what was `written`, the moment is left open.

    Raises ValueError for an answer with errors.
    """
    document = orjson.loads(answer)
    if document.get("errors"):
        raise ValueError(f"answered with errors: {document['errors']}")
    return _plain(document["data"], written=written)


def _plain(value: object, *, written: bool, name: str = "") -> object:
    match value:
        case Mapping():
            return {key: _plain(item, written=written, name=key) for key, item in value.items()}
        case list():
            return [_plain(item, written=written) for item in value]
        case str() if name == "id":
            decoded = decode(value)
            return value if decoded is None else str(decoded[1])
        case str() if name.endswith("Cursor"):
            return "a cursor"
        case str() if name.endswith("At"):
            moment = datetime.fromisoformat(value)
            return "a moment" if written and name == "updatedAt" else moment
        case _:
            return value
