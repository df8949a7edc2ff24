"""Which of our media types a client accepts, by its Accept header."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"
EVENT_STREAM = "text/event-stream"
MULTIPART = "multipart/mixed"

_WHOLE = frozenset({GRAPHQL_RESPONSE, JSON})
_STREAMS = frozenset({EVENT_STREAM, MULTIPART})


class _Range(NamedTuple):
    pattern: str
    quality: float


@dataclass(frozen=True, slots=True)
class Accepted:
    """Of the types for one whole answer and of those for a stream, the one the client likes best; None when it accepts neither."""

    whole: str | None
    stream: str | None
    prefers_stream: bool

    @classmethod
    @lru_cache(maxsize=64)
    def read(cls, accept: str | None) -> "Accepted":
        """A wildcard, or no header at all, means plain JSON."""
        types = _in_order(accept) if accept else [JSON]
        whole = next((media_type for media_type in types if media_type in _WHOLE), None)
        stream = next((media_type for media_type in types if media_type in _STREAMS), None)
        return cls(whole, stream, prefers_stream=bool(types) and types[0] in _STREAMS)


def _in_order(accept: str) -> list[str]:
    ranges = [_parse(part) for part in accept.split(",")]
    refused = {pattern for pattern, quality in ranges if quality <= 0}
    # Sorting is stable: of equally welcome types the client's first wins. Some list streams last, behind those for a whole answer.
    ordered = (JSON if pattern in {"*/*", "application/*"} else pattern for pattern, quality in sorted(ranges, key=lambda r: -r.quality))
    return [media_type for media_type in ordered if media_type in _WHOLE | _STREAMS and media_type not in refused]


def _parse(text: str) -> _Range:
    pattern, *rest = (part.strip().lower() for part in text.split(";"))
    parameters = {name: value for name, _, value in (part.partition("=") for part in rest)}
    if pattern == MULTIPART and parameters.get("subscriptionspec", "").strip('"') != "1.0":
        # Without it a client expects another protocol, that of deferred fragments.
        return _Range("", 0)
    try:
        return _Range(pattern, float(parameters.get("q", "1")))
    except ValueError:
        return _Range(pattern, 0)
