"""Whatever operation a user sends, however badly it is meant, the answer is an answer and not an accident."""

import logging
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest
from graphql import GraphQLError, OperationType, parse, validate

from tests.conftest import APPLICATION_LOGIN
from tests.factories import Cluster
from tests.security.barrage import barrage
from tests.security.damage import DAMAGES
from tests.security.hostile_operations import HostileOperations
from tests.security.leaks import leaks
from tests.server.running import Running, running
from tests.server.served_schema import ENTITIES, SCHEMA
from tests.server.shelf import Shelf

SEEDS = range(10)
OPERATIONS = 100


@pytest.fixture(scope="module")
async def app(cluster: Cluster, template: str, database_names: Iterator[str]) -> AsyncIterator[Running]:
    name = next(database_names)
    cluster.create_database(name, template=template)
    address = cluster.url(name, login=APPLICATION_LOGIN)
    async with running(address, rehearsal=True, openai_api_key=None) as served:
        yield served
    cluster.drop_database(name)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("seed", SEEDS)
async def test_every_operation_is_answered_and_none_by_an_internal_error(app: Running, seed: int, caplog: pytest.LogCaptureFixture):
    outcome = await barrage(app, seed=seed, operations=OPERATIONS)
    assert outcome.faults == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info] == []
    assert outcome.answers["data"] > OPERATIONS / 5, "operations that are all refused at the door try nothing"


def drawn_operations(count: int):
    ids = {name: f"{name.lower()}_" for name in ENTITIES}
    return [HostileOperations(seed, [Shelf(ids)]).draw() for seed in range(count)]


def test_the_operations_are_valid_and_reach_every_field_of_the_roots():
    drawn = drawn_operations(300)
    assert [(problem, each.document) for each in drawn for problem in validate(SCHEMA, parse(each.document))] == []
    for kind in OperationType:
        tried = " ".join(each.document for each in drawn if each.kind is kind)
        assert [name for name in SCHEMA.get_root_type(kind).fields if name not in tried] == []
    everything = " ".join(each.document for each in drawn)
    for syntax in ("fragment F", "...F", "... on ", "... @include", "@skip(if: $", "@include(if: $", "a1: ", "__schema", "__type("):
        assert syntax in everything, syntax


def test_most_kinds_of_damage_make_most_operations_invalid():
    chance, refused = random.Random(1), Counter()
    drawn = drawn_operations(40)
    for damage in DAMAGES:
        for each in drawn:
            document = damage(each, chance).document
            try:
                refused[damage.__name__] += bool(validate(SCHEMA, parse(document)))
            except GraphQLError:
                refused[damage.__name__] += 1
    assert len([name for name, count in refused.items() if count > len(drawn) / 2]) >= 8


@pytest.mark.parametrize(
    "message",
    [
        "'NoneType' object has no attribute 'id'",
        "Expected value of type 'ID!', found None.",
        'Traceback (most recent call last):\n  File "/srv/app.py", line 1, in f',
        "ValueError: invalid literal for int() with base 10: 'x'",
        '(sqlalchemy.exc.ProgrammingError) relation "chapters" does not exist',
        "SELECT id FROM projects WHERE id = $1",
        "<Project object at 0x7f12a1cd5690>",
    ],
)
def test_a_leak_would_be_noticed(message: str):
    assert leaks({"errors": [{"message": message, "extensions": {"code": "BAD_USER_INPUT"}}]}) == [message]
    assert leaks({"data": {"update": {"errors": [{"message": message}]}}}) == [message]
    assert leaks({"data": {"chapter": {"text": message}}}) == []
