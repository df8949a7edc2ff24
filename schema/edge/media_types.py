"""Choosing the media type of the answer from an Accept header."""

from typing import NamedTuple

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"


class _Range(NamedTuple):
    pattern: str
    quality: float


def preferred_media_type(accept: str | None) -> str | None:
    """None when the client accepts neither type; a wildcard or no header at all means plain JSON."""
    if not accept:
        return JSON
    ranges = [_parse(part) for part in accept.split(",")]
    refused = {pattern for pattern, quality in ranges if quality <= 0}
    # Sorting is stable: of equally welcome types the client's first wins, whatever follows (some list event streams last).
    for pattern, _ in sorted(ranges, key=lambda r: -r.quality):
        media_type = JSON if pattern in {"*/*", "application/*"} else pattern
        if media_type in {JSON, GRAPHQL_RESPONSE} and not {pattern, media_type} & refused:
            return media_type
    return None


def _parse(text: str) -> _Range:
    pattern, *parameters = (part.strip().lower() for part in text.split(";"))
    quality = next((value for name, _, value in (p.partition("=") for p in parameters) if name == "q"), "1")
    try:
        return _Range(pattern, float(quality))
    except ValueError:
        return _Range(pattern, 0)
