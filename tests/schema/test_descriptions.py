"""The published schema explains itself to a reader who has nothing else."""

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, is_specified_scalar_type

from schema.build import build_schema


def undescribed(schema):
    for type_ in schema.type_map.values():
        if type_.name.startswith("__") or is_specified_scalar_type(type_):
            continue
        yield type_.name, type_.description
        match type_:
            case GraphQLEnumType():
                yield from ((f"{type_.name}.{name}", value.description) for name, value in type_.values.items())
            case GraphQLInputObjectType():
                yield from ((f"{type_.name}.{name}", field.description) for name, field in type_.fields.items())
            case GraphQLObjectType() | GraphQLInterfaceType():
                for name, field in type_.fields.items():
                    yield f"{type_.name}.{name}", field.description
                    yield from ((f"{type_.name}.{name}({each})", value.description) for each, value in field.args.items())


def test_every_type_field_argument_value_and_input_is_described():
    described = list(undescribed(build_schema()._schema))
    assert len(described) > 400
    assert [name for name, description in described if not description or not description.strip().endswith((".", "…"))] == []


def test_a_schema_can_be_built_more_than_once_and_is_the_same_each_time():
    assert build_schema().as_str() == build_schema().as_str()


def test_date_time_says_where_it_is_specified():
    assert build_schema()._schema.type_map["DateTime"].specified_by_url == "https://datatracker.ietf.org/doc/html/rfc3339"
