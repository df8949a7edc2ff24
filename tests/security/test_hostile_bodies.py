"""Whatever comes over HTTP, the answer is a GraphQL response that says what is wrong with it, and nothing was run."""

import asyncio
import json
import logging
from collections import Counter

import pytest

from schema.edge.limits import Limits
from tests.schema.edge.toy import Observed, token, toy_edge
from tests.security.asgi import call
from tests.security.hostile_bodies import BODY_BYTES, GOOD, JSON, Request, described, requests
from tests.security.leaks import leaks

SEEDS = range(4)
LIMITS = Limits(body_bytes=BODY_BYTES)
GRAPHQL_RESPONSE = b"application/graphql-response+json"


class Door:
    def __init__(self) -> None:
        self.observed = Observed()
        self._edge = toy_edge(self.observed, limits=LIMITS)

    async def answers(self, request: Request, *, accept: bytes = GRAPHQL_RESPONSE):
        headers = [(b"accept", accept), (b"authorization", f"Bearer {token()}".encode()), *request.headers]
        if request.content_type:
            headers.append((b"content-type", request.content_type.encode("latin-1")))
        return await call(self._edge, request.parts, method=request.method, query=request.query, headers=headers)


@pytest.fixture(autouse=True)
def no_log_of_an_error(caplog: pytest.LogCaptureFixture):
    yield
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info] == []


async def test_the_request_that_was_damaged_is_good():
    answer = await Door().answers(Request("good"))
    assert (answer.status, answer.json["data"]) == (200, {"double": 4, "viewer": "ada"})


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_request_is_refused_for_what_it_is(seed: int):
    door, statuses = Door(), Counter()
    every = list(requests(seed))
    assert len(every) >= 500
    for request in every:
        answer = await door.answers(request)
        statuses[answer.status] += 1
        assert answer.headers["content-type"].partition(";")[0] in {JSON, GRAPHQL_RESPONSE.decode()}, described(request)
        if answer.status == 200 and request.good:
            assert answer.json["data"].keys() <= {"double", "viewer"} or answer.json.get("errors"), described(request)
            continue
        assert 400 <= answer.status < 500, (answer.status, described(request))
        assert answer.json["errors"][0]["message"], described(request)
        assert answer.json["errors"][0]["extensions"]["code"] != "INTERNAL_SERVER_ERROR"
        assert leaks(answer.json) == [], described(request)
    assert set(statuses) == {200, 400, 405, 406, 413, 415}


@pytest.mark.parametrize(
    "accept", [b"text/html", b"image/*", b"application/xml", b"application/json;q=0", b"x", b";", b"*", b"application/json2"]
)
async def test_who_takes_none_of_our_types_is_told_so(accept: bytes):
    door = Door()
    answer = await door.answers(Request("good"), accept=accept)
    assert answer.status == 406
    assert door.observed.contexts == 0


@pytest.mark.parametrize(
    "accept", [b"", b"*/*", b"application/*", b",,,", b"application/json;q=x, */*", b"\xff\xfe, */*", b"a/b;q=1;q=2, */*" * 200]
)
async def test_whatever_else_is_accepted_there_is_an_answer(accept: bytes):
    answer = await Door().answers(Request("good"), accept=accept)
    assert answer.status in {200, 406}
    assert answer.json


@pytest.mark.parametrize("sent", [b"", GOOD[:10], GOOD])
async def test_a_client_that_goes_away_in_the_middle_leaves_nothing_behind(sent: bytes):
    door = Door()
    before = asyncio.all_tasks()
    said = []

    async def receive():
        return coming.pop(0)

    async def send(message):
        said.append(message)

    coming = [{"type": "http.request", "body": sent, "more_body": True}, {"type": "http.disconnect"}]
    headers = [(b"content-type", b"application/json"), (b"authorization", f"Bearer {token()}".encode())]
    scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers, "asgi": {"version": "3.0"}}
    await door._edge({**scope, "scheme": "http", "server": ("x", 80), "client": None, "root_path": ""}, receive, send)
    assert said == []
    assert asyncio.all_tasks() == before
    assert door.observed.contexts == 0


def test_chance_damages_the_same_way_with_the_same_seed():
    assert list(requests(1)) == list(requests(1)) != list(requests(2))
    assert json.loads(GOOD)["operationName"] == "A"
