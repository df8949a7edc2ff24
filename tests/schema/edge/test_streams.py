"""Subscriptions over HTTP: event streams and multipart."""

from datetime import timedelta

import httpx2
import pytest

from schema.edge.limits import Limits
from tests.schema.edge.http_client import EVENT_STREAM, MULTIPART, answered, asking, events, parts, streamed
from tests.schema.edge.toy import HARMLESS_ORIGIN, serving, token, toy_edge

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
BOTH = pytest.mark.parametrize("accept", [EVENT_STREAM, MULTIPART])


def replies(response, accept):
    """What was said about the operation, in either framing; a stream has to end properly."""
    assert response.status_code == 200
    if accept == MULTIPART:
        return [without_cost(part["payload"]) for part in parts(response.text) if part]
    said = events(response.text)
    assert said.pop() == ("complete", None)
    assert {event for event, _ in said} <= {"next"}
    return [without_cost(data) for _, data in said]


def without_cost(reply):
    return {name: value for name, value in reply.items() if name != "extensions"}


def code(reply):
    assert "data" not in reply
    return reply["errors"][0]["extensions"]["code"]


@BOTH
async def test_a_subscription_sends_its_events_in_order_and_completes(address, accept):
    response = await answered(address, "subscription { count(to: 100) }", accept=accept)
    assert replies(response, accept) == [{"data": {"count": number}} for number in range(100)]


async def test_nobody_between_us_and_the_client_keeps_a_stream_back(address):
    headers = (await answered(address, "subscription { count(to: 1) }")).headers
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"] == "no-cache"
    assert headers["x-accel-buffering"] == "no"


async def test_a_multipart_stream_says_which_protocol_it_speaks(address):
    headers = (await answered(address, "subscription { count(to: 1) }", accept=MULTIPART)).headers
    assert headers["content-type"] == 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'


@BOTH
async def test_queries_and_mutations_are_streams_of_one(address, accept):
    assert replies(await answered(address, "{ viewer }", accept=accept), accept) == [{"data": {"viewer": "ada"}}]
    assert replies(await answered(address, 'mutation { rename(title: "x") }', accept=accept), accept) == [{"data": {"rename": "x"}}]


@BOTH
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query A { viewer }", "operationName": "B"}, "BAD_USER_INPUT"),
        ("subscription { refused }", "FORBIDDEN"),
    ],
)
async def test_a_refused_operation_is_told_in_the_stream(address, accept, query, expected):
    [reply] = replies(await answered(address, query, accept=accept), accept)
    assert code(reply) == expected


