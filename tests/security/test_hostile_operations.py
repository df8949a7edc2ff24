"""Whatever valid operation a user sends, however badly it is meant, the answer is an answer and not an accident."""

import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest
from graphql import parse, validate

from tests.conftest import APPLICATION_LOGIN
from tests.factories import Cluster
from tests.security.hostile_operations import HostileOperations
from tests.server.caller import Caller
from tests.server.running import Running, running
from tests.server.served_schema import ENTITIES, SCHEMA
from tests.server.shelf import Shelf, fill_shelf

SEEDS = range(6)
OPERATIONS = 50
SECONDS_TO_ANSWER = 5
EXPECTED_CODES = {"BAD_USER_INPUT", "FORBIDDEN", "QUERY_TOO_COMPLEX"}


@pytest.fixture(scope="module")
async def app(cluster: Cluster, template: str, database_names: Iterator[str]) -> AsyncIterator[Running]:
    name = next(database_names)
    cluster.create_database(name, template=template)
    address = cluster.url(name, login=APPLICATION_LOGIN)
    async with running(address, rehearsal=True, openai_api_key=None) as served:
        yield served
    cluster.drop_database(name)


@pytest.fixture
async def shelves(app: Running) -> list[Shelf]:
    """For every test anew, since operations delete what they can. One is somebody else's."""
    return [await fill_shelf(app, user) for user in ("ada", "ada", "ben")]


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_operation_is_answered_in_time_and_none_by_an_internal_error(
    app: Running, shelves: list[Shelf], seed: int, caplog: pytest.LogCaptureFixture
):
    operations = HostileOperations(seed, shelves)
    outcomes: Counter[str] = Counter()
    async with app.client("ada") as client:
        caller = Caller(client)
        for _ in range(OPERATIONS):
            document, variables = operations.draw()
            began = time.perf_counter()
            answer = await caller.send(document, **variables)
            assert time.perf_counter() - began < SECONDS_TO_ANSWER, (document, variables)
            codes = {error["extensions"]["code"] for error in answer.body.get("errors", ())}
            assert codes <= EXPECTED_CODES, (document, variables, answer.body)
            outcomes.update(codes or {"data"})
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info] == []
    assert outcomes["data"] > OPERATIONS / 4, "operations that are all refused at the door try nothing"


def test_the_operations_are_valid_and_reach_every_field_of_the_roots():
    ids = {name: f"{name.lower()}_" for name in ENTITIES}
    drawn = [HostileOperations(seed, [Shelf(ids)]).draw()[0] for seed in range(300)]
    assert [problem for document in drawn for problem in validate(SCHEMA, parse(document))] == []
    assert SCHEMA.query_type is not None
    assert SCHEMA.mutation_type is not None
    tried = " ".join(drawn)
    assert [name for root in (SCHEMA.query_type, SCHEMA.mutation_type) for name in root.fields if name not in tried] == []
