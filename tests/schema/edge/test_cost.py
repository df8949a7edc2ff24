import itertools
import random
from typing import Optional

import pytest
import strawberry
from graphql import OperationDefinitionNode, parse
from hypothesis import given
from hypothesis import strategies as st

from schema.edge.cost.model import CostModel, refuse_if_too_costly
from schema.edge.cost.program import MOST
from schema.edge.cost.weights import UNKNOWN_SIZE
from schema.edge.errors import ErrorCode, RequestError
from tests.schema.edge.counting_execution import MODEL, Counting


def cost(source, variables=None, name=None):
    return MODEL.compile(parse(source)).of(name, variables)


@pytest.mark.parametrize(
    ("document", "points"),
    [
        ("{ __typename }", 0),
        ("{ viewer { user { name email } } }", 2),
        ('{ project(id: "x") { title budget { spent } } }', 2),
        ("{ projects { nodes { title } } }", 1 + 20),
        ("{ projects(first: 3) { nodes { title } pageInfo { endCursor } totalCount } }", 1 + 3 + 1 + 5),
        ("{ projects(first: 3) { edges { cursor node { title } } } }", 1 + 3 * 2),
        (
            "{ projects(last: 2) { nodes { chapters(first: 5) { nodes { currentVersion { text } } } } } }",
            1 + 2 * (1 + 1 + 5 * (1 + 1 + 10)),
        ),
        ('{ project(id: "x") { members { user { name } } } }', 1 + 50 * 2),
        ('{ nodes(ids: ["a", "b", "c"]) { id } }', 3),
        ('{ nodes(ids: ["a", "b"]) { ... on Chapter { versions(first: 2) { nodes { id } } } } }', 2 * (1 + 1 + 2)),
        ('mutation { updateChapter(input: {id: "x"}) { chapter { title } errors { message } } }', 10 + 1 + 1 + 1),
        ('mutation { retryJob(input: {jobId: "x"}) { job { id } } }', 100 + 1 + 1),
        ('{ promptPreview(input: {chapterId: "x"}) { withMore { tokens } messages { text } } }', 100 + 1 + 100 + 1 + 10),
        ('subscription { jobEvents(jobId: "x") { ... on JobFinished { job { text } } } }', 1 + 1 + 10),
        ("{ __schema { types { fields { type { name } } } } }", 2_500),
        ('{ __type(name: "Job") { fields { name } } }', 100),
        ("{ projects(first: 100) { nodes { chapters(first: 100) { nodes { versions(first: 100) { nodes { id } } } } } } }", 1_020_201),
    ],
)
def test_objects_count_one_each_and_work_what_the_schema_says(document, points):
    assert cost(document) == points


@pytest.mark.parametrize(
    ("arguments", "items"),
    [
        ("", 20),
        ("(first: null)", 20),
        ("(first: 1)", 1),
        ("(first: 100)", 100),
        ("(first: 101)", 100),
        ("(first: 0)", 100),
        ("(first: -5)", 100),
        (f"(first: {'9' * 6000})", 100),
        ('(first: "3")', 100),
        ("(first: 3.0)", 100),
        ("(first: [3])", 100),
        ("(first: 3, last: 7)", 7),
        ('(after: "x", first: 4)', 4),
    ],
)
def test_a_page_is_as_large_as_its_arguments_say_and_the_largest_where_they_will_be_refused(arguments, items):
    assert cost(f"{{ projects{arguments} {{ nodes {{ id }} }} }}") == 1 + items


@pytest.mark.parametrize(
    ("variables", "items"),
    [
        ({}, 20),
        (None, 20),
        ({"n": None}, 20),
        ({"n": 7}, 7),
        ({"n": 101}, 100),
        ({"n": -1}, 100),
        ({"n": 10**400}, 100),
        ({"n": True}, 100),
        ({"n": 3.5}, 100),
        ({"n": "7"}, 100),
        ({"n": [7]}, 100),
        ({"n": {}}, 100),
    ],
)
def test_page_sizes_come_from_variables_of_any_kind(variables, items):
    assert cost("query($n: Int) { projects(first: $n) { nodes { id } } }", variables) == 1 + items


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(number=JSON, ids=JSON, yes=JSON)
def test_no_variables_of_any_kind_break_it_or_cost_more_than_the_largest_pages(number, ids, yes):
    source = """query($n: Int, $ids: [ID!]!, $yes: Boolean!) {
      projects(first: $n) { nodes { id } } nodes(ids: $ids) { id } viewer @skip(if: $yes) { user { id } } }"""
    assert 1 <= cost(source, {"n": number, "ids": ids, "yes": yes}) <= 101 + 100 + 2


def test_a_variables_default_counts_where_it_is_left_out():
    source = "query($n: Int = 50) { projects(first: $n) { nodes { id } } }"
    assert [cost(source, variables) for variables in ({}, {"n": 3}, {"n": None})] == [51, 4, 21]


