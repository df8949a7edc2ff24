"""The served schema keeps the contract that clients are written against."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    Undefined,
    build_schema,
    value_from_ast_untyped,
)

from schema.build import build_schema as build_served_schema

CONTRACT = build_schema(Path(__file__).with_name("contract.graphql").read_text(encoding="utf-8"))

NOT_SERVED_YET = frozenset(
    [
        "Comment",
        "CommentConnection",
        "CommentEdge",
        "Export",
        "ExportFormat",
        "Fact",
        "FactConnection",
        "FactEdge",
        "Outline",
        "ProjectEvent",
        "ChapterChanged",
        "ReferenceFileChanged",
        "CommentChanged",
        "JobChanged",
        "EntityDeleted",
        "AcceptSuggestionInput",
        "AddCommentInput",
        "ReplyToCommentInput",
        "RequestUploadInput",
        "ResolveCommentInput",
        "StartBookGenerationInput",
        "StartExportInput",
        "StartOutlineInput",
        "CommentPayload",
        "RequestUploadPayload",
        "Project.facts",
        "Chapter.comments",
        "Subscription.projectEvents",
        "Mutation.requestUpload",
        "Mutation.startOutline",
        "Mutation.startBookGeneration",
        "Mutation.startExport",
        "Mutation.addComment",
        "Mutation.replyToComment",
        "Mutation.resolveComment",
        "Mutation.acceptSuggestion",
        "Mutation.deleteComment",
        "JobResult.Outline",
        "JobResult.Export",
        "JobResult.Project",
    ]
)


@pytest.fixture(scope="module")
def served() -> GraphQLSchema:
    return build_served_schema()._schema


def named_types(schema: GraphQLSchema) -> dict[str, GraphQLNamedType]:
    return {name: type_ for name, type_ in schema.type_map.items() if not name.startswith("__")}


def elements(schema: GraphQLSchema) -> dict[str, str]:
    """Every promise of a schema: what it is called, and what must stay the same about it."""
    return dict(promise for type_ in named_types(schema).values() for promise in promises(type_))


def promises(type_: GraphQLNamedType) -> Iterator[tuple[str, str]]:
    yield type_.name, type(type_).__name__.removeprefix("Custom")
    match type_:
        case GraphQLObjectType() | GraphQLInterfaceType():
            yield from ((f"{type_.name} implements {interface.name}", "") for interface in type_.interfaces)
            yield from ((f"{type_.name}.{name}", str(field.type)) for name, field in type_.fields.items())
            yield from argument_promises(type_)
        case GraphQLInputObjectType():
            yield from ((f"{type_.name}.{name}", with_default(field)) for name, field in type_.fields.items())
        case GraphQLEnumType():
            yield from ((f"{type_.name}.{name}", "") for name in type_.values)
        case GraphQLUnionType():
            yield from ((f"{type_.name}.{member.name}", "") for member in type_.types)


def argument_promises(type_: GraphQLObjectType | GraphQLInterfaceType) -> Iterator[tuple[str, str]]:
    for name, field in type_.fields.items():
        yield from ((f"{type_.name}.{name}({argument})", with_default(value)) for argument, value in field.args.items())


def with_default(value: GraphQLArgument | GraphQLInputField) -> str:
    """The type and the default, whether it was declared as a literal or as a value."""
    if value.default is None:
        default = value.default_value
    else:
        default = value.default.value if value.default.literal is None else value_from_ast_untyped(value.default.literal)
    return str(value.type) if default is Undefined else f"{value.type} = {getattr(default, 'value', default)!r}"


def belongs_to_unserved(element: str) -> bool:
    owner = element.split("(", maxsplit=1)[0]
    return owner in NOT_SERVED_YET or owner.split(".")[0].split(" ")[0] in NOT_SERVED_YET


def test_everything_the_contract_names_is_served_as_it_says(served):
    promised, kept = elements(CONTRACT), elements(served)
    broken = {
        element: f"contract: {promise}, served: {kept.get(element, 'not at all')}"
        for element, promise in promised.items()
        if not belongs_to_unserved(element) and kept.get(element) != promise
    }
    assert broken == {}


def test_what_is_listed_as_not_served_is_in_the_contract_and_not_served(served):
    assert sorted(NOT_SERVED_YET - elements(CONTRACT).keys()) == []
    assert sorted(NOT_SERVED_YET & elements(served).keys()) == []


def test_arguments_and_input_fields_beyond_the_contract_can_be_left_out(served):
    promised, kept = elements(CONTRACT), elements(served)
    inputs = {name for name, type_ in named_types(served).items() if isinstance(type_, GraphQLInputObjectType)}
    added = {element for element in kept.keys() - promised.keys() if owner_of(element) in promised}
    demanding = [element for element in added if ("(" in element or element.split(".")[0] in inputs) and kept[element].endswith("!")]
    assert demanding == []


def owner_of(element: str) -> str:
    """What a promise adds to: an argument to its field, a field to its type."""
    return element.split("(", maxsplit=1)[0] if "(" in element else element.split(".", maxsplit=1)[0]


def test_a_changed_default_a_changed_type_and_a_missing_field_would_be_noticed():
    changed = build_schema("type Query { projects(first: Int = 3): Int } enum Genre { OTHER }")
    kept = elements(changed)
    assert kept["Query.projects(first)"] != elements(CONTRACT)["Query.projects(first)"]
    assert kept["Query.projects"] != elements(CONTRACT)["Query.projects"]
    assert "Genre.FANTASY" not in kept
