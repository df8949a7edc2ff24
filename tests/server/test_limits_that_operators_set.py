"""What the settings say of operations holds on the served application."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.schema.edge.http_client import answered
from tests.server.running import Running, running, token_for

POINTS = 300
KNOWN = "query Me { viewer { user { name } } }"
# Checking a document that the server does not know yet costs a point for each of its characters.
DEAR = "{ viewer { user { name } } } # " + "x" * 200


@pytest.fixture
async def strict(database_url: str) -> AsyncIterator[Running]:
    changes: dict[str, Any] = {"trusted_documents": {"me": KNOWN}, "trusted_documents_only": True, "workers_in_process": 0}
    async with running(database_url, rehearsal=True, openai_api_key=None, **changes) as served:
        yield served


@pytest.fixture
async def thrifty(database_url: str) -> AsyncIterator[Running]:
    async with running(database_url, rehearsal=True, openai_api_key=None, cost_per_minute=POINTS, workers_in_process=0) as served:
        yield served


async def ask(served: Running, body: dict[str, Any], user: str = "ada") -> tuple[int, Any]:
    host = served.address.removeprefix("http://")
    response = await answered(host, body, accept="application/graphql-response+json", presented=token_for(user))
    return response.status_code, json.loads(response.text)


async def test_with_trusted_documents_only_nothing_else_is_executed(strict: Running):
    assert (await ask(strict, {"documentId": "me"}))[1]["data"] == {"viewer": {"user": {"name": "Ada"}}}
    status, refused = await ask(strict, {"query": "{ viewer { user { id } } }"})
    assert (status, refused["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")


async def test_each_user_has_the_allowance_that_is_set(thrifty: Running):
    first = await ask(thrifty, {"query": DEAR})
    assert (first[0], first[1]["extensions"]["cost"]["allowance"]) == (200, POINTS)
    status, refused = await ask(thrifty, {"query": f"{DEAR}y"})
    assert (status, refused["errors"][0]["extensions"]["code"]) == (429, "RATE_LIMITED")
    assert (await ask(thrifty, {"query": f"{DEAR}z"}, "ben"))[0] == 200
