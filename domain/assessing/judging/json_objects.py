"""Finding JSON objects in what a model wrote: bare, in a code fence, or with prose around them."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

MOST_FAILURES = 100
"""So many beginnings that turn out to be no objects are looked at, so that a text made of them takes no time to speak of."""

_BEGINNING = re.compile(r'\{\s*["}]')


def objects_in(text: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The objects in reading order, each with how it is written. Those within an object that is whole are part of it; those within a broken one stand for themselves.

    Numbers that JSON does not know (NaN), keys that come twice, and nesting beyond what Python reads make an object broken.
    """
    at, failures = 0, 0
    while failures < MOST_FAILURES and (found := _BEGINNING.search(text, at)):
        try:
            value, end = _DECODER.raw_decode(text, found.start())
        except (ValueError, RecursionError):
            at, failures = found.start() + 1, failures + 1
        else:
            yield value, text[found.start() : end]
            at = end


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"JSON has no {name}.")


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """With two scores, nobody knows which is meant."""
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("A key comes twice.")
    return dict(pairs)


# Not strict: models put line ends into strings as they are.
_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_number, strict=False)