@BOTH
async def test_a_subscription_that_breaks_is_ended_with_a_masked_error(address, accept, caplog):
    response = await answered(address, "subscription { breaks }", accept=accept)
    first, last = replies(response, accept)
    assert first == {"data": {"breaks": 0}}
    assert last["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "swordfish" not in response.text
    assert "swordfish" in caplog.text


@pytest.mark.parametrize("accept", [f"{GRAPHQL_RESPONSE}, {JSON}, {EVENT_STREAM}, multipart/mixed", f"{JSON}, {EVENT_STREAM};q=0.5"])
async def test_who_prefers_json_gets_a_stream_for_subscriptions_only(address, accept):
    assert "json" in (await answered(address, "{ viewer }", accept=accept)).headers["content-type"]
    assert (await answered(address, "subscription { count(to: 1) }", accept=accept)).headers["content-type"].startswith(EVENT_STREAM)


@pytest.mark.parametrize("accept", [JSON, GRAPHQL_RESPONSE, "*/*", f"{EVENT_STREAM};q=0, {JSON}", f"multipart/mixed, {JSON}"])
async def test_a_subscription_that_cannot_be_streamed_is_told_what_to_accept(address, accept):
    response = await answered(address, "subscription { count(to: 1) }", accept=accept)
    assert (response.status_code, code(response.json())) == (406, "BAD_USER_INPUT")
    assert "text/event-stream" in response.json()["errors"][0]["message"]
    assert "subscriptionSpec=1.0" in response.json()["errors"][0]["message"]


@BOTH
@pytest.mark.parametrize(("presented", "query"), [("forged", "subscription { count(to: 1) }"), ("forged", "{ viewer }")])
async def test_without_a_usable_token_no_stream_begins(address, accept, presented, query):
    response = await answered(address, query, accept=accept, presented=presented)
    assert (response.status_code, code(response.json())) == (401, "UNAUTHENTICATED")
    assert response.headers["www-authenticate"] == "Bearer"


@BOTH
@pytest.mark.parametrize("query", ["subscription { count(to: 1) }", "{ viewer }"])
async def test_without_any_token_no_stream_begins(address, accept, query):
    async with httpx2.AsyncClient() as client:
        response = await client.request(**asking(address, query, accept=accept, presented=None))
    assert (response.status_code, code(response.json())) == (401, "UNAUTHENTICATED")


@BOTH
@pytest.mark.parametrize("body", [b"nope", b"[]", b'{"query": 5}'])
async def test_a_malformed_body_is_refused_before_a_stream_begins(address, accept, body):
    response = await answered(address, body, accept=accept)
    assert (response.status_code, code(response.json())) == (400, "BAD_USER_INPUT")
    assert "json" in response.headers["content-type"]


async def test_get_streams_queries_and_subscriptions_and_never_runs_a_mutation(address):
    headers = {"Authorization": f"Bearer {token()}", "Accept": EVENT_STREAM, "GraphQL-Require-Preflight": "1"}
    async with httpx2.AsyncClient(base_url=f"http://{address}", headers=headers) as client:
        query = await client.get("/graphql", params={"query": "{ viewer }"})
        subscription = await client.get("/graphql", params={"query": "subscription { count(to: 2) }"})
        mutation = await client.get("/graphql", params={"query": 'mutation { rename(title: "x") }'})
        link = await client.get("/graphql", params={"query": "subscription { count(to: 2) }"}, headers={"GraphQL-Require-Preflight": ""})
        del client.headers["GraphQL-Require-Preflight"]
        bare = await client.get("/graphql", params={"query": "subscription { count(to: 2) }"})
    assert replies(query, EVENT_STREAM) == [{"data": {"viewer": "ada"}}]
    assert replies(subscription, EVENT_STREAM) == [{"data": {"count": 0}}, {"data": {"count": 1}}]
    assert (mutation.status_code, mutation.headers["allow"]) == (405, "POST")
    assert (link.status_code, bare.status_code) == (200, 400)


@BOTH
async def test_a_silent_stream_shows_that_it_is_alive(observed, accept):
    heartbeat = "\r\n\r\n{}\r\n" if accept == MULTIPART else "\n\n:\n\n"
    async with (
        serving(toy_edge(observed, limits=Limits(heartbeat_seconds=0.05))) as address,
        streamed(address, "subscription { silent }", accept=accept) as response,
    ):
        text = ""
        async for piece in response.aiter_text():
            text += piece
            if text.count(heartbeat) >= 2:
                break
    await observed.until_running("silent", 0)


@BOTH
async def test_a_client_that_hangs_up_ends_its_operation(address, observed, accept):
    async with streamed(address, "subscription { silent }", accept=accept):
        await observed.until_running("silent", 1)
    await observed.until_running("silent", 0)


@BOTH
async def test_a_client_that_hangs_up_ends_an_operation_that_never_waits(address, observed, accept):
    async with streamed(address, "subscription { rush }", accept=accept) as response:
        await anext(response.aiter_bytes())
    await observed.until_running("rush", 0)
    assert not observed.rushed_through


async def test_a_stream_ends_with_the_token(address, observed):
    response = await answered(address, "subscription { silent }", presented=token(ttl=timedelta(seconds=1.5)))
    first, last = replies(response, EVENT_STREAM)
    assert first == {"data": {"silent": 0}}
    assert code(last) == "UNAUTHENTICATED"
    assert observed.running["silent"] == 0


async def test_a_multipart_stream_ends_with_the_token_by_an_error_of_the_transport(address):
    response = await answered(address, "subscription { silent }", accept=MULTIPART, presented=token(ttl=timedelta(seconds=1.5)))
    last = parts(response.text)[-1]
    assert last["payload"] is None
    assert code({"errors": last["errors"]}) == "UNAUTHENTICATED"


async def test_a_stream_ends_when_its_token_is_revoked(observed):
    async with (
        serving(toy_edge(observed, limits=Limits(recheck_seconds=0.05))) as address,
        streamed(address, "subscription { silent }", presented=token("mallet")) as response,
    ):
        await observed.until_running("silent", 1)
        observed.banned.add("mallet")
        said = events("".join([piece async for piece in response.aiter_text()]))
    assert code(said[-2][1]) == "UNAUTHENTICATED"
    assert said[-1] == ("complete", None)


@pytest.mark.parametrize("cause", ["age", "shutdown"])
async def test_a_stream_that_the_server_ends_is_not_complete_so_that_clients_ask_again(observed, cause):
    edge = toy_edge(observed, limits=Limits(connection_seconds=0.2 if cause == "age" else 60))
    async with serving(edge) as address, streamed(address, "subscription { silent }") as response:
        await observed.until_running("silent", 1)
        if cause == "shutdown":
            edge.end_streams()
        said = events("".join([piece async for piece in response.aiter_text()]))
    assert said == [("next", {"data": {"silent": 0}})]
    assert observed.running["silent"] == 0


async def test_a_multipart_stream_that_the_server_ends_says_so(observed):
    async with serving(toy_edge(observed, limits=Limits(connection_seconds=0.2))) as address:
        last = parts((await answered(address, "subscription { silent }", accept=MULTIPART)).text)[-1]
    assert last["payload"] is None
    assert code({"errors": last["errors"]}) == "TIMEOUT"


async def test_a_viewer_has_so_many_streams_and_may_come_back_when_one_has_ended(observed):
    async with serving(toy_edge(observed, limits=Limits(streams_per_viewer=1))) as address:
        async with streamed(address, "subscription { silent }"):
            await observed.until_running("silent", 1)
            refused = await answered(address, "subscription { silent }")
            assert (refused.status_code, code(refused.json())) == (429, "RATE_LIMITED")
            assert int(refused.headers["retry-after"]) > 0
            # It would be too late to refuse what has been done.
            mutation = await answered(address, 'mutation { rename(title: "x") }')
            assert replies(mutation, EVENT_STREAM) == [{"data": {"rename": "x"}}]
            other = await answered(address, "subscription { count(to: 1) }", presented=token("grace"))
            assert other.status_code == 200
        await observed.until_running("silent", 0)
        assert (await answered(address, "subscription { count(to: 1) }")).status_code == 200


async def test_a_browser_application_from_an_allowed_origin_may_read_a_stream(address):
    async with httpx2.AsyncClient() as client:
        asked = asking(
            address, "subscription { count(to: 1) }", accept=EVENT_STREAM, presented=token(), headers={"Origin": HARMLESS_ORIGIN}
        )
        response = await client.request(**asked)
    assert response.headers["access-control-allow-origin"] == HARMLESS_ORIGIN
    assert replies(response, EVENT_STREAM) == [{"data": {"count": 0}}]
