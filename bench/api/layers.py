"""Whose time it was: a profile's functions by the layer that they are part of.

Time in builtins and in the standard library belongs to whoever called them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from cProfile import Profile
from types import CodeType
from typing import Any, Final

Function = CodeType | str
Shares = Mapping[str, float]
"""Of a function's time, the part of each layer: 1 in all."""

TRANSPORT, AUTHENTICATION, DOCUMENT, EXECUTION, DATABASE, ENCODING, OTHER = LAYERS = (
    "transport",
    "authentication",
    "document: parse, validate, limits, caches",
    "execution: fields, resolvers, loaders",
    "database: statements, driver, rows",
    "encoding of the answer",
    "other",
)

# What comes first in this list decides.
_PARTS: Final[Sequence[tuple[str, str]]] = (
    ("/resolvers/authentication.py", AUTHENTICATION),
    ("/resolvers/viewers.py", AUTHENTICATION),
    ("/resolvers/signing_keys.py", AUTHENTICATION),
    ("/site-packages/jose/", AUTHENTICATION),
    ("/site-packages/cryptography/", AUTHENTICATION),
    ("/schema/edge/json_text.py", ENCODING),
    ("/schema/edge/masking.py", ENCODING),
    ("/schema/scalars.py", ENCODING),
    ("/schema/edge/operations.py", EXECUTION),
    ("/schema/edge/complexity.py", DOCUMENT),
    ("/schema/edge/cost", DOCUMENT),
    ("/schema/edge/document", DOCUMENT),
    ("/schema/edge/limit", DOCUMENT),
    ("/graphql/language/", DOCUMENT),
    ("/graphql/validation/", DOCUMENT),
    ("/strawberry/extensions/", DOCUMENT),
    ("/schema/edge/", TRANSPORT),
    ("/site-packages/starlette/", TRANSPORT),
    ("/site-packages/uvicorn/", TRANSPORT),
    ("/persistence/", DATABASE),
    ("/site-packages/sqlalchemy/", DATABASE),
    ("/site-packages/asyncpg/", DATABASE),
    ("/site-packages/graphql/", EXECUTION),
    ("/site-packages/strawberry/", EXECUTION),
    ("/schema/", EXECUTION),
    ("/resolvers/", EXECUTION),
    ("/domain/", EXECUTION),
    ("/server.py", TRANSPORT),
)
_STEPS = 25
"""Longer chains of builtins and library functions calling each other are not followed."""


def layer_of(file: str) -> str | None:
    """None for what serves whoever calls it."""
    return next((layer for part, layer in _PARTS if part in file), None)


def seconds_by_layer(profile: Profile) -> Mapping[str, float]:
    entries: Sequence[Any] = profile.getstats()
    shares = _shares(entries)
    seconds: Counter[str] = Counter()
    for entry in entries:
        for layer, share in shares[entry.code].items():
            seconds[layer] += share * entry.inlinetime
    return seconds


def _shares(entries: Sequence[Any]) -> Mapping[Function, Shares]:
    known: dict[Function, Shares] = {}
    for entry in entries:
        layer = None if isinstance(entry.code, str) else layer_of(entry.code.co_filename)
        if layer is not None:
            known[entry.code] = {layer: 1.0}
    callers = _callers(entries)
    guessed: dict[Function, Shares] = {entry.code: {OTHER: 1.0} for entry in entries if entry.code not in known}
    for _ in range(_STEPS):
        now = {**guessed, **known}
        guessed = {code: _mixed([(now[caller], seconds) for caller, seconds in callers[code]]) for code in guessed}
    return {**guessed, **known}


def _callers(entries: Iterable[Any]) -> Mapping[Function, Sequence[tuple[Function, float]]]:
    """Who has called each function, and for how many seconds."""
    callers: defaultdict[Function, list[tuple[Function, float]]] = defaultdict(list)
    for entry in entries:
        for call in entry.calls or ():
            if call.code != entry.code:
                callers[call.code].append((entry.code, call.totaltime))
    return callers


def _mixed(parts: Sequence[tuple[Shares, float]]) -> Shares:
    total = sum(seconds for _, seconds in parts)
    if total <= 0:
        return {OTHER: 1.0}
    mixed: Counter[str] = Counter()
    for shares, seconds in parts:
        for layer, share in shares.items():
            mixed[layer] += share * seconds / total
    return mixed
