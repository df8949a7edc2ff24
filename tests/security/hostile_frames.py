"""Sequences of frames that a WebSocket client should not send, drawn at random between some that it may."""

import json
import random
from collections.abc import Callable
from typing import Any, Final

from tests.security.frame_oracle import FRAME_BYTES, VALID, Frame

LONGEST: Final = 12
FLOOD: Final = 200
SILENT: Final = "subscription { silent }"
NO_JSON: Final = (
    *(
        "",
        " ",
        "x",
        "{",
        "}",
        "[",
        '{"type": "ping"',
        '{"type": "ping"}}',
        "{'type': 'ping'}",
        '{"type": "ping",}',
        '{type: "ping"}',
        "ping",
    ),
    *(
        "NaN",
        "Infinity",
        '{"type": "ping", "payload": {"n": NaN}}',
        '{"type": "ping", "payload": {"n": 1e999}}',
        "\ufeff{}",
        "\x00",
        "9" * 3000,
    ),
    *(
        "[" * 3000,
        '{"a":' * 700,
        '"' + "\\ud800" * 300,
        '{"type": "ping"}\x00',
        "// ping",
        "{" * 4000,
        '{"type": "\t"}',
        "undefined",
        "0x1",
    ),
)
NO_MESSAGE: Final[tuple[Any, ...]] = (
    *(None, True, 0, -1, 1.5, "ping", "connection_init", [], [[]], [{"type": "ping"}], {}, {"type": None}, {"type": 1}, {"type": ["ping"]}),
    *(
        {"type": {"type": "ping"}},
        {"type": ""},
        {"type": "PING"},
        {"type": "ping "},
        {"type": "p\u0131ng"},
        {"type": "\ud800"},
        {"Type": "ping"},
    ),
    *(
        {"type": kind, "id": "1", "payload": {}}
        for kind in ("next", "error", "connection_ack", "data", "ka", "unknown", "__class__", "close")
    ),
    # Of the protocol that came before, which has the same subprotocol's look and none of its rules.
    *({"type": "start", "id": "1", "payload": {"query": SILENT}}, {"type": "stop", "id": "1"}, {"type": "connection_terminate"}),
)
WRONG: Final[tuple[Any, ...]] = (None, True, 0, -1, 1.5, 10**20, "", [], ["1"], {}, {"a": 1}, [[]])
TEXTS: Final = ("x", "\x00", "\ud800", "\u202e", "🏴", "é" * 300, "{0}%s", "../..", "' OR 1=1 --", " ", "constructor")
DOCUMENTS: Final = (
    *(
        "{ viewer }",
        "{ chapter { title } }",
        "subscription { count(to: 3) }",
        'mutation { rename(title: "x") }',
        "{ double(number: 99999999999) }",
    ),
    *(
        "{",
        "{ nothing }",
        "\x00",
        "{ forbidden }",
        "subscription { refused }",
        "query A { viewer } query B { viewer }",
        "fragment A on Query { viewer }",
    ),
    *(
        "{ " + "a: viewer " * 40 + "}",
        "{ ...A } fragment A on Query { ...A }",
        "\ud800",
        "{ viewer @skip }",
        "subscription { count(to: 1) viewer }",
    ),
)


class HostileFrames:
    """The same seed gives the same sequences."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._short = 0

    def draw(self) -> list[Frame]:
        """Most begin as they should, or refusals at the door would hide what lies behind it."""
        beginning = self._random.choices(([self._init(VALID)], [self._another_init()], []), (7, 2, 1))[0]
        return beginning + [self._frame() for _ in range(self._random.randint(1, LONGEST - 1))]

    def flood(self) -> list[Frame]:
        """Of one kind, that is allowed one at a time."""
        kind = self._random.choice((self._ping, self._pong, self._completion, self._lasting_of_its_own, self._short_operation))
        return [self._init(VALID), *(kind() for _ in range(FLOOD))]

    def _frame(self) -> Frame:
        """Three in four may be sent, at some time at least."""
        allowed: tuple[Callable[[], Frame], ...] = (self._ping, self._pong, self._completion, self._lasting, self._short_operation)
        wrong = (self._no_json, self._no_message, self._wrong_member, self._binary, self._too_long, self._another_init)
        return self._random.choice(allowed if self._random.random() < 0.75 else wrong)()

    def _init(self, token: Any) -> Frame:
        return _frame(type="connection_init", payload={self._random.choice(("authorization", "Authorization")): token})

    def _another_init(self) -> Frame:
        match self._random.randrange(4):
            case 0:
                return self._init(VALID)
            case 1:
                return self._init(self._random.choice((*WRONG, *TEXTS, "a.b.c", "Bearer x", "Basic x")))
            case 2:
                return _frame(type="connection_init", payload=self._random.choice(WRONG))
            case _:
                return _frame(type="connection_init")

    def _ping(self) -> Frame:
        return _frame(type="ping", **self._random.choice(({}, {"payload": None}, {"payload": {"text": self._random.choice(TEXTS)}})))

    def _pong(self) -> Frame:
        return _frame(type="pong", **self._random.choice(({}, {"payload": {"a": [1, None]}})))

    def _completion(self) -> Frame:
        return _frame(type="complete", id=self._random.choice(("1", "2", "3", "never begun", *TEXTS)))

    def _lasting(self) -> Frame:
        return _frame(type="subscribe", id=self._random.choice(("1", "2", "3", *TEXTS[:2])), payload={"query": SILENT})

    def _lasting_of_its_own(self) -> Frame:
        return self._operation(SILENT)

    def _short_operation(self) -> Frame:
        return self._operation(self._random.choice(DOCUMENTS))

    def _operation(self, document: str) -> Frame:
        # Of an id that no other has: whether a short operation is still running is not for the protocol to say.
        self._short += 1
        return _frame(type="subscribe", id=f"short {self._short}", payload={"query": document, "unknown": 1})

    def _no_json(self) -> Frame:
        return Frame(self._random.choice(NO_JSON))

    def _no_message(self) -> Frame:
        message = self._random.choice(NO_MESSAGE)
        return Frame(json.dumps(message), message)

    def _wrong_member(self) -> Frame:
        """A message of the protocol with one member gone, or of another type."""
        whole = self._random.choice(
            (
                {"type": "ping", "payload": {}},
                {"type": "pong", "payload": {}},
                {"type": "complete", "id": "1"},
                {"type": "subscribe", "id": "4", "payload": {"query": SILENT}},
            )
        )
        name = self._random.choice([*whole, "variables", "operationName", "extensions", "query"])
        if name in whole:
            return _frame(**{**whole, name: self._random.choice(WRONG)}) if self._random.random() < 0.8 else _without(whole, name)
        payload = {"query": "{ viewer }", name: self._random.choice(WRONG)}
        self._short += 1
        return _frame(type="subscribe", id=f"short {self._short}", payload=payload)

    def _binary(self) -> Frame:
        return Frame(self._random.choice((b"", b"\x00", b"\xff" * 100, b'{"type": "ping"}', b"[" * 1000)))

    def _too_long(self) -> Frame:
        return self._random.choice(
            (
                _frame(type="ping", payload={"x": "y" * FRAME_BYTES}),
                Frame("[" * 100_000),
                Frame(" " * (FRAME_BYTES + 1)),
                _frame(type="subscribe", id="i" * FRAME_BYTES, payload={"query": "{ viewer }"}),
            )
        )


def _frame(**message: Any) -> Frame:
    return Frame(json.dumps(message), message)


def _without(message: dict[str, Any], name: str) -> Frame:
    return _frame(**{each: content for each, content in message.items() if each != name})
