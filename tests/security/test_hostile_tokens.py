"""Whatever is put forward as a token, if it is not a valid one there is one answer, and no accident."""

import json
import logging
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from starlette.types import ASGIApp

from resolvers.authentication import LOCAL_AUDIENCE, LOCAL_ISSUER, AuthenticationFailed, local_authenticator
from server import Scriptorium, World
from tests.schema.edge.toy import Observed, token, toy_edge
from tests.security.asgi import Response, call, connected
from tests.security.hostile_tokens import Forgery, Original, forgeries
from tests.server.running import SECRET, TEST_SETTINGS

SEED = 20261126
NO_DATABASE = "postgresql://nobody@127.0.0.1:1/nothing"
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ORIGINAL = Original(
    secret=SECRET,
    header={"alg": "HS256", "typ": "JWT"},
    claims={"iss": LOCAL_ISSUER, "aud": LOCAL_AUDIENCE, "sub": "ada", "iat": SECONDS, "exp": SECONDS + 900},
)
FORGERIES = list(forgeries(ORIGINAL, SEED))
ACCEPTED = [(b"content-type", b"application/json"), (b"accept", b"application/graphql-response+json")]
QUESTION = b'{"query": "{ viewer { user { name } } }"}'


@pytest.fixture(scope="module")
def app() -> ASGIApp:
    """The application, with a database that is not there: no forged token may get as far as that."""
    return Scriptorium(TEST_SETTINGS, NO_DATABASE, world=World(clock=lambda: NOW)).app


@pytest.fixture(autouse=True)
def no_log_of_an_error(caplog: pytest.LogCaptureFixture):
    yield
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info] == []


def in_a_header(forgery: Forgery) -> bool:
    """Whether HTTP could carry it, and would not take its ends away."""
    token = forgery.token
    return isinstance(token, str) and token.strip() == token != "" and all(" " <= each <= "~" for each in token) and len(token) < 16_000


async def asked(app: ASGIApp, authorization: bytes) -> Response:
    return await call(app, QUESTION, headers=[*ACCEPTED, (b"authorization", authorization)])


async def test_there_are_many_forgeries_of_every_family_and_the_original_is_good():
    claims = await local_authenticator(SECRET, now=lambda: NOW).authenticate(ORIGINAL.token)
    assert claims.subject == "ada"
    counted = Counter(forgery.family for forgery in FORGERIES)
    assert len(FORGERIES) >= 500
    assert min(counted.values()) >= 6
    assert ORIGINAL.token not in [forgery.token for forgery in FORGERIES]


async def test_every_forgery_is_refused_in_the_same_way():
    authenticator = local_authenticator(SECRET, now=lambda: NOW)
    for forgery in FORGERIES:
        with pytest.raises(AuthenticationFailed) as refusal:
            await authenticator.authenticate(forgery.token)
        assert str(refusal.value) == "The token is not valid.", forgery


async def test_over_http_all_forgeries_get_one_answer(app: ASGIApp):
    carried = [forgery for forgery in FORGERIES if in_a_header(forgery)]
    assert len(carried) >= 400
    refused = await asked(app, b"Bearer forged")
    assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")
    for forgery in carried:
        assert await asked(app, f"Bearer {forgery.token}".encode()) == refused, forgery


@pytest.mark.parametrize(
    "authorization",
    [
        b"",
        b"Bearer",
        b"Bearer ",
        b"bearer\t{}",
        b"Basic {}",
        b"{}",
        b"Token {}",
        b"Bearer {},Bearer {}",
        b"Bearer\xa0{}",
        b"Bearer {}\x00",
        b"Bearer {}\x1c",
        b"Bearer \xa0{}",
        b"\xff\xfe",
    ],
)
async def test_a_valid_token_behind_anything_but_its_scheme_is_refused_as_well(app: ASGIApp, authorization: bytes):
    answer = await asked(app, authorization.replace(b"{}", ORIGINAL.token.encode()))
    assert answer == await asked(app, b"Bearer forged")


async def test_over_a_socket_all_forgeries_close_it_with_one_code(app: ASGIApp):
    for forgery in FORGERIES:
        if isinstance(forgery.token, bytes | None) or type(forgery.token) is object:
            continue  # not in JSON, or no token at all
        async with connected(app) as socket:
            socket.send(as_init(forgery.token))
            assert await socket.closed() == (4403, "Forbidden"), forgery


async def test_while_no_key_was_ever_had_nobody_is_let_in_and_nobody_is_told_that_their_token_is_wrong():
    settings = replace(TEST_SETTINGS, jwt_secret=None, jwt_jwks_url="http://127.0.0.1:1/keys", jwt_issuer="https://issuer.example/")
    app = Scriptorium(settings, NO_DATABASE, world=World(clock=lambda: NOW)).app
    token_of_an_issuer = ORIGINAL.signed({"alg": "RS256", "kid": "a"}, ORIGINAL.claims)
    answer = await asked(app, f"Bearer {token_of_an_issuer}".encode())
    assert (answer.status, answer.json["errors"][0]["extensions"]) == (503, {"code": "INTERNAL_SERVER_ERROR"})
    async with connected(app) as socket:
        socket.send(as_init(token_of_an_issuer))
        assert await socket.closed() == (1013, "Try again later")


async def test_the_end_of_a_token_ends_every_operation_begun_with_it():
    observed = Observed()
    # A token is accepted for 30 seconds after its end, because clocks differ.
    async with connected(toy_edge(observed)) as socket, connected(toy_edge(observed)) as other:
        for client, ttl in ((socket, timedelta(seconds=-29)), (other, timedelta(hours=1))):
            client.send(as_init(token(ttl=ttl)))
            assert await client.receive() == {"type": "connection_ack"}
            for number in range(5):
                client.send(json.dumps({"type": "subscribe", "id": f"{number}", "payload": {"query": "subscription { silent }"}}))
        await observed.until_running("silent", 10)
        assert await socket.closed() == (4403, "Token expired")
        assert observed.running["silent"] == 5
        assert other.closing is None


def as_init(token: object) -> str:
    return json.dumps({"type": "connection_init", "payload": {"authorization": token}})
