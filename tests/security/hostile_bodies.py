"""HTTP requests that are wrong in every way a request can be, or that chance has damaged."""

import gzip
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.security.hostile_frames import NO_JSON, WRONG

JSON: Final = "application/json"
BODY_BYTES: Final = 20_000
"""The longest body of the edge under test."""
GOOD: Final = b'{"query": "query A($n: Int!) { double(number: $n) viewer }", "variables": {"n": 2}, "operationName": "A", "extensions": {}}'
TYPES_OF_OTHERS: Final = (
    *(
        "",
        "text/plain",
        "text/plain;charset=utf-8",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
    ),
    *(
        "text/json",
        "application/jsonp",
        "application/json2",
        "application",
        "json",
        "*/*",
        "application/*",
        ";",
        "/",
        ",",
        "application/xml",
    ),
    *(
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/json; charset=",
        'application/json; charset="utf-7"',
    ),
    *(
        "application/json; charset=utf-16le; charset=utf-8",
        "application/octet-stream",
        "x" * 5000,
        "application/vnd.api+json",
        "image/svg+xml",
    ),
    *(
        "text/html; a=application/json",
        "text/plain, application/json",
        "multipart/mixed",
        "application/cbor",
        "application/json\x00",
        "\xff\xfe",
    ),
)
METHODS: Final = ("PUT", "DELETE", "PATCH", "HEAD", "TRACE", "CONNECT", "QUERY", "get", "post", "", "X" * 1000, "PROPFIND")
QUERIES: Final = (
    *(
        b"",
        b"query",
        b"query=",
        b"query=%",
        b"query=%ff%fe",
        b"query={",
        b"query=%00",
        b"query=5&query={viewer}&query",
        b"&" * 2000,
        b"=",
        b"a=b",
    ),
    *(
        b"query={viewer}&variables=",
        b"query={viewer}&variables=x",
        b"query={viewer}&variables=[1]",
        b"query={viewer}&variables=%7B",
        b"query[]=1",
    ),
    *(
        b"query={viewer}&extensions=x",
        b"query={viewer}&extensions=[]",
        b"query={viewer}&variables=" + b"[" * 20_000,
        b"query=%7Bnothing%7D",
    ),
    *(
        b"query=mutation{rename(title:1)}",
        b"query=subscription{count(to:1)}",
        b"operationName=A",
        b"query={viewer}&operationName=A",
        b";query={viewer}",
    ),
)


@dataclass(frozen=True, slots=True)
class Request:
    """`good` when it may be answered after all: what chance has done to it need not be harm."""

    family: str
    parts: Sequence[bytes] = (GOOD,)
    content_type: str = JSON
    method: str = "POST"
    query: bytes = b""
    headers: Sequence[tuple[bytes, bytes]] = ()
    good: bool = False


def requests(seed: int) -> Iterator[Request]:
    chance = random.Random(seed)
    yield from (Request("another type", content_type=kind) for kind in TYPES_OF_OTHERS)
    yield from (Request("another method", method=method) for method in METHODS)
    yield from _queries()
    yield from (Request("no JSON", [text.encode("utf-8", "surrogatepass")]) for text in NO_JSON)
    yield from (Request("no object", [json.dumps(value).encode()]) for value in WRONG if value != {"a": 1})
    yield from _wrong_members()
    yield from (Request("cut off", [GOOD[:length]]) for length in range(0, len(GOOD), 2))
    yield from _other_encodings()
    yield from _too_large(chance)
    yield from _nested()
    yield from (Request("damaged", [_damaged(GOOD, chance)], good=True) for _ in range(250))


def _queries() -> Iterator[Request]:
    for query in QUERIES:
        yield Request("a query string", method="GET", query=query)
        yield Request(
            "a query string", method="GET", query=query, headers=[(b"graphql-require-preflight", b"1")], good=query[:8] == b"query=5&"
        )


def _wrong_members() -> Iterator[Request]:
    whole = json.loads(GOOD)
    for name in whole:
        for value in (*WRONG, "x" * 1000):
            # Nothing at all is as good as nothing said, and text is a text.
            fine = (
                value is None
                or isinstance(value, str)
                or (name != "query" and value == {})
                or (name == "extensions" and isinstance(value, dict))
            )
            if not fine or name == "query":
                yield Request("a wrong member", [json.dumps({**whole, name: value}).encode()])
    for numbers in (
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "9" * 5000,
        "0x1",
        "01",
        "1.",
        ".5",
        "+1",
        "--1",
        "1e",
        "2147483648",
        "1.5",
        '"1"',
        "null",
    ):
        yield Request("a wrong member", [GOOD.replace(b'"n": 2', f'"n": {numbers}'.encode())])


def _other_encodings() -> Iterator[Request]:
    text = GOOD.decode()
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "cp500"):
        if text.encode(encoding) != GOOD:
            yield Request("another encoding", [text.encode(encoding)])
    yield Request("another encoding", [b"\xef\xbb\xbf" + GOOD])
    yield Request("another encoding", [gzip.compress(GOOD, mtime=0)], headers=[(b"content-encoding", b"gzip")])
    yield Request("another encoding", [gzip.compress(b" " * 1_000_000 + GOOD, mtime=0)], headers=[(b"content-encoding", b"gzip")])
    for broken in (b"\xff", b"\x80", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x00"):
        yield Request("another encoding", [GOOD.replace(b"viewer", b"viewer" + broken)])


def _too_large(chance: random.Random) -> Iterator[Request]:
    padding = b" " * BODY_BYTES
    yield Request("too large", [padding + GOOD])
    yield Request("too large", [GOOD, padding])
    yield Request("too large", [GOOD, *[b" " * 100] * 1000])
    yield Request("too large", [GOOD[:-1] + b', "x": "' + b"y" * BODY_BYTES + b'"}'])
    for _ in range(6):
        yield Request("too large", [b"x" * chance.randint(1, BODY_BYTES) for _ in range(BODY_BYTES // 100)])


def _nested() -> Iterator[Request]:
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        for depth in (1030, 3000):
            inside = b"1"
            for around in (b"%s", GOOD.replace(b'{"n": 2}', b"%s"), GOOD.replace(b'"extensions": {}', b'"extensions": {"a": %s}')):
                yield Request("nested", [around.replace(b"%s", opening * depth + inside + closing * depth)])
                yield Request("nested", [around.replace(b"%s", opening * depth)])


def _damaged(body: bytes, chance: random.Random) -> bytes:
    """One to four bytes are changed, put in, taken out or moved."""
    damaged = bytearray(body)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(damaged))
        match chance.randrange(4):
            case 0:
                damaged[at] ^= 1 << chance.randrange(8)
            case 1:
                damaged[at:at] = bytes([chance.randrange(256)])
            case 2:
                del damaged[at]
            case _:
                other = chance.randrange(len(damaged))
                damaged[at], damaged[other] = damaged[other], damaged[at]
    return bytes(damaged)


def described(request: Request) -> tuple[Any, ...]:
    """Short enough to be read in a failure."""
    return (request.family, request.method, request.content_type[:80], request.query[:80], [part[:200] for part in request.parts[:2]])
