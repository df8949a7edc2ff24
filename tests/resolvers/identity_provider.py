"""An identity provider: its keys, the tokens it signs, and the application that believes them."""

import json
from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jose import jwk, jwt

from resolvers.authentication import issuer_authenticator
from resolvers.signing_keys import PublishedKeys

NAME = "https://issuer.example/"
AUDIENCE = "book-app"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Issuer:
    """It has one key of each kind, and two strong ones to rotate."""

    def __init__(self):
        self.private = {
            "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
            "next rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
            "ec": ec.generate_private_key(ec.SECP256R1()),
            "weak": rsa.generate_private_key(public_exponent=65537, key_size=1024),
            "curve": ec.generate_private_key(ec.SECP384R1()),
        }

    def pem(self, name):
        return (
            self.private[name]
            .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            .decode()
        )

    def published(self, name, algorithm, **extra):
        return {**self._key(name, algorithm).public_key().to_dict(), "kid": name, **extra}

    def token(self, name, algorithm, *, key_id=None, at=NOW, **claims):
        seconds = int(at.timestamp())
        body = {"iss": NAME, "aud": AUDIENCE, "sub": "ada", "iat": seconds, "exp": seconds + 900, **claims}
        return self.signed(body, {"kid": name if key_id is None else key_id}, name, algorithm)

    def signed(self, claims, headers, name, algorithm):
        return jwt.encode(claims, self._key(name, algorithm), algorithm=algorithm, headers=headers)

    @cache  # noqa: B019 - there is one issuer, and reading a private key takes longer than a test should
    def _key(self, name, algorithm):
        return jwk.construct(self.pem(name), algorithm)


ISSUER = Issuer()


def authenticator_of(*keys):
    """Of an application that has these keys published to it."""

    async def fetch():
        return json.dumps({"keys": keys}).encode()

    published = PublishedKeys(fetch, now=lambda: NOW)
    return issuer_authenticator(published, issuer=NAME, audience=AUDIENCE, now=lambda: NOW)
