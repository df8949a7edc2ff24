"""Who sent a request: bearer tokens (JWTs) in, verified claims out. The only module that knows python-jose.

python-jose 3.5 is asked for one thing, the signature. Everything else a token must be is checked here (RFC 8725),
because the library accepts missing claims and unknown critical headers, and reads the time from the wall clock.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import orjson
from jose import jwk, jws, jwt
from jose.backends.base import Key
from jose.exceptions import JOSEError
from jose.utils import base64url_decode, base64url_encode

from resolvers.signing_keys import PublishedKeys

LOCAL_ISSUER = "scriptorium-local"
LOCAL_AUDIENCE = "scriptorium"
CLOCK_SKEW = timedelta(seconds=30)
SHORTEST_SECRET_BYTES = 32

_LONGEST_TOKEN = 4096
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_SHORTEST_RSA_MODULUS_BYTES = 256
_TOKEN_TYPES = {"jwt", "at+jwt"}
_KEY_MEMBERS = {"RS256": ("kty", "n", "e"), "ES256": ("kty", "crv", "x", "y")}


class AuthenticationFailed(Exception):  # noqa: N818 - named by what it means for the caller
    """The token is not valid. There is one message for every reason: a reason would help only who forges tokens."""

    def __init__(self) -> None:
        super().__init__("The token is not valid.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a verified token says. A person is known by issuer and subject together."""

    issuer: str
    subject: str
    name: str | None
    email: str | None
    email_verified: bool
    expires_at: datetime


class Authenticator(Protocol):
    async def authenticate(self, token: object) -> Claims:
        """Raises: AuthenticationFailed, for anything but a valid token."""


class VerificationKeys(Protocol):
    async def find(self, algorithm: str, key_id: object) -> Key | None:
        """The one key such a token may be signed with. Each key has one algorithm, whatever a token says."""


class TokenAuthenticator:
    def __init__(self, keys: VerificationKeys, *, issuer: str, audience: str, now: Callable[[], datetime]) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._now = now

    async def authenticate(self, token: object) -> Claims:
        """Raises: AuthenticationFailed; SigningKeysUnavailable, when no token at all can be judged now."""
        try:
            claims = await self._verified_claims(token)
            if claims is not None:
                return self._checked(claims)
        # Besides its own errors python-jose lets those of its parsers out; a header may nest deeper than the stack.
        except (JOSEError, ValueError, OverflowError, RecursionError, OSError):
            pass
        raise AuthenticationFailed

    async def _verified_claims(self, token: object) -> Mapping[str, object] | None:
        if not isinstance(token, str) or len(token) > _LONGEST_TOKEN or not _TOKEN.fullmatch(token):
            return None
        head, _, signature = token.encode().split(b".")
        # The signature covers everything but itself: of all spellings that decode to the same, only one is valid.
        if base64url_encode(base64url_decode(signature)) != signature:
            return None
        header = orjson.loads(base64url_decode(head))
        if not isinstance(header, dict) or not _is_acceptable(header):
            return None
        algorithm = header["alg"]
        key = await self._keys.find(algorithm, header.get("kid"))
        if key is None:
            return None
        claims = orjson.loads(jws.verify(token, key, algorithms=[algorithm]))
        return claims if isinstance(claims, dict) else None

    def _checked(self, claims: Mapping[str, object]) -> Claims:
        subject = claims.get("sub")
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if claims.get("iss") != self._issuer or self._audience not in audiences:
            raise AuthenticationFailed
        if not isinstance(subject, str) or not subject.isprintable() or not 0 < len(subject) <= 255:
            raise AuthenticationFailed
        now = self._now()
        expires_at = _instant(claims.get("exp"))
        issued_at = _instant(claims.get("iat"))
        not_before = _instant(claims["nbf"]) if "nbf" in claims else issued_at
        if not max(issued_at, not_before) - CLOCK_SKEW <= now < expires_at + CLOCK_SKEW:
            raise AuthenticationFailed
        return Claims(
            issuer=self._issuer,
            subject=subject,
            name=_text(claims.get("name")),
            email=_text(claims.get("email")),
            email_verified=claims.get("email_verified") is True,
            expires_at=expires_at,
        )


