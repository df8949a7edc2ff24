"""What an operation costs is told with its answer, taken from its client's allowance, and refused when that is spent."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from schema.edge.allowance import Allowances
from schema.edge.limits import Limits
from tests.schema.edge.test_websocket import connected
from tests.schema.edge.toy import Observed, serving, token, toy_edge

POINTS = 20
COUNT = "subscription { count(to: 1) }"
ENDLESS = "{ chapter { next { title } } never }"
CHEAP = "{ chapter { title } }"
DEAR = "{ chapter { next { next { next { next { title } } } } } }"
TOO_DEAR = "{ " + " ".join(f"c{index}: chapter {{ next {{ title }} }}" for index in range(6)) + " }"


@pytest.fixture
async def address(observed: Observed) -> AsyncIterator[str]:
    bucket = Allowances(points=POINTS, refill_per_second=0.5, now=lambda: asyncio.get_running_loop().time(), most_viewers=10)
    async with serving(toy_edge(observed, development=True, limits=Limits(cost=10, query_seconds=0.2), allowances=bucket)) as served:
        # Once a document has been checked it costs what it does.
        for number, document in enumerate((CHEAP, DEAR, TOO_DEAR, ENDLESS)):
            await ask(served, document, subject=f"first {number}")
        async with connected(served, token=token("first")) as client:
            await client.reply(COUNT)
        yield served


async def ask(address: str, document: str, *, subject: str | None = "ada") -> httpx2.Response:
    headers = {"Accept": "application/graphql-response+json"}
    if subject:
        headers["Authorization"] = f"Bearer {token(subject)}"
    async with httpx2.AsyncClient(base_url=f"http://{address}", headers=headers) as client:
        return await client.post("/graphql", json={"query": document})


async def spend_all(address: str, subject: str | None = "ada", document: str = DEAR) -> httpx2.Response:
    for _ in range(POINTS):
        answer = await ask(address, document, subject=subject)
        if answer.status_code != 200:
            return answer
    raise AssertionError("the allowance is never spent")


def cost(answer: httpx2.Response) -> dict[str, Any]:
    return answer.json()["extensions"]["cost"]


async def test_an_answer_says_what_was_requested_and_used_and_what_is_left(address: str):
    first, second = await ask(address, CHEAP), await ask(address, DEAR)
    assert (cost(first)["requested"], cost(first)["used"]) == (1, 1)
    assert (cost(second)["requested"], cost(second)["used"]) == (5, 5)
    assert (cost(second)["limit"], cost(second)["allowance"]) == (10, POINTS)
    assert cost(first)["remaining"] > cost(second)["remaining"] == int(second.headers["RateLimit-Remaining"])
    assert second.headers["RateLimit-Limit"] == str(POINTS)
    assert second.headers["RateLimit"].startswith('"cost";r=')
    assert second.headers["RateLimit-Policy"].startswith(f'"cost";q={POINTS};')


async def test_what_could_cost_more_than_one_operation_may_is_refused_and_costs_nothing(address: str):
    refused = await ask(address, TOO_DEAR)
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (400, "QUERY_TOO_COMPLEX")
    assert "12 points" in refused.json()["errors"][0]["message"]
    assert cost(await ask(address, CHEAP))["remaining"] == POINTS - 1


async def test_whoever_has_spent_their_allowance_is_told_when_to_come_back_and_nobody_else_is(address: str):
    refused = await spend_all(address)
    assert refused.status_code == 429
    assert refused.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert "data" not in refused.json()
    assert 0 < int(refused.headers["Retry-After"]) <= 10
    assert int(refused.headers["RateLimit-Remaining"]) < 5
    assert (await ask(address, DEAR, subject="grace")).status_code == 200


async def test_a_document_that_is_not_known_yet_costs_as_many_points_as_characters_also_one_that_is_refused(address: str):
    invalid = f"{{ {'a' * (POINTS - 5)} }}"
    assert (await ask(address, invalid)).status_code == 400
    assert cost(await ask(address, CHEAP))["remaining"] <= 1
    assert (await ask(address, invalid)).status_code == 429


async def test_what_takes_too_long_costs_what_it_could_have(address: str):
    assert (await ask(address, ENDLESS)).status_code == 504
    assert cost(await ask(address, CHEAP))["remaining"] <= POINTS - 2


async def test_each_event_of_a_subscription_is_charged(observed: Observed):
    bucket = Allowances(points=1_000, refill_per_second=0.01, now=lambda: asyncio.get_running_loop().time(), most_viewers=10)
    document = "subscription { chapters(to: 30) { title next { title } } }"
    async with serving(toy_edge(observed, allowances=bucket)) as address:
        async with connected(address, token=token("ada")) as client:
            await client.reply(document)
        remaining = bucket.standing("ada").remaining
    assert remaining == 1_000 - len(document) - 30 * 2


async def test_an_allowance_is_the_viewers_whatever_they_ask_by(address: str):
    await spend_all(address)
    async with connected(address, token=token("ada")) as client:
        (said,) = await client.reply(DEAR)
        assert (said[0], said[1][0]["extensions"]["code"]) == ("error", "RATE_LIMITED")


async def test_over_a_socket_the_answer_says_it_too_and_events_do_not(address: str):
    async with connected(address, token=token("ada")) as client:
        await client.send(id="1", type="subscribe", payload={"query": CHEAP})
        assert (await client.receive())["payload"]["extensions"]["cost"]["used"] == 1
        await client.receive()
        await client.send(id="1", type="subscribe", payload={"query": COUNT})
        assert (await client.receive())["payload"] == {"data": {"count": 0}}


async def test_clients_without_a_token_share_the_allowance_of_their_address(observed: Observed):
    about_a_type = '{ __type(name: "Chapter") { name } }'
    bucket = Allowances(points=150, refill_per_second=0.01, now=lambda: asyncio.get_running_loop().time(), most_viewers=10)
    async with serving(toy_edge(observed, development=True, allowances=bucket)) as address:
        statuses = [(await ask(address, about_a_type, subject=subject)).status_code for subject in (None, None, "ada", "ada", "grace")]
    assert statuses == [200, 429, 200, 429, 200]
