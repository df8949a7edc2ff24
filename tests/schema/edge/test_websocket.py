import asyncio
import json
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from schema.edge.limits import Limits
from tests.schema.edge.toy import HARMLESS_ORIGIN, Observed, serving, token, toy_edge


class Client:
    def __init__(self, connection):
        self.connection = connection

    async def send(self, **message):
        await self.connection.send(json.dumps(message))

    async def subscribe(self, query, *, name="1", **parameters):
        await self.send(id=name, type="subscribe", payload={"query": query, **parameters})

    async def receive(self):
        async with asyncio.timeout(5):
            return json.loads(await self.connection.recv())

    async def reply(self, query, **parameters):
        """Everything that is said about one operation, as (type, payload)."""
        await self.subscribe(query, **parameters)
        said = []
        while not said or said[-1][0] == "next":
            message = await self.receive()
            said.append((message["type"], message.get("payload")))
        return said

    async def closing(self):
        async with asyncio.timeout(5):
            with suppress(ConnectionClosedError):
                async for _ in self.connection:
                    pass
        return self.connection.close_code, self.connection.close_reason


@asynccontextmanager
async def connected(address, *, token=None, **options):
    async with connect(f"ws://{address}/graphql", subprotocols=["graphql-transport-ws"], max_size=None, **options) as connection:
        client = Client(connection)
        if token:
            await client.send(type="connection_init", payload={"authorization": f"Bearer {token}"})
            assert await client.receive() == {"type": "connection_ack"}
        yield client


def code(said):
    [(kind, errors)] = said
    assert kind == "error"
    return errors[0]["extensions"]["code"]


async def test_a_subscription_sends_its_events_in_order_and_completes(address):
    async with connected(address, token=token()) as client:
        said = await client.reply("subscription { count(to: 100) }")
    assert said == [*(("next", {"data": {"count": n}}) for n in range(100)), ("complete", None)]


async def test_queries_and_mutations_run_over_the_socket_too(address):
    async with connected(address, token=token("grace")) as client:
        assert await client.reply("{ viewer }") == [("next", {"data": {"viewer": "grace"}}), ("complete", None)]
        assert (await client.reply('mutation { rename(title: "x") }'))[0] == ("next", {"data": {"rename": "x"}})


@pytest.mark.parametrize("payload", [{"authorization": "{}"}, {"Authorization": "bearer {}"}, {"authorization": "Bearer {}"}])
async def test_the_token_may_come_with_or_without_its_scheme(address, payload):
    async with connected(address) as client:
        await client.send(type="connection_init", payload={name: value.format(token()) for name, value in payload.items()})
        assert await client.receive() == {"type": "connection_ack"}


@pytest.mark.parametrize(
    ("payload", "close_code"),
    [
        (None, 4401),
        ({}, 4401),
        ({"authorization": "forged"}, 4403),
        ({"authorization": "Basic x"}, 4403),
        ({"authorization": {"a": 1}}, 4403),
        ({"authorization": "a\ud800.b.c"}, 4403),
        ([], 4400),
    ],
)
async def test_a_connection_without_a_usable_token_is_closed(address, payload, close_code):
    async with connected(address) as client:
        await client.send(type="connection_init", payload=payload)
        assert (await client.closing())[0] == close_code


async def test_a_failure_while_authenticating_closes_without_saying_why_except_in_the_log(address, caplog):
    async with connected(address) as client:
        await client.send(type="connection_init", payload={"authorization": token("unlucky")})
        close_code, reason = await client.closing()
    [record] = caplog.records
    assert (close_code, reason) == (4500, f"Internal server error {record.trace_id}")
    assert "10.0.0.7" in caplog.text


async def test_a_client_that_does_not_introduce_itself_is_closed(observed):
    async with serving(toy_edge(observed, limits=Limits(init_seconds=0.05))) as address, connected(address) as client:
        assert (await client.closing())[0] == 4408


async def test_the_connection_is_closed_when_the_token_ends(address):
    # A token is accepted for 30 seconds after its end, because clocks differ.
    async with connected(address, token=token(ttl=timedelta(seconds=-28.5))) as client:
        await client.subscribe("subscription { silent }")
        assert (await client.receive())["type"] == "next"
        assert await client.closing() == (4403, "Token expired")


