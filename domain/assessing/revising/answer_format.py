"""The form of an answer: JSON by a schema, as providers enforce it (OpenAI, "Structured Outputs", strict mode), read with patience."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any

Entry = Mapping[str, Any]


def _list_of(**fields: str) -> Mapping[str, Any]:
    entry = {
        "type": "object",
        "properties": {name: {"type": type_} for name, type_ in fields.items()},
        "required": [*fields],
        "additionalProperties": False,
    }
    return {"type": "array", "items": entry}


_LISTS = {
    "edits": _list_of(edit="string", replacement="string"),
    "insertions": _list_of(edit="string", after_quote="string", before="string", after="string", new_paragraph="boolean", text="string"),
    "proposals": _list_of(quote="string", before="string", after="string", replacement="string"),
}
ANSWER_NAME = "revision"
ANSWER_SCHEMA: Mapping[str, Any] = MappingProxyType(
    {"type": "object", "properties": _LISTS, "required": [*_LISTS], "additionalProperties": False}
)
"""Of every call, whatever it asks for: a list that is not asked for stays empty."""

_LONGEST_ANSWER = 500_000
_MOST_ENTRIES = 500
_MOST_ATTEMPTS = 1_000  # each may read to the answer's end before it fails


def entries(answer: str) -> Mapping[str, Sequence[Entry]] | None:
    """The lists of an answer by their names; None for what is not JSON.

    Talk around the JSON and code fences are passed over, and of an answer that was cut off, what is whole is read.
    """
    text = answer[:_LONGEST_ANSWER]
    first, last = text.find("{"), text.rfind("}")
    if first < 0:
        return None
    read = _read(text[first : last + 1])
    if isinstance(read, dict) and any(isinstance(read.get(name), list) for name in _LISTS):
        return {name: [each for each in _listed(read.get(name)) if isinstance(each, dict)] for name in _LISTS}
    return _sorted(_whole_entries(text))


def _listed(value: object) -> Sequence[object]:
    return value[:_MOST_ENTRIES] if isinstance(value, list) else ()


def _read(text: str) -> object:
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def _whole_entries(text: str) -> Iterator[Entry]:
    """The objects without objects in them that can be read, wherever they stand."""
    decoder = json.JSONDecoder(strict=False)
    at = 0
    for match in islice(re.finditer(r"\{(?=\s*\")", text), _MOST_ATTEMPTS):
        if match.start() < at:
            continue
        try:
            value, end = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        if not any(isinstance(part, (dict, list)) for part in value.values()):
            yield value
            at = end


def _sorted(found: Iterator[Entry]) -> Mapping[str, Sequence[Entry]] | None:
    """By what their fields say they are."""
    lists: dict[str, list[Entry]] = {name: [] for name in _LISTS}
    for entry in islice(found, _MOST_ENTRIES):
        if "after_quote" in entry:
            lists["insertions"].append(entry)
        elif "quote" in entry:
            lists["proposals"].append(entry)
        elif "edit" in entry:
            lists["edits"].append(entry)
    return lists if any(lists.values()) else None
