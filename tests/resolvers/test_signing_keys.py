import asyncio
import json
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from resolvers.signing_keys import PublishedKeys, SigningKeysUnavailable, key_set_fetcher

ADDRESS = "https://issuer.example/.well-known/jwks.json"


class KeyServer:
    """A key server with its own clock, which can be down and counts the questions it gets."""

    def __init__(self, *key_ids):
        self.key_ids = key_ids
        self.now = datetime(2026, 11, 22, tzinfo=UTC)
        self.down = False
        self.asked = 0
        self.keys = PublishedKeys(self.fetch, now=lambda: self.now)

    async def fetch(self):
        self.asked += 1
        await asyncio.sleep(0)
        if self.down:
            raise httpx2.ConnectError("down")
        return json.dumps({"keys": [{"kid": key_id, "kty": "RSA"} for key_id in self.key_ids]}).encode()

    def wait(self, **duration):
        self.now += timedelta(**duration)


async def test_keys_are_fetched_once_for_many_tokens():
    server = KeyServer("a")
    found = await asyncio.gather(*(server.keys.find("a") for _ in range(10)))
    assert all(key["kid"] == "a" for key in found)
    assert server.asked == 1


async def test_a_new_key_is_found_by_the_first_token_that_uses_it():
    server = KeyServer("a")
    await server.keys.find("a")
    server.key_ids = ("a", "b")
    server.wait(minutes=1)
    assert (await server.keys.find("b"))["kid"] == "b"


async def test_tokens_with_unknown_keys_ask_at_most_once_a_minute():
    server = KeyServer("a")
    for _ in range(6):
        for _ in range(20):
            assert await server.keys.find("forged") is None
        server.wait(seconds=10)
    assert server.asked == 1
    await server.keys.find("forged")
    assert server.asked == 2


async def test_a_withdrawn_key_is_forgotten():
    server = KeyServer("a", "b")
    await server.keys.find("a")
    server.key_ids = ("b",)
    server.wait(minutes=10)
    assert await server.keys.find("a") is None


async def test_known_keys_work_while_the_key_server_is_down():
    server = KeyServer("a")
    await server.keys.find("a")
    server.down = True
    server.wait(days=1)
    assert (await server.keys.find("a"))["kid"] == "a"
    assert await server.keys.find("b") is None
    assert server.asked == 2


async def test_without_any_key_nothing_can_be_judged_until_the_server_is_back():
    server = KeyServer("a")
    server.down = True
    for _ in range(3):
        with pytest.raises(SigningKeysUnavailable):
            await server.keys.find("a")
    assert server.asked == 1
    server.down = False
    server.wait(seconds=5)
    assert (await server.keys.find("a"))["kid"] == "a"


class SlowServer(KeyServer):
    """It keeps whoever asks it waiting until it is let go on."""

    def __init__(self, *key_ids):
        super().__init__(*key_ids)
        self.was_asked = asyncio.Event()
        self.answering = asyncio.Event()

    async def fetch(self):
        self.was_asked.set()
        await self.answering.wait()
        return await super().fetch()


async def test_a_thousand_forged_tokens_at_once_ask_once_a_minute():
    server = KeyServer("a")
    for minute in range(1, 4):
        found = await asyncio.gather(*(server.keys.find(f"forged {number}") for number in range(1000)))
        assert set(found) == {None}
        assert server.asked == minute
        server.wait(minutes=1)


async def test_a_slow_key_server_holds_up_nobody_whose_key_is_known():
    server = SlowServer("a")
    server.answering.set()
    await server.keys.find("a")
    server.answering.clear()
    server.was_asked.clear()
    server.wait(minutes=5)
    assert (await server.keys.find("a"))["kid"] == "a"
    await server.was_asked.wait()
    server.wait(minutes=10)
    stranger = asyncio.create_task(server.keys.find("b"))
    for _ in range(100):
        assert (await server.keys.find("a"))["kid"] == "a"
    server.key_ids = ("a", "b")
    server.answering.set()
    assert (await stranger)["kid"] == "b"
    assert server.asked == 2


async def test_whoever_waits_for_a_key_and_goes_away_does_not_take_it_along():
    server = SlowServer("a")
    impatient, patient = (asyncio.create_task(server.keys.find("a")) for _ in range(2))
    await server.was_asked.wait()
    impatient.cancel()
    server.answering.set()
    assert (await patient)["kid"] == "a"
    assert impatient.cancelled()
    assert server.asked == 1


async def test_a_withdrawn_key_is_forgotten_in_time_under_load_as_well():
    server = KeyServer("a", "b")
    await server.keys.find("a")
    server.key_ids = ("b",)
    believed = 0
    for _ in range(20):
        server.wait(minutes=1)
        believed += await server.keys.find("a") is not None
        await asyncio.sleep(0.01)
    assert believed <= 5


@pytest.mark.parametrize(
    "garbage", [b"", b"null", b"[]", b"{}", b'{"keys": []}', b'{"keys": [{}]}', b"<html>", b"\xff", RuntimeError("closed")]
)
async def test_garbage_takes_away_no_key_that_is_known(garbage):
    server = KeyServer("a")
    await server.keys.find("a")

    async def fetch():
        server.asked += 1
        if isinstance(garbage, Exception):
            raise garbage
        return garbage

    server.keys._fetch = fetch
    for _ in range(30):
        server.wait(minutes=1)
        assert (await server.keys.find("a"))["kid"] == "a"
        assert await server.keys.find("b") is None
    assert server.asked > 20


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(500, content=b'{"keys": [{"kid": "a"}]}'),
        httpx2.Response(302, headers={"Location": "https://evil.example/keys"}),
        httpx2.Response(200, content=b"<html>"),
        httpx2.Response(200, content=b"[" * 10_000),
        httpx2.Response(200, content=b"[]"),
        httpx2.Response(200, content=b'{"keys": {}}'),
        httpx2.Response(200, content=b'{"keys": [{"kid": 5}, 5]}'),
        httpx2.Response(200, content=b'{"keys": [{"kid": "a"}], "x": "' + b"x" * 300_000 + b'"}'),
    ],
)
async def test_an_answer_that_is_no_key_set_counts_as_none(answer):
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(lambda _: answer)) as client:
        keys = PublishedKeys(key_set_fetcher(ADDRESS, client), now=lambda: datetime(2026, 11, 22, tzinfo=UTC))
        with pytest.raises(SigningKeysUnavailable):
            await keys.find("a")


async def test_a_key_set_is_read_from_its_address():
    def answer(request):
        assert str(request.url) == ADDRESS
        return httpx2.Response(200, content=b'{"keys": [{"kid": "a"}, {"kty": "RSA"}]}')

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as client:
        keys = PublishedKeys(key_set_fetcher(ADDRESS, client), now=lambda: datetime(2026, 11, 22, tzinfo=UTC))
        assert await keys.find("a") == {"kid": "a"}


@pytest.mark.parametrize(
    "address", ["http://issuer.example/keys", "ftp://localhost/keys", "file:///etc/passwd", "keys", "http://127.0.0.1.evil.example/"]
)
async def test_keys_come_over_https_only(address):
    async with httpx2.AsyncClient() as client:
        with pytest.raises(ValueError, match="https"):
            key_set_fetcher(address, client)


@pytest.mark.parametrize("address", ["http://localhost:8080/keys", "http://127.0.0.1/keys", "http://[::1]/keys"])
async def test_a_key_server_on_this_machine_may_use_plain_http(address):
    async with httpx2.AsyncClient() as client:
        assert key_set_fetcher(address, client)
