"""The matrix leaves nothing out: no field, no place for an id, no type, and no column that could hold a secret."""

import json
from collections.abc import Iterator
from typing import Any, Final

from graphql import GraphQLInputObjectType, GraphQLInputType, GraphQLObjectType, get_named_type

from tests.security.tenancy.arguments import Path, fields_of, needs_id
from tests.security.tenancy.asking import belonging_to, told
from tests.security.tenancy.cases import EVERY_CASE, ROOT_CASES, TYPE_CASES
from tests.security.tenancy.documents import OPERATIONS
from tests.security.tenancy.rights import RIGHTS, ROLES, place_of
from tests.security.tenancy.world import SECRET
from tests.server.served_schema import ENTITIES, SCHEMA

OBJECTS: Final = {name for name, kind in SCHEMA.type_map.items() if isinstance(kind, GraphQLObjectType) and not name.startswith("__")}

WITHOUT_SECRETS: Final = {
    "app_user": {"issuer"},
    "assessment": {"usage"},
    "chapter": {"status"},
    "chapter_version": {"origin"},
    "idempotency_key": {"request_hash"},
    "job": {"kind", "status", "stage", "estimate"},
    "job_event": {"kind"},
    "job_step": {"status", "expected"},
    "project": {"genre", "point_of_view", "tense"},
    "project_member": {"role"},
    "prompt_receipt": {"message_tokens"},
    "reference_file": {"kind", "inclusion", "sha256"},
}
"""Columns that take no words: names that the schema has for a state, numbers, and digests."""

# Of tables that row security guards.
TEXT_COLUMNS = """
    SELECT c.relname::text, a.attname::text FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relrowsecurity AND a.attnum > 0 AND NOT a.attisdropped
      AND a.atttypid IN ('text'::regtype, 'varchar'::regtype, 'jsonb'::regtype, 'text[]'::regtype)
    ORDER BY 1, 2
"""


def id_places() -> Iterator[Path]:
    for owner in OBJECTS:
        for name, field in fields_of(owner).items():
            for argument, wanted in field.args.items():
                yield from _ids_below(wanted.type, (name, argument))


def _ids_below(kind: GraphQLInputType, path: Path) -> Iterator[Path]:
    named = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType):
        for name, field in named.fields.items():
            yield from _ids_below(field.type, (*path, name))
    elif named.name == "ID":
        yield path


def seen(answer: Any) -> Iterator[str]:
    """The fields, `Type_field`, that have a value in an answer."""
    if isinstance(answer, list):
        for item in answer:
            yield from seen(item)
    elif isinstance(answer, dict):
        for name, value in answer.items():
            if value is not None:
                yield name
                yield from seen(value)


def test_every_root_field_has_a_right_and_no_other():
    assert {place_of(label) for label in RIGHTS} == {(owner, name) for owner in OPERATIONS for name in fields_of(owner)}
    assert {right.role for right in RIGHTS.values()} <= {None, *ROLES}
    assert {case.label for case in ROOT_CASES} >= {f"Query.node {kind}" for kind in ENTITIES}


def test_an_id_goes_to_every_place_that_takes_one():
    filled = {path for case in EVERY_CASE for path in case.id_paths}
    assert filled == set(id_places())


def test_every_type_of_object_is_asked_for():
    asked = {case.kind for case in TYPE_CASES}
    elsewhere = " ".join(case.document for case in EVERY_CASE if case.kind is None)
    assert [name for name in OBJECTS - asked - set(OPERATIONS) if f"... on {name} " not in elsewhere] == []


async def test_every_field_of_every_type_is_answered_to_a_member(world):
    reading = [case for case in EVERY_CASE if case.operation == "query"]
    answers = [await told(world.members["VIEWER"], case, case.variables(belonging_to(world.victim))) for case in reading]
    answered = {name for answer in answers for name in seen(json.loads(answer))}
    fields = {f"{case.kind}_{name}" for case in TYPE_CASES for name, field in fields_of(case.kind).items() if not needs_id(field)}
    assert fields - answered == set()


def test_every_column_that_can_hold_a_secret_holds_one(world):
    connection, without = world.contents.connection, {}
    for table, column in connection.execute(TEXT_COLUMNS).fetchall():
        held = connection.execute(f'SELECT FROM "{table}" WHERE "{column}"::text ILIKE %s', [f"%{SECRET}%"]).fetchone()
        if held is None:
            without.setdefault(table, set()).add(column)
    assert without == WITHOUT_SECRETS
