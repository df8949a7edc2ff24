"""Making a valid operation invalid, at a place and in a way that chance decides."""

import random
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from tests.security.hostile_operations import Operation

INSTEAD_OF_A_FIELD: Final = (
    *("nothingHere", "__nothing", "_", "id2 { x }", "__typename { x }", "__schema", "t: __typename t: nothingHere", "{ }", "..."),
    *("...Nowhere", "... on Nowhere { __typename }", "... on String { __typename }", "... on ProjectGenre { __typename }"),
    *("__typename @nothing", "__typename @skip", '__typename @skip(if: "x")', "__typename @include(if: 1, unless: 2)"),
    *(
        "__typename @include(if: true) @include(if: true)",
        "__typename @deprecated",
        "__typename @skip(if: null)",
        "__typename @skip(if: $no)",
    ),
    *("... @defer { __typename }", "__typename(a: 1)", '__typename(a: "', "__typename: __typename: x", "1", "$v", "null", "query", "on"),
)
APPENDED: Final = (
    *("fragment Unused on Project { id }", "fragment A on Project { ...A } ", "fragment A on Nowhere { x }", "fragment on on on { on }"),
    *(
        "query Two { __typename }",
        "{ __typename }",
        "query ($a: Int, $a: Int) { __typename }",
        "type Query { a: Int }",
        "schema { query: Q }",
    ),
    *(
        "extend type Query { a: Int }",
        "directive @a on FIELD",
        "}",
        "{",
        '"""',
        '"',
        "#",
        "fragment A on Project",
        "subscription { a: x b: x }",
    ),
)
INSERTED: Final = (*'{}()[]!$@":=|&#\\.', '"""', "...", "\x00", "\x1b", "\ud800", "\ufeff", "\u2028", "🏴", "0", "-", "1e9", "NaN")
WHOLE: Final = (
    "",
    " ",
    "#",
    "\ufeff",
    "null",
    "{",
    "{}",
    "}",
    '"',
    "query",
    "query {",
    "{ a }",
    "\x00",
    "\ud800",
    "fragment A on Query { __typename }",
)
CONTENTS: Final[tuple[Any, ...]] = (
    *(None, True, 0, -1, 1.5, 10**30, 1e308, "", "x", "\x00", "\ud800", [], [[]], [None], {}, {"a": {"b": [1]}}, [[[[[[[[1]]]]]]]]),
    *({"input": None}, {"": ""}, {"constructor": 1}, {"id": {"id": "x"}}, ["x"] * 200),
)

Damage = Callable[[Operation, random.Random], Operation]


def damaged(operation: Operation, chance: random.Random) -> Operation:
    return chance.choice(DAMAGES)(operation, chance)


def _field_replaced(operation: Operation, chance: random.Random) -> Operation:
    return _replaced(operation, chance, r"__typename", chance.choice(INSTEAD_OF_A_FIELD))


def _argument_added(operation: Operation, chance: random.Random) -> Operation:
    return _replaced(operation, chance, r"\w\(", "x(bogus: 1, ")


def _type_changed(operation: Operation, chance: random.Random) -> Operation:
    return _replaced(
        operation, chance, r"(?<=: )[A-Z]\w*", chance.choice(("Nothing", "Int", "String", "Boolean", "Project", "[ID]", "ID!!", ""))
    )


def _declaration_renamed(operation: Operation, chance: random.Random) -> Operation:
    return _replaced(operation, chance, r"\$v\d+", chance.choice(("$other", "$", "$v0", "v0", "$$", "$v-1")))


def _fragment_renamed(operation: Operation, chance: random.Random) -> Operation:
    return _replaced(operation, chance, r"\bF\d+", chance.choice(("on", "Other", "F0", "")))


def _cut_off(operation: Operation, chance: random.Random) -> Operation:
    return replace(operation, document=operation.document[: chance.randrange(len(operation.document))])


def _inserted(operation: Operation, chance: random.Random) -> Operation:
    at = chance.randrange(len(operation.document))
    return replace(operation, document=f"{operation.document[:at]}{chance.choice(INSERTED)}{operation.document[at:]}")


def _appended(operation: Operation, chance: random.Random) -> Operation:
    return replace(operation, document=f"{operation.document}\n{chance.choice(APPENDED)}")


def _whole(operation: Operation, chance: random.Random) -> Operation:
    return replace(operation, document=chance.choice(WHOLE))


def _other_keyword(operation: Operation, chance: random.Random) -> Operation:
    return _replaced(operation, chance, r"^\w+", chance.choice(("query", "mutation", "Query", "fragment", "")))


def _variable_changed(operation: Operation, chance: random.Random) -> Operation:
    name = chance.choice([*operation.variables, "unknown"])
    return replace(operation, variables={**operation.variables, name: chance.choice(CONTENTS)})


def _variable_dropped(operation: Operation, chance: random.Random) -> Operation:
    gone = chance.choice([*operation.variables, "unknown"])
    return replace(operation, variables={name: value for name, value in operation.variables.items() if name != gone})


def _replaced(operation: Operation, chance: random.Random, pattern: str, text: str) -> Operation:
    """At one of the places where the pattern is found; appended to the document, if there is none."""
    found = list(re.finditer(pattern, operation.document))
    if not found:
        return replace(operation, document=f"{operation.document} {text}")
    place = chance.choice(found)
    return replace(operation, document=f"{operation.document[: place.start()]}{text}{operation.document[place.end() :]}")


DAMAGES: Final[tuple[Damage, ...]] = (
    *[_field_replaced] * 4,
    _argument_added,
    _type_changed,
    _declaration_renamed,
    _fragment_renamed,
    _cut_off,
    _inserted,
    _appended,
    _whole,
    _other_keyword,
    *[_variable_changed] * 4,
    _variable_dropped,
)
