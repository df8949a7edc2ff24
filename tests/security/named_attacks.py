"""The attacks on GraphQL servers that have names: each asks for much more than it sends, and must be refused before anything is done for it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from string import ascii_uppercase
from typing import Any, Final

COMPLEX: Final = frozenset({"QUERY_TOO_COMPLEX"})
INVALID: Final = frozenset({"GRAPHQL_VALIDATION_FAILED"})
UNREADABLE: Final = frozenset({"GRAPHQL_PARSE_FAILED"})
BAD_INPUT: Final = frozenset({"BAD_USER_INPUT"})
TOO_MANY: Final = COMPLEX | BAD_INPUT


@dataclass(frozen=True, slots=True)
class Attack:
    """`document` is sent with `variables`, or `body` as it stands; `codes` are those the refusal may have."""

    document: str = ""
    codes: frozenset[str] = COMPLEX
    variables: Mapping[str, Any] = field(default_factory=dict)
    body: bytes | None = None

    @property
    def content(self) -> bytes:
        return json.dumps({"query": self.document, "variables": self.variables}).encode() if self.body is None else self.body


def _nested(opening: str, closing: str, depth: int, inside: str = "__typename") -> str:
    return opening * depth + inside + closing * depth


def _fragments(letters: str, spread: str) -> str:
    """Each spreads the next one; the last one has a field."""
    chain = [f"fragment {each} on Query {{ {spread.format(following)} }}" for each, following in pairwise(letters)]
    return "\n".join(["{ ...A }", *chain, f"fragment {letters[-1]} on Query {{ __typename }}"])


_PROJECTS = "projects(first: 100)"
_TO_CHAPTERS = "nodes { chapters(first: 100) { nodes { project {"
_CREATE = 'createProject(input: {title: "x", genre: OTHER}) { project { id } }'
_IDS = [f"project_{number:026d}" for number in range(10_000)]

ATTACKS: Final[Mapping[str, Attack]] = {
    # Depth
    "a circle of objects": Attack(f"{{ {_PROJECTS} {{ {_TO_CHAPTERS * 6} id {'} } } }' * 6} }} }}"),
    "a thousand levels": Attack(f"{{ {_nested('a { ', '} ', 1000)} }}"),
    "as many levels as fit": Attack("{" + "a{" * 2499, COMPLEX | UNREADABLE),
    "a hundred thousand levels": Attack("{a" * 100_000),
    "levels of inline fragments": Attack(f"{{ {_nested('... { ', '} ', 1500)} }}"),
    "a list within lists": Attack(f"{{ nodes(ids: {_nested('[', ']', 2000, '')}) {{ id }} }}", COMPLEX | UNREADABLE),
    "an object within objects": Attack(f"{{ projects(filter: {_nested('{a: ', '}', 1000, '1')}) {{ totalCount }} }}", COMPLEX | INVALID),
    "a type of lists of lists": Attack(f"query($a: {_nested('[', ']', 2000, 'ID')}) {{ __typename }}", COMPLEX | INVALID),
    "a default value within lists": Attack(
        f"query($a: ID = {_nested('[', ']', 2000, '')}) {{ __typename }}", COMPLEX | UNREADABLE | INVALID
    ),
    "variables within variables": Attack(
        body=b'{"query": "query($f: ProjectFilter) { projects(filter: $f) { totalCount } }", "variables": {"f": '
        + b'{"a":' * 50_000
        + b"1"
        + b"}" * 50_002,
        codes=BAD_INPUT,
    ),
    # Fragments
    "a fragment of itself": Attack("{ ...A } fragment A on Query { ...A }", INVALID),
    "two fragments of each other": Attack("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", INVALID),
    "a ring of fragments": Attack(_fragments(ascii_uppercase, "...{}").replace("Z on Query { __typename", "Z on Query { ...A"), INVALID),
    "a circle through fields": Attack(
        f"{{ {_PROJECTS} {{ ...A }} }} fragment A on ProjectConnection {{ {_TO_CHAPTERS} chapters {{ nodes {{ project {{ id }} }} }} "
        f"viewerRole }} }} }} ...A }} }}",
        INVALID | UNREADABLE,
    ),
    "two to the power of twenty-six": Attack(_fragments(ascii_uppercase, "...{0} ...{0}")),
    "two to the power of twenty-six, each its own name": Attack(_fragments(ascii_uppercase, "a: __typename ...{0} ... {{ ...{0} }}")),
    "three to the power of twenty-six directives": Attack(_fragments(ascii_uppercase, "...{0} @skip(if: false) ...{0} ...{0}")),
    "a thousand fragments": Attack(
        "{ __typename } " + " ".join(f"fragment F{number} on Query {{ __typename }}" for number in range(1000)), COMPLEX | INVALID
    ),
    "a fragment spread a thousand times": Attack("{ " + "...A " * 1400 + "} fragment A on Query { viewer { user { id } } }"),
    # Floods
    "a hundred aliases": Attack("{ " + " ".join(f"a{number}: __typename" for number in range(100)) + " }"),
    "a thousand viewers": Attack("{ " + " ".join(f"a{number}: viewer {{ user {{ id }} }}" for number in range(500)) + " }"),
    "aliases within one project": Attack('{ project(id: "x") { ' + " ".join(f"a{number}: title" for number in range(31)) + " } }"),
    "a hundred mutations": Attack("mutation { " + " ".join(f"a{number}: {_CREATE}" for number in range(100)) + " }"),
    "guessing a hundred ids": Attack("{ " + " ".join(f'a{number}: node(id: "{_IDS[number]}") {{ id }}' for number in range(100)) + " }"),
    "the same field a thousand times": Attack("{ " + "__typename " * 1001 + "}"),
    "a thousand directives": Attack("{ __typename " + "@include(if: true) " * 700 + "}"),
    "a thousand directives of no kind": Attack("{ __typename " + "@a" * 1000 + " }"),
    "directives on variables": Attack("query(" + " ".join(f"$a{number}: Int @a" for number in range(100)) + ") { __typename }"),
    "fields that must be compared": Attack("{ " + " ".join(f'node(id: "{number}") {{ id }}' for number in range(300)) + " }"),
    "fields that must be compared, in fragments": Attack(
        "{ "
        + "...A ...B " * 200
        + "} fragment A on Query { viewer { user { id name } } } fragment B on Query { viewer { user { name id } } }"
    ),
    "a thousand mistakes": Attack("{ " + " ".join(f"nothing{number}" for number in range(20)) + " }", INVALID),
    "a hundred operations": Attack(" ".join(f"query Q{number} {{ __typename }}" for number in range(100))),
    "a hundred operations of one name": Attack("query Q { __typename } " * 100),
    # Size
    "five thousand tokens and one": Attack("{ " + "a " * 5000 + "}"),
    "a name of a megabyte": Attack("{ " + "a" * 1_000_000 + " }"),
    "a text of a megabyte": Attack('{ node(id: "' + "x" * 1_000_000 + '") { id } }'),
    "a block of text of a megabyte": Attack('{ node(id: """' + " \n" * 500_000 + '""") { id } }'),
    "a comment of a megabyte": Attack("{ __typename } #" + "x" * 1_000_000),
    "a megabyte of commas": Attack("{ __typename " + "," * 1_000_000 + " }"),
    "a megabyte of escapes": Attack('{ node(id: "' + "\\u{1F3F4}" * 100_000 + '") { id } }'),
    "a number of a hundred thousand digits": Attack("{ projects(first: " + "9" * 100_000 + ") { totalCount } }", COMPLEX | INVALID),
    "a thousand variables": Attack(
        "query(" + " ".join(f"$a{number}: Int" for number in range(1200)) + ") { __typename }", COMPLEX | INVALID
    ),
    # Lists and pages
    "page 99999999": Attack("{ projects(first: 99999999) { totalCount } }", TOO_MANY),
    "a page before the first": Attack("{ projects(first: -1) { totalCount } }", TOO_MANY),
    "page 99999999, from the end": Attack("query($n: Int) { projects(last: $n) { totalCount } }", TOO_MANY, {"n": 99_999_999}),
    "ten thousand ids": Attack("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", TOO_MANY, {"ids": _IDS}),
    "a thousand ids in the document": Attack(f"{{ nodes(ids: {json.dumps(_IDS[:1000])}) {{ id }} }}", TOO_MANY),
    "a batch": Attack(body=json.dumps([{"query": "{ viewer { user { id } } }"}] * 10).encode(), codes=BAD_INPUT),
    "a batch of ten thousand": Attack(body=json.dumps([{"query": "{ viewer { user { id } } }"}] * 10_000).encode(), codes=BAD_INPUT),
    # Introspection, and what is not offered
    "introspection in a circle": Attack(f"{{ __schema {{ types {{ {_nested('fields { type { ', '} } ', 8, 'name')} }} }} }}"),
    "introspection of types of types": Attack(f'{{ __type(name: "Node") {{ {_nested("ofType { ", "} ", 20, "name")} }} }}'),
    "introspection a hundred times": Attack("{ " + " ".join(f"a{n}: __schema {{ types {{ name }} }}" for n in range(100)) + " }"),
    "streaming": Attack("{ projects { nodes @stream { id } } }", INVALID),
    "deferring": Attack("{ viewer { ... @defer { user { id } } } }", INVALID),
    "a subscription without a socket": Attack('subscription { jobEvents(jobId: "x") { __typename } }', BAD_INPUT),
    "a schema of their own": Attack("extend type Query { a: Int } { __typename }", INVALID),
}