@pytest.mark.parametrize(
    ("ids", "items"),
    [(["a", "b"], 2), ([], 0), (["a"] * 101, 100), ("a", 1), (None, 100), (5, 1)],
    ids=["two", "none", "many", "one", "null", "number"],
)
def test_a_list_of_ids_is_as_long_as_it_is(ids, items):
    assert cost("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ids}) == items


def test_ids_can_be_variables_in_a_list():
    assert cost("query($a: ID!, $b: ID!) { nodes(ids: [$a, $b]) { id } }", {"a": "x", "b": "y"}) == 2


@pytest.mark.parametrize(
    ("condition", "variables", "points"),
    [
        ("@skip(if: true)", {}, 0),
        ("@skip(if: false)", {}, 21),
        ("@include(if: false)", {}, 0),
        ("@include(if: true)", {}, 21),
        ("@include(if: $yes)", {"yes": True}, 21),
        ("@include(if: $yes)", {"yes": False}, 0),
        ("@skip(if: $yes)", {"yes": True}, 0),
        ("@skip(if: $yes)", {"yes": False}, 21),
        ("@skip(if: $yes)", {}, 21),
        ("@skip(if: $yes)", {"yes": "true"}, 21),
        ("@include(if: $yes) @skip(if: true)", {"yes": True}, 0),
        ("@unknown(if: false)", {}, 21),
    ],
)
def test_what_is_skipped_costs_nothing(condition, variables, points):
    assert cost(f"query($yes: Boolean!) {{ projects {condition} {{ nodes {{ id }} }} }}", variables) == points
    assert cost(f"query($yes: Boolean!) {{ ... {condition} {{ projects {{ nodes {{ id }} }} }} }}", variables) == points
    fragment = "fragment F on Query { projects { nodes { id } } }"
    assert cost(f"query($yes: Boolean!) {{ ...F {condition} }} {fragment}", variables) == points


def test_of_an_objects_possible_types_the_dearest_counts():
    chapter = "... on Chapter { versions(first: 5) { nodes { id } } }"
    project = "... on Project { chapters(first: 9) { nodes { id } } }"
    assert cost(f'{{ node(id: "x") {{ {chapter} {project} }} }}') == 1 + 1 + 9
    assert cost(f'{{ node(id: "x") {{ {chapter} {project} ... on Node {{ {chapter} }} }} }}') == 1 + 2 * (1 + 5)
    assert cost("{ node(id: 1) { ... on Chapter { project { id } } ... on Job { project { id } } } }") == 1 + 1
    pages = "query($n: Int) { node(id: 1) { ... on Chapter { versions(first: $n) { nodes { id } } } ... on Project { members { role } } } }"
    assert [cost(pages, {"n": n}) for n in (1, 90)] == [1 + 50, 1 + 1 + 90]


def test_a_fragment_costs_what_the_page_costs_that_it_is_spread_on():
    source = """
        { few: projects(first: 2) { ...Page } many: projects(first: 30) { ...Page } }
        fragment Page on ProjectConnection { ...Items totalCount }
        fragment Items on ProjectConnection { nodes { id budget { spent } } }
    """
    assert cost(source) == (1 + 5 + 2 * 2) + (1 + 5 + 30 * 2)


def test_the_operation_that_is_executed_counts():
    source = "query A { viewer { user { id } } } query B($n: Int = 4) { projects(first: $n) { nodes { id } } }"
    compiled = MODEL.compile(parse(source))
    assert [compiled.of("A", {}), compiled.of("B", {}), compiled.of("B", {"n": 9})] == [2, 5, 10]
    assert [compiled.of("C", {}), compiled.of(None, {})] == [0, 0]
    for node in parse(source).definitions:
        assert isinstance(node, OperationDefinitionNode)
        assert MODEL.estimate(parse(source), node, {"n": 7}) == {"A": 2, "B": 8}[node.name.value]


@pytest.mark.parametrize(
    "document",
    [
        "{ nothing { of { this { exists } } } }",
        "{ viewer { ...Missing } }",
        "{ ... on Missing { projects { nodes { id } } } }",
        "{ ... on Job { text } }",
        "{ ...F } fragment F on Missing { projects { nodes { id } } }",
        "query @include(if: $no) { viewer @include { __typename @skip(if: 3) } }",
        "{ projects(first: $undeclared) { nodes } }",
        "{ viewer { user { id { deeper } } } }",
        "{ viewer }",
        "fragment F on Query { viewer { user { id } } }",
        "type Query { a: Int }",
    ],
)
def test_what_does_not_exist_costs_nothing_and_breaks_nothing(document):
    assert cost(document) <= 21


@pytest.mark.parametrize(
    "document",
    ["{ ...F } fragment F on Query { ...G } fragment G on Query { ...F }", "{ ...F } fragment F on Query { ...F }"],
)
def test_fragments_in_a_circle_have_no_cost_and_are_refused(document):
    with pytest.raises(RequestError) as refused:
        cost(document)
    assert refused.value.code is ErrorCode.GRAPHQL_VALIDATION_FAILED


def test_fragments_that_double_at_each_of_26_levels_are_costed_once_each():
    def doubling(levels):
        source = "{ viewer { ...F0 } } " + " ".join(f"fragment F{i} on Viewer {{ ...F{i + 1} ...F{i + 1} }}" for i in range(levels))
        return f"query($n: Int) {source} fragment F{levels} on Viewer {{ projects(first: $n) {{ nodes {{ id }} }} }}"

    steps = [MODEL.compile(parse(doubling(levels))).steps for levels in (26, 52, 104)]
    assert steps[1] - steps[0] == 26
    assert steps[2] - steps[1] == 52
    assert cost(doubling(4), {"n": 3}) == 1 + 2**4 * (1 + 3)
    assert cost(doubling(104), {"n": 3}) == MOST


def test_documents_of_any_depth_need_no_recursion():
    chain = " ".join(f"fragment F{i} on Query {{ ...F{i + 1} }}" for i in range(3_000))
    assert cost(f"query($n: Int) {{ ...F0 }} {chain} fragment F3000 on Query {{ projects(first: $n) {{ nodes {{ id }} }} }}", {"n": 4}) == 5
    levels = 180
    nested = "project { " * levels
    assert cost(f"{{ job(id: 1) {{ {'chapter { jobs { nodes { ' * 40} id {'} } }' * 40} }} }}") == MOST
    assert cost(f"{{ chapter(id: 1) {{ {nested} id {'} ' * levels} }} }}") == 2
    assert cost(f"{{ {'... { ' * levels} viewer {{ user {{ id }} }} {'} ' * levels} }}") == 2


@strawberry.interface
class Being:
    friend: Optional["Being"]


BEINGS = [strawberry.type(type(f"Being{number}", (Being,), {})) for number in range(6)]


@strawberry.type
class Company:
    being: Being


def test_interfaces_within_interfaces_are_costed_in_linear_time():
    model = CostModel(strawberry.Schema(Company, types=BEINGS)._schema)

    def compiled(levels):
        friends = "friend @include(if: $yes) { " * levels
        return model.compile(parse(f"query($yes: Boolean!) {{ being {{ {friends} __typename {'} ' * levels} }} }}"))

    steps = [compiled(levels).steps for levels in (40, 80, 160)]
    assert steps[2] - steps[1] == 2 * (steps[1] - steps[0])
    assert [compiled(160).of(None, {"yes": yes}) for yes in (True, False)] == [161, 1]


def test_what_depends_on_no_variable_is_known_beforehand():
    compiled = MODEL.compile(parse("query($id: ID!) { project(id: $id) { chapters(first: 20) { nodes { currentVersion { id } } } } }"))
    assert (compiled.steps, compiled.of(None, {"id": "x"})) == (0, 1 + 1 + 20 * 2)


def test_it_is_what_is_used_when_everything_is_there():
    source = """
        query($n: Int) {
          projects(first: $n) { ...Page }
          viewer { jobs(first: 3) { nodes { text steps { name usage { calls } } } totalCount } }
        }
        fragment Page on ProjectConnection { edges { node { title members { user { name } } chapters(last: 2) { nodes { id } } } } pageInfo { endCursor } }
    """
    counting = Counting(random.Random(1), full=True)
    assert counting.run(parse(source), {"n": 4}) == cost(source, {"n": 4})


@strawberry.type
class Leaf:
    name: str


def test_a_list_that_declares_no_size_counts_as_a_long_one():
    @strawberry.type
    class Query:
        leaves: list[Leaf]
        words: list[str]

    model = CostModel(strawberry.Schema(Query)._schema)
    assert model.estimate(*operation("{ leaves { name } words }"), {}) == UNKNOWN_SIZE
    assert list(model.weights.unsized()) == ["Query.leaves"]


def operation(source):
    document = parse(source)
    return document, document.definitions[0]


def test_an_operation_beyond_the_limit_is_refused_with_both_numbers():
    refuse_if_too_costly(10_000, 10_000)
    with pytest.raises(RequestError) as refusal:
        refuse_if_too_costly(1_020_201, 10_000)
    assert refusal.value.code == ErrorCode.QUERY_TOO_COMPLEX
    assert all(number in refusal.value.message for number in ("1,020,201", "10,000"))


def test_what_one_more_object_of_a_field_costs_is_told_to_whoever_counts():
    told = {
        name: (MODEL.field(*name.split(".")).call, MODEL.field(*name.split(".")).item)
        for name in ("Mutation.retryJob", "Job.text", "Job.steps", "Job.id", "Job.none", "No.id")
    }
    assert told == {
        "Mutation.retryJob": (100, 1),
        "Job.text": (10, 0),
        "Job.steps": (0, 1),
        "Job.id": (0, 0),
        "Job.none": (0, 0),
        "No.id": (0, 0),
    }


def test_a_cost_never_depends_on_the_order_of_selections():
    parts = ["a: projects(first: 3) { nodes { id } }", "...F", "... on Query { viewer { user { id } } }"]
    fragment = "fragment F on Query { b: projects(last: 2) { nodes { id } } }"
    assert {cost(f"{{ {' '.join(order)} }} {fragment}") for order in itertools.permutations(parts)} == {4 + 3 + 2}
