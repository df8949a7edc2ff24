from dataclasses import replace

import pytest
from graphql import parse

from schema.edge.complexity import measure, refuse_if_too_complex
from schema.edge.errors import ErrorCode, RequestError
from schema.edge.limits import Limits


def size(source):
    return measure(parse(source))


def nested(levels):
    return "{ a " * levels + "}" * levels


@pytest.mark.parametrize(
    ("document", "limit"),
    [
        (nested, "depth"),
        (lambda n: "{ " + " ".join(f"x{i}: a" for i in range(n)) + " }", "aliases"),
        (lambda n: "{ b { " + " ".join(f"x{i}: a" for i in range(n)) + " } }", "aliases"),
        (lambda n: "{ " + "a " * n + "}", "root_fields"),
        (lambda n: "{ b { " + "a " * (n - 1) + "} }", "fields"),
        (lambda n: "{ b { ...F } } fragment F on B { " + "a " * (n - 1) + "}", "fields"),
        (lambda n: "{ a " + "@skip(if: true) " * n + "}", "directives"),
        (lambda n: "query " + "@x " * n + "{ a }", "directives"),
        (lambda n: "query($v: Int " + "@x " * n + ") { a }", "directives"),
        (lambda n: "{ ... " + "@x " * n + "{ a } }", "directives"),
        (lambda n: " ".join(f"query Q{i} {{ a }}" for i in range(n)), "operations"),
        (lambda n: "{ b { ...F } } fragment F on B " + nested(n - 1), "depth"),
        (
            lambda n: (
                "{ b { ...F ...F } } fragment F on B { " + " ".join(f"x{i}: a" for i in range(n // 2)) + " x { " + "y: a " * (n % 2) + "} }"
            ),
            "aliases",
        ),
        (lambda n: "{ ...F } fragment F on Query { ... { " + "a " * n + "} }", "root_fields"),
    ],
)
def test_a_document_at_the_limit_passes_and_one_beyond_is_refused(document, limit):
    limits = replace(Limits(depth=99, fields=99, aliases=99, root_fields=99, directives=99, operations=99), **{limit: 12})
    refuse_if_too_complex(size(document(12)), limits)
    with pytest.raises(RequestError) as refusal:
        refuse_if_too_complex(size(document(14)), limits)
    assert refusal.value.code == ErrorCode.QUERY_TOO_COMPLEX


def test_a_fragment_counts_wherever_it_is_spread_and_is_measured_once():
    doublings = 60
    fragments = " ".join(f"fragment F{i} on A {{ a {{ ...F{i + 1} }} b {{ ...F{i + 1} }} }}" for i in range(doublings))
    found = size(f"{{ ...F0 }} {fragments} fragment F{doublings} on A {{ x: a }}")
    assert found.aliases == 2**doublings
    assert found.depth == doublings + 1


def test_a_long_chain_of_fragments_is_measured_without_recursion():
    chain = " ".join(f"fragment F{i} on A {{ ...F{i + 1} }}" for i in range(3000))
    assert size(f"{{ ...F0 }} {chain} fragment F3000 on A {{ a }}").depth == 1


@pytest.mark.parametrize(
    "source", ["{ ...F } fragment F on A { ...F }", "{ ...F } fragment F on A { b { ...G } } fragment G on B { a { ...F } }"]
)
def test_fragments_in_a_circle_are_refused(source):
    with pytest.raises(RequestError) as refusal:
        size(source)
    assert refusal.value.code == ErrorCode.GRAPHQL_VALIDATION_FAILED


def test_root_fields_are_found_behind_fragments_and_aliases():
    found = size("{ __typename ... { x: a { hidden } } ...F } fragment F on Query { ...G } fragment G on Query { b } query { c }")
    assert found.root_names == {"__typename", "a", "b", "c"}


def test_a_spread_of_an_unknown_fragment_is_left_to_validation():
    assert size("{ ...Unknown a }").root_fields == 1
