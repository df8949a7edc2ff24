"""JSON as it comes from clients and goes to them: any input gives a value or a ValueError, any text can be sent."""

import json

import orjson


def decode(text: bytes | str) -> object:
    """Read JSON. Half of a surrogate pair is kept as it came: the resolvers' input checks name the field it is in.

    An editor that cuts a text in the middle of an emoji sends such halves, which no encoding of a database or a model can carry.

    Raises: ValueError, for what is not JSON, not UTF-8, nested too deeply, or a number out of range.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _decode_with_lone_surrogates(text)


def _decode_with_lone_surrogates(text: bytes | str) -> object:
    """What the strict reader refused is refused here too, lone surrogates apart."""
    try:
        value = json.loads(text.decode() if isinstance(text, bytes) else text)
        orjson.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def encode(value: object) -> bytes:
    """Write JSON; what UTF-8 cannot carry is escaped instead of refused."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()
