"""Documents that ask for everything there is at a place of the schema."""

from dataclasses import dataclass

from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLOutputType, GraphQLUnionType, ast_from_value, get_named_type, print_ast

from tests.security.tenancy.arguments import example, fields_of, is_needed, needs_id
from tests.server.served_schema import SCHEMA

OPERATIONS = {"Query": "query", "Mutation": "mutation", "Subscription": "subscription"}


@dataclass(frozen=True, slots=True)
class Step:
    """From an object of type `owner` to what is in one of its fields."""

    owner: str
    field: str

    def __str__(self) -> str:
        return f"{self.owner}.{self.field}"

    @property
    def gives(self) -> GraphQLOutputType:
        return fields_of(self.owner)[self.field].type


def possible_types(kind: GraphQLOutputType) -> list[GraphQLObjectType]:
    """The types of the objects that can be there; none for what has no fields."""
    match named := get_named_type(kind):
        case GraphQLObjectType():
            return [named]
        case GraphQLInterfaceType() | GraphQLUnionType():
            return list(SCHEMA.get_possible_types(named))
        case _:
            return []


def selection(kind: GraphQLOutputType, depth: int) -> str:
    """All fields, so many levels deep. Left out are only fields that need an id, which have places of their own."""
    types = possible_types(kind)
    if not types:
        return ""
    return f"{{ __typename {' '.join(f'... on {each.name} {{ {_fields(each, depth)} }}' for each in types)} }}"


def document(steps: tuple[Step, ...], arguments: tuple[tuple[str, ...], ...], selected: str) -> str:
    """A way through these fields, each with so many of its arguments as variables `$field_argument`."""
    declared = []
    for step, names in zip(reversed(steps), reversed(arguments), strict=True):
        types = {name: fields_of(step.owner)[step.field].args[name].type for name in names}
        declared += [f"${step.field}_{name}: {kind}" for name, kind in types.items()]
        passed = ", ".join(f"{name}: ${step.field}_{name}" for name in names)
        selected = f"{{ __typename ... on {step.owner} {{ {step.field}{f'({passed})' if passed else ''} {selected} }} }}"
    root = steps[0]
    # The root of a subscription has one field and nothing else.
    body = selected.removeprefix(f"{{ __typename ... on {root.owner} ").removesuffix(" }")
    variables = f"({', '.join(declared)})" if declared else ""
    return f"{OPERATIONS[root.owner]}{variables} {body}"


def _fields(kind: GraphQLObjectType, depth: int) -> str:
    # Renamed by type: fragments of one interface may have fields of one name and different types.
    return " ".join(
        f"{kind.name}_{name}: {name}{_literals(kind, name)} {selection(field.type, depth - 1)}"
        for name, field in kind.fields.items()
        if not needs_id(field) and (depth or not possible_types(field.type))
    )


def _literals(kind: GraphQLObjectType, name: str) -> str:
    given = {argument: wanted.type for argument, wanted in kind.fields[name].args.items() if is_needed(wanted)}
    passed = ", ".join(f"{argument}: {print_ast(ast_from_value(example(wanted), wanted))}" for argument, wanted in given.items())
    return f"({passed})" if passed else ""