async def test_each_operation_asks_again_who_the_viewer_is(address, observed):
    async with connected(address, token=token("mallory")) as client:
        assert (await client.reply("{ viewer }"))[-1][0] == "complete"
        observed.banned.add("mallory")
        await client.subscribe("{ viewer }")
        assert (await client.closing())[0] == 4403


async def test_each_operation_has_its_own_context(address):
    async with connected(address, token=token()) as client:
        numbers = [(await client.reply("{ contextNumber }"))[0][1]["data"]["contextNumber"] for _ in range(2)]
    assert numbers[1] == numbers[0] + 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ " + "a " * 5000 + "}", "QUERY_TOO_COMPLEX"),
        ("subscription { count(to: 1) nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query($n: Int!) { double(number: $n) }", "BAD_USER_INPUT"),
        ("subscription { refused }", "FORBIDDEN"),
    ],
)
async def test_a_refused_operation_leaves_the_others_running(address, observed, query, expected):
    async with connected(address, token=token()) as client:
        await client.subscribe("subscription { silent }", name="other")
        assert (await client.receive())["id"] == "other"
        assert code(await client.reply(query)) == expected
        assert observed.running["silent"] == 1
        assert (await client.reply("{ viewer }"))[-1][0] == "complete"


async def test_a_subscription_that_breaks_is_ended_with_a_masked_error(address, caplog):
    async with connected(address, token=token()) as client:
        first, last = await client.reply("subscription { breaks }")
        assert first == ("next", {"data": {"breaks": 0}})
        assert code([last]) == "INTERNAL_SERVER_ERROR"
        assert "swordfish" not in json.dumps(last)
        assert "swordfish" in caplog.text
        assert (await client.reply("{ viewer }"))[-1][0] == "complete"


async def test_half_of_an_emoji_reaches_the_resolver_whose_checks_refuse_it(address):
    async with connected(address, token=token()) as client:
        said = await client.reply("query($t: String!) { echo(text: $t) }", variables={"t": "pen \ud83d"})
    assert said[0] == ("next", {"data": {"echo": "pen \ud83d"}})


async def test_an_operation_that_takes_too_long_is_given_up(observed):
    async with serving(toy_edge(observed, limits=Limits(query_seconds=0.05))) as address, connected(address, token=token()) as client:
        assert code(await client.reply("{ never }")) == "TIMEOUT"


async def test_one_operation_too_many_is_refused_and_may_come_again_later(observed):
    async with serving(toy_edge(observed, limits=Limits(operations_per_socket=1))) as address, connected(address, token=token()) as client:
        await client.subscribe("subscription { silent }", name="long")
        await client.receive()
        assert code(await client.reply("{ viewer }")) == "RATE_LIMITED"
        await client.send(id="long", type="complete")
        assert (await client.reply("{ viewer }"))[-1][0] == "complete"


@pytest.mark.parametrize("end", ["complete", "close", "malformed"])
async def test_a_subscription_ends_on_the_server_when_the_client_ends_it(address, observed, end):
    async with connected(address, token=token()) as client:
        await client.subscribe("subscription { silent }")
        await observed.until_running("silent", 1)
        match end:
            case "complete":
                await client.send(id="1", type="complete")
            case "malformed":
                await client.send(type="nonsense")
            case "close":
                await client.connection.close()
        await observed.until_running("silent", 0)


async def test_a_client_that_stops_reading_is_dropped():
    observed = Observed()
    limits = Limits(send_seconds=0.2, close_seconds=0.1)
    async with serving(toy_edge(observed, limits=limits)) as address, connected(address, token=token(), max_queue=1) as client:
        await client.subscribe("subscription { flood }")
        await observed.until_running("flood", 1)
        await observed.until_running("flood", 0)
        client.connection.transport.abort()


async def test_a_frame_over_the_limit_closes_the_connection(observed):
    async with serving(toy_edge(observed, limits=Limits(frame_bytes=1000))) as address, connected(address, token=token()) as client:
        await client.send(type="ping", payload={"x": "y" * 1000})
        assert (await client.closing())[0] == 1009


async def test_only_pages_of_this_host_and_of_allowed_origins_may_connect(address):
    for origin in (HARMLESS_ORIGIN, f"http://{address}"):
        async with connected(address, token=token(), origin=origin):
            pass
    with pytest.raises(InvalidStatus) as refused:
        async with connected(address, origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403


async def test_a_client_of_another_protocol_is_told_so(address):
    async with connect(f"ws://{address}/graphql") as connection:
        assert (await Client(connection).closing())[0] == 4406
