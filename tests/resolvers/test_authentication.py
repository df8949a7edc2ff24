import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from jose import jwk, jws, jwt

from resolvers.authentication import (
    LOCAL_AUDIENCE,
    LOCAL_ISSUER,
    AuthenticationFailed,
    Claims,
    issue_development_token,
    local_authenticator,
)
from tests.resolvers.identity_provider import AUDIENCE, ISSUER, NAME, authenticator_of
from tests.security.hostile_tokens import KEY_IDS

SECRET = "0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
VALID = {"iss": LOCAL_ISSUER, "aud": LOCAL_AUDIENCE, "sub": "ada", "iat": SECONDS, "exp": SECONDS + 900}

VALID_THERE = {**VALID, "iss": NAME, "aud": AUDIENCE}


def local(*, at=NOW):
    return local_authenticator(SECRET, now=lambda: at)


def signed(claims, *, headers=None, key=SECRET):
    return jwt.encode(claims, key, algorithm="HS256", headers=headers)


def segment(value):
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


async def refuses(authenticator, token):
    with pytest.raises(AuthenticationFailed) as failure:
        await authenticator.authenticate(token)
    return str(failure.value) == "The token is not valid."


async def test_a_development_token_says_who_its_bearer_is():
    token = issue_development_token(SECRET, subject="ada", name="Ada", email="ada@example.org", ttl=timedelta(minutes=15), now=NOW)
    assert await local().authenticate(token) == Claims(
        issuer="scriptorium-local",
        subject="ada",
        name="Ada",
        email="ada@example.org",
        email_verified=True,
        expires_at=NOW + timedelta(minutes=15),
    )


async def test_name_and_address_are_optional_and_an_address_is_unverified_unless_the_issuer_says_so():
    claims = await local().authenticate(signed({**VALID, "email": "a@b.org", "name": 5, "email_verified": "true"}))
    assert (claims.name, claims.email, claims.email_verified) == (None, "a@b.org", False)


@pytest.mark.parametrize("name", ["exp", "iat", "iss", "aud", "sub"])
async def test_every_registered_claim_is_required(name):
    assert await refuses(local(), signed({key: value for key, value in VALID.items() if key != name}))


@pytest.mark.parametrize(
    "claim",
    [
        {"iss": "somebody else"},
        {"iss": [LOCAL_ISSUER]},
        {"aud": "somebody else"},
        {"aud": []},
        {"aud": {"scriptorium": 1}},
        {"aud": [["scriptorium"]]},
        {"sub": ""},
        {"sub": 5},
        {"sub": None},
        {"sub": "x" * 256},
        {"sub": "ada\x00"},
        {"exp": "never"},
        {"exp": True},
        {"exp": None},
        {"exp": 1e300},
        {"exp": -1e300},
        {"exp": 10**30},
        {"iat": []},
        {"iat": SECONDS + 31},
        {"nbf": SECONDS + 31},
        {"nbf": None},
    ],
)
async def test_a_claim_that_is_not_as_it_must_be_refuses_the_token(claim):
    assert await refuses(local(), signed({**VALID, **claim}))


async def test_an_audience_among_several_is_enough():
    assert (await local().authenticate(signed({**VALID, "aud": ["other", LOCAL_AUDIENCE]}))).subject == "ada"


async def test_clocks_may_differ_by_half_a_minute():
    token = signed(VALID)
    for seconds, accepted in [(-31, False), (-30, True), (0, True), (929, True), (930, False)]:
        authenticator = local(at=NOW + timedelta(seconds=seconds))
        if accepted:
            await authenticator.authenticate(token)
        else:
            assert await refuses(authenticator, token)


@pytest.mark.parametrize(
    "headers",
    [{"crit": ["b64"]}, {"crit": []}, {"typ": "refresh+jwt"}, {"typ": 5}, {"typ": None}, {"typ": ["JWT"]}],
)
async def test_a_header_that_asks_for_something_else_refuses_the_token(headers):
    assert await refuses(local(), signed(VALID, headers=headers))


@pytest.mark.parametrize("token_type", ["JWT", "jwt", "at+jwt"])
async def test_access_tokens_may_name_their_type(token_type):
    assert await local().authenticate(signed(VALID, headers={"typ": token_type}))


@pytest.mark.parametrize("algorithm", ["none", "None", "HS384", "HS512", "RS256", "", "dir", 5, None, ["HS256"], {"a": "HS256"}])
async def test_no_algorithm_but_ours_is_accepted(algorithm):
    _, body, signature = signed(VALID).split(".")
    assert await refuses(local(), f"{segment({'alg': algorithm, 'typ': 'JWT'})}.{body}.{signature}")
    assert await refuses(local(), f"{segment({'alg': algorithm, 'typ': 'JWT'})}.{body}.")


@pytest.mark.parametrize(
    "token",
    [
        None,
        5,
        True,
        [],
        {"a": [1]},
        b"a.b.c",
        "",
        ".",
        "..",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "é.b.c",
        "\ud800.b.c",
        "x" * 4097,
        f"{segment(b'[' * 1500)}.a.b",
        f"{segment({'alg': 'HS256', 'x': json.loads('[' * 900 + ']' * 900)})}.a.b",
        f"{segment([])}.a.b",
        f"{segment(b'{')}.a.b",
        f"{segment(bytes([255, 254]))}.a.b",
        signed(VALID)[:-2] + "AA",
        signed(VALID).replace(".", ". "),
        signed(VALID, key="another secret, long enough to be one"),
        jws.sign(b"[1]", SECRET, algorithm="HS256"),
        jws.sign(b"[" * 1000, SECRET, algorithm="HS256"),
        jws.sign(b'{"exp": 1e999}', SECRET, algorithm="HS256"),
        jws.sign(b"\xff", SECRET, algorithm="HS256"),
    ],
)
async def test_anything_but_a_valid_token_is_refused_in_the_same_way(token):
    assert await refuses(local(), token)


