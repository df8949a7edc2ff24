"""What the schema declares is complete, and what our own front-ends ask fits into the limit of one operation."""

import re
from pathlib import Path

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, get_introspection_query, get_named_type, graphql_sync, parse

import commands.demo.documents
from schema.edge.limits import Limits
from tests.schema.edge.counting_execution import MODEL, SERVED

CHECKOUT = Path(__file__).parents[3]
LIMIT = Limits().cost
README = re.findall(r"^```graphql\n(.*?)^```$", (CHECKOUT / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
STORY = [path.read_text(encoding="utf-8") for path in sorted((CHECKOUT / "schema/story").glob("*.graphql"))]
DEMO = [
    value
    for value in vars(commands.demo.documents).values()
    if isinstance(value, str) and value.lstrip().startswith(("query", "mutation", "subscription"))
]


def most(source: str) -> int:
    compiled = MODEL.compile(parse(source))
    return max(compiled.of(name, {}) for name in compiled.operations)


def test_every_list_of_objects_says_how_long_it_can_be():
    assert list(MODEL.weights.unsized()) == []


def test_every_connection_is_sized_by_its_arguments():
    unsized = []
    for type_ in SERVED._schema.type_map.values():
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in type_.fields.items():
                declared = MODEL.field(type_.name, name)
                sized = declared.page and {each.name for each in declared.sized_by} == {"first", "last"}.intersection(field.args)
                if get_named_type(field.type).name.endswith("Connection") and not sized:
                    unsized.append(f"{type_.name}.{name}")
    assert unsized == []


def test_every_mutation_costs_and_those_that_start_a_job_cost_most():
    mutation = SERVED._schema.mutation_type
    assert mutation is not None
    calls = {name: MODEL.field("Mutation", name).call for name in mutation.fields}
    assert min(calls.values()) == 10
    assert {name for name, call in calls.items() if call == 100} == {name for name in calls if name.startswith(("start", "retry"))}


@pytest.mark.parametrize("source", [*README, *STORY, *DEMO])
def test_our_own_documents_take_half_of_what_one_operation_may_cost_at_most(source):
    assert 0 < most(source) <= LIMIT / 2


@pytest.mark.parametrize(
    "source",
    [
        "{ projects(first: 20) { nodes { title chapters(first: 20) { nodes { title currentVersion { number wordCount } } } } } }",
        """{ projects(first: 20) { pageInfo { endCursor } edges { cursor node { title viewerRole
             chapters(first: 20) { totalCount edges { node { title currentVersion { number assessment { score } } } } } } } } }""",
        '{ project(id: "x") { quality { stale chapter { position title } assessment { score scoreLow scoreHigh } } } }',
        '{ promptPreview(input: {chapterId: "x"}) { messages { text } receipt { items { label source { id } } } } }',
        '{ job(id: "x") { events(first: 100) { edges { cursor node { __typename ... on StepFinished { usage { cost } } } } } } }',
    ],
)
def test_what_front_ends_ask_takes_half_of_it_at_most(source):
    assert most(source) <= LIMIT / 2


@pytest.mark.parametrize(
    "source",
    [
        "{ projects(first: 100) { nodes { chapters(first: 100) { nodes { versions(first: 100) { nodes { id } } } } } } }",
        "{ projects(first: 100) { nodes { chapters(first: 100) { nodes { currentVersion { text } } } } } }",
        "{ projects(first: 20) { nodes { quality { assessment { findings { message } } } } } }",
        f"{{ {' '.join(f'a{number}: projects(first: 100) {{ nodes {{ chapters(first: 50) {{ nodes {{ id }} }} }} }}' for number in range(20))} }}",
        '{ chapter(id: "x") { versions(first: 100) { nodes { diff(from: "y") { text } } } } }',
    ],
)
def test_what_only_an_attacker_asks_is_far_beyond_it(source):
    assert most(source) > 5 * LIMIT


def test_introspection_costs_at_least_the_objects_it_gives():
    answer = graphql_sync(SERVED._schema, get_introspection_query()).data
    assert 0 < objects_in(answer) <= most(get_introspection_query()) <= LIMIT / 2


def objects_in(value: object) -> int:
    if isinstance(value, dict):
        return 1 + sum(objects_in(each) for each in value.values())
    return sum(objects_in(each) for each in value) if isinstance(value, list) else 0


def test_the_printed_schema_declares_it_to_clients():
    printed = (CHECKOUT / "schema.graphql").read_text(encoding="utf-8")
    assert "directive @cost(weight: String!) on FIELD_DEFINITION" in printed
    assert '): JobPayload @cost(weight: "100")' in printed
    assert "members: [ProjectMember!]! @listSize(assumedSize: 50)" in printed
    page = (
        '@listSize(assumedSize: 20, slicingArguments: ["first", "last"], sizedFields: ["edges", "nodes"], requireOneSlicingArgument: false)'
    )
    assert f"): ProjectConnection! {page}" in printed
