import asyncio
import json
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from commands.http_server import MOST_FRAGMENTS
from schema.edge import operations
from schema.edge.limits import Limits
from tests.schema.edge.toy import HARMLESS_ORIGIN, server_of, serving, token, toy_edge


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
        """Everything that is said about one operation, as (type, payload), except what it has cost."""
        await self.subscribe(query, **parameters)
        said = []
        while not said or said[-1][0] == "next":
            message = await self.receive()
            payload = message.get("payload")
            if isinstance(payload, dict):
                payload.pop("extensions", None)
            said.append((message["type"], payload))
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


async def test_a_connection_does_not_outlive_its_token(address, observed):
    async with connected(address, token=token(ttl=timedelta(seconds=1.5))) as client:
        await client.subscribe("subscription { silent }")
        assert (await client.receive())["type"] == "next"
        assert await client.closing() == (4403, "Token expired")
    assert observed.running["silent"] == 0


async def test_a_connection_ends_when_its_token_is_revoked(observed):
    async with (
        serving(toy_edge(observed, limits=Limits(recheck_seconds=0.05))) as address,
        connected(address, token=token("trudy")) as client,
    ):
        observed.banned.add("trudy")
        assert await client.closing() == (4403, "Forbidden")


async def test_an_old_connection_is_closed_so_that_its_client_comes_back(observed):
    async with (
        serving(toy_edge(observed, limits=Limits(connection_seconds=0.2))) as address,
        connected(address, token=token()) as client,
    ):
        assert await client.closing() == (1012, "Connection too old")


async def test_a_server_that_shuts_down_says_so(observed):
    async with server_of(toy_edge(observed)) as (address, server), connected(address, token=token()) as client:
        await client.subscribe("subscription { silent }")
        await observed.until_running("silent", 1)
        server.should_exit = True
        assert (await client.closing())[0] == 1012
        await observed.until_running("silent", 0)


async def test_while_nobody_can_be_judged_clients_are_told_to_come_back(address):
    async with connected(address) as client:
        await client.send(type="connection_init", payload={"authorization": token("early")})
        assert await client.closing() == (1013, "Try again later")


async def test_a_viewer_has_so_many_connections_and_may_come_back_when_one_has_ended(observed):
    async with serving(toy_edge(observed, limits=Limits(connections_per_viewer=1))) as address:
        async with connected(address, token=token()), connected(address) as second:
            await second.send(type="connection_init", payload={"authorization": token()})
            assert await second.closing() == (1013, "Too many connections")
            async with connected(address, token=token("grace")) as other:
                assert (await other.reply("{ viewer }"))[-1][0] == "complete"
        async with asyncio.timeout(5):
            while True:  # the server may not have noticed yet that the first is gone
                async with connected(address) as third:
                    await third.send(type="connection_init", payload={"authorization": token()})
                    with suppress(ConnectionClosedError):
                        assert await third.receive() == {"type": "connection_ack"}
                        break


async def test_more_messages_than_any_client_has_need_of_close_the_connection(observed):
    async with (
        serving(toy_edge(observed, limits=Limits(messages_at_once=5, messages_per_second=0))) as address,
        connected(address, token=token()) as client,
    ):
        for _ in range(5):
            await client.send(type="pong")
        assert await client.closing() == (1013, "Too many messages")


async def test_a_page_may_start_all_its_subscriptions_at_once(address):
    async with connected(address, token=token()) as client:
        for number in range(50):
            await client.subscribe("subscription { count(to: 2) }", name=str(number))
            await client.send(type="ping")
        said = [await client.receive() for _ in range(200)]
    assert sum(message["type"] == "complete" for message in said) == 50
    assert not [message for message in said if message["type"] == "error"]


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


async def test_a_frame_over_the_limit_closes_the_connection(observed):
    async with serving(toy_edge(observed, limits=Limits(frame_bytes=1000))) as address, connected(address, token=token()) as client:
        await client.send(type="ping", payload={"x": "y" * 1000})
        assert (await client.closing())[0] == 1009


async def test_a_message_that_is_not_utf_8_closes_the_connection_and_logs_no_failure(address, caplog):
    async with connected(address, token=token()) as client:
        client.connection.protocol.send_text(b"\xff\xfe")
        client.connection.transport.write(b"".join(client.connection.protocol.data_to_send()))
        assert await client.closing() == (1007, "Not UTF-8")
    assert not caplog.records


async def test_a_message_without_end_closes_the_connection(address):
    async with connected(address, token=token()) as client:
        protocol = client.connection.protocol
        protocol.send_text(b"", fin=False)
        for _ in range(2 * MOST_FRAGMENTS):
            protocol.send_continuation(b"", fin=False)
        client.connection.transport.write(b"".join(protocol.data_to_send()))
        assert await client.closing() == (1009, "Too many fragments")


async def test_a_client_that_floods_hears_why_it_is_cut_off(address):
    async with connected(address, token=token()) as client:
        frames = client.connection.protocol
        frames.send_text(b"nonsense")
        for _ in range(1000):
            frames.send_text(b"x" * 10_000)
        client.connection.transport.write(b"".join(frames.data_to_send()))
        assert (await client.closing())[0] == 4400


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


async def test_a_client_that_wants_the_first_event_only_is_sent_no_other(address, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(operations, "BEHIND_THE_FIRST_SECONDS", 3600)
    async with connected(address, token=token()) as client:
        await client.send(id="1", type="subscribe", payload={"query": "subscription { count(to: 3) }"})
        assert (await client.receive())["payload"] == {"data": {"count": 0}}
        await client.send(id="1", type="complete")
        # Whatever else had been sent would come before this answer.
        assert await client.reply("{ viewer }") == [("next", {"data": {"viewer": "ada"}}), ("complete", None)]