async def test_a_long_token_is_refused_even_when_it_is_signed():
    assert await refuses(local(), signed({**VALID, "x": "y" * 4096}))


def test_a_short_secret_is_refused_at_start():
    with pytest.raises(ValueError, match="32 bytes"):
        local_authenticator("x" * 31, now=lambda: NOW)
    with pytest.raises(ValueError, match="32 bytes"):
        issue_development_token("x" * 31, subject="ada", name=None, email=None, ttl=timedelta(1), now=NOW)


@pytest.mark.parametrize(("name", "algorithm"), [("rsa", "RS256"), ("ec", "ES256")])
async def test_a_token_of_an_identity_provider_is_accepted(name, algorithm):
    authenticator = authenticator_of(ISSUER.published("rsa", "RS256"), ISSUER.published("ec", "ES256", use="sig"))
    claims = await authenticator.authenticate(ISSUER.token(name, algorithm))
    assert (claims.issuer, claims.subject) == (NAME, "ada")
    assert await refuses(authenticator, ISSUER.token(name, algorithm, aud="another-app"))
    assert await refuses(authenticator, ISSUER.token(name, algorithm)[:-4] + "AAAA")
    assert await refuses(authenticator, ISSUER.token(name, algorithm, key_id="unknown"))


async def test_a_key_is_used_only_as_it_was_published():
    key = ISSUER.published("rsa", "RS256")
    garbage = (None, 5, 10**12, True, [], [1], {}, {"a": 1}, "", "!", "AQAB", "é")
    for wrong in ({"use": "enc"}, {"alg": "RS512"}, {"kty": "oct", "k": "AAAA"}, *({"n": n} for n in garbage)):
        assert await refuses(authenticator_of({**key, **wrong}), ISSUER.token("rsa", "RS256"))
    for exponent in garbage:
        if exponent != "AQAB":
            assert await refuses(authenticator_of({**key, "e": exponent}), ISSUER.token("rsa", "RS256"))
    for member in ("crv", "x", "y"):
        for value in garbage:
            assert await refuses(authenticator_of({**ISSUER.published("ec", "ES256"), member: value}), ISSUER.token("ec", "ES256"))


async def test_what_else_comes_with_a_key_is_not_looked_at():
    key = {**ISSUER.published("rsa", "RS256"), "d": {"a": 1}, "p": "AQAB", "x5c": ["MIIB"], "key_ops": 5}
    assert await authenticator_of(key).authenticate(ISSUER.token("rsa", "RS256"))


async def test_weak_keys_and_other_curves_are_refused():
    assert await refuses(authenticator_of(ISSUER.published("weak", "RS256")), ISSUER.token("weak", "RS256"))
    assert await refuses(authenticator_of(ISSUER.published("curve", "ES384")), ISSUER.token("curve", "ES384"))
    assert await refuses(authenticator_of(ISSUER.published("rsa", "RS256")), ISSUER.token("rsa", "RS512"))


async def test_a_public_key_cannot_serve_as_the_secret_of_a_forged_token():
    public = jwk.construct(ISSUER.pem("rsa"), "RS256").public_key()
    key = ISSUER.published("rsa", "RS256")
    body = segment({**VALID, "iss": NAME, "aud": AUDIENCE})
    for secret in (public.to_pem(), json.dumps(key).encode(), key["n"].encode()):
        head = segment({"alg": "HS256", "typ": "JWT", "kid": "rsa"})
        signature = segment(hmac.digest(secret, f"{head}.{body}".encode(), hashlib.sha256))
        assert await refuses(authenticator_of(key), f"{head}.{body}.{signature}")


@pytest.mark.parametrize("key_id", KEY_IDS, ids=repr)
async def test_a_key_id_is_only_ever_looked_up_among_the_published_ones(key_id):
    authenticator = authenticator_of(ISSUER.published("rsa", "RS256"), ISSUER.published("ec", "ES256"))
    _, body, signature = ISSUER.token("rsa", "RS256").split(".")
    for algorithm in ("RS256", "ES256", "HS256", "none"):
        assert await refuses(authenticator, f"{segment({'alg': algorithm, 'kid': key_id})}.{body}.{signature}")
    assert await refuses(authenticator, ISSUER.signed(VALID_THERE, {"kid": key_id}, "rsa", "RS256"))


@pytest.mark.parametrize(
    "signature", [b"\x00" * 64, b"\x00" * 63, b"\xff" * 64, b"\x30\x06\x02\x01\x00\x02\x01\x00", b"\x00" * 256, b""], ids=len
)
async def test_a_signature_of_nothing_in_particular_is_none(signature):
    authenticator = authenticator_of(ISSUER.published("rsa", "RS256"), ISSUER.published("ec", "ES256"))
    for name, algorithm in (("ec", "ES256"), ("rsa", "RS256"), ("rsa", "ES256"), ("ec", "RS256")):
        assert await refuses(authenticator, f"{segment({'alg': algorithm, 'kid': name})}.{segment(VALID_THERE)}.{segment(signature)}")