class LocalSecret:
    """One secret shared with whoever makes the tokens: development, tests and small installations."""

    def __init__(self, secret: str) -> None:
        self._key = _secret_key(secret)

    async def find(self, algorithm: str, key_id: object) -> Key | None:  # noqa: ARG002 - there is only one key
        return self._key if algorithm == "HS256" else None


class IssuerKeys:
    """The published keys of an identity provider, such as Auth0, Clerk or Keycloak."""

    def __init__(self, published: PublishedKeys) -> None:
        self._published = published

    async def find(self, algorithm: str, key_id: object) -> Key | None:
        if algorithm not in _KEY_MEMBERS or not isinstance(key_id, str):
            return None
        published = await self._published.find(key_id)
        if published is None or _algorithm_of(published) != algorithm:
            return None
        # Only what makes the public key: a published private one, or whatever else comes along, is not to be looked at.
        return jwk.construct({name: published[name] for name in _KEY_MEMBERS[algorithm]}, algorithm)


def local_authenticator(secret: str, *, now: Callable[[], datetime]) -> Authenticator:
    """Raises: ValueError, when the secret is shorter than 32 bytes."""
    return TokenAuthenticator(LocalSecret(secret), issuer=LOCAL_ISSUER, audience=LOCAL_AUDIENCE, now=now)


def issuer_authenticator(published: PublishedKeys, *, issuer: str, audience: str, now: Callable[[], datetime]) -> Authenticator:
    return TokenAuthenticator(IssuerKeys(published), issuer=issuer, audience=audience, now=now)


def issue_development_token(secret: str, *, subject: str, name: str | None, email: str | None, ttl: timedelta, now: datetime) -> str:
    """A token that `local_authenticator` accepts. Raises: ValueError, when the secret is shorter than 32 bytes."""
    claims = {
        "iss": LOCAL_ISSUER,
        "aud": LOCAL_AUDIENCE,
        "sub": subject,
        "iat": int(now.timestamp()),
        "exp": int((now + ttl).timestamp()),
        **({"name": name} if name else {}),
        **({"email": email, "email_verified": True} if email else {}),
    }
    return jwt.encode(claims, _secret_key(secret), algorithm="HS256")


def _secret_key(secret: str) -> Key:
    if len(secret.encode()) < SHORTEST_SECRET_BYTES:
        raise ValueError(f"the token secret must have at least {SHORTEST_SECRET_BYTES} bytes")
    return jwk.construct(secret, "HS256")


def _is_acceptable(header: Mapping[str, object]) -> bool:
    token_type = header.get("typ", "JWT")
    return (
        isinstance(header.get("alg"), str)
        and isinstance(token_type, str)
        and token_type.lower() in _TOKEN_TYPES
        # "crit" lists extensions that must be understood, and none is.
        and "crit" not in header
    )


def _algorithm_of(key: Mapping[str, object]) -> str | None:
    """The only algorithm a published key is used with; None for keys that are weak or meant for something else."""
    if key.get("use", "sig") != "sig":
        return None
    match key:
        case {"kty": "RSA", "n": str(modulus), "e": str()} if len(base64url_decode(modulus.encode())) >= _SHORTEST_RSA_MODULUS_BYTES:
            algorithm = "RS256"
        case {"kty": "EC", "crv": "P-256", "x": str(), "y": str()}:
            algorithm = "ES256"
        case _:
            return None
    return algorithm if key.get("alg", algorithm) == algorithm else None


def _instant(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise AuthenticationFailed
    return datetime.fromtimestamp(value, UTC)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value and value.isprintable() else None
