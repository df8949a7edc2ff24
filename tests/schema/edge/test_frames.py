import json

import pytest

from schema.edge.frames import Complete, ConnectionInit, MalformedFrame, Ping, Pong, Subscribe, parse_frame
from schema.edge.operation_request import OperationRequest

QUERY = {"query": "{ a }"}


@pytest.mark.parametrize(
    ("message", "frame"),
    [
        ({"type": "connection_init"}, ConnectionInit({})),
        ({"type": "connection_init", "payload": None}, ConnectionInit({})),
        ({"type": "connection_init", "payload": {"a": 1}}, ConnectionInit({"a": 1})),
        ({"type": "ping"}, Ping(None)),
        ({"type": "ping", "payload": {"a": 1}}, Ping({"a": 1})),
        ({"type": "pong", "payload": None}, Pong()),
        ({"type": "subscribe", "id": "x", "payload": {**QUERY, "variables": None, "extra": 1}}, Subscribe("x", OperationRequest("{ a }"))),
        ({"type": "complete", "id": "x", "unknown": True}, Complete("x")),
    ],
)
def test_the_messages_of_the_protocol_are_read(message, frame):
    assert parse_frame(json.dumps(message)) == frame


@pytest.mark.parametrize(
    "message",
    [
        [],
        None,
        5,
        "connection_init",
        {},
        {"type": "hello"},
        {"type": {"a": 1}},
        {"type": "next", "id": "x", "payload": {}},
        {"type": "connection_init", "payload": []},
        {"type": "ping", "payload": "x"},
        {"type": "pong", "payload": 1},
        {"type": "subscribe", "payload": QUERY},
        {"type": "subscribe", "id": 7, "payload": QUERY},
        {"type": "subscribe", "id": {}, "payload": QUERY},
        {"type": "subscribe", "id": "", "payload": QUERY},
        {"type": "subscribe", "id": "x"},
        {"type": "subscribe", "id": "x", "payload": None},
        {"type": "subscribe", "id": "x", "payload": {"query": 5}},
        {"type": "subscribe", "id": "x", "payload": {**QUERY, "variables": [1]}},
        {"type": "subscribe", "id": "x", "payload": {**QUERY, "operationName": 5}},
        {"type": "subscribe", "id": "x", "payload": {**QUERY, "extensions": []}},
        {"type": "complete"},
        {"type": "complete", "id": []},
    ],
)
def test_every_other_message_is_malformed(message):
    with pytest.raises(MalformedFrame):
        parse_frame(json.dumps(message))


@pytest.mark.parametrize("text", [None, b"{}", "", "not json", "[" * 200_000, '{"type": "ping", "payload": {"n": 1e999}}'])
def test_what_is_no_json_text_is_malformed(text):
    with pytest.raises(MalformedFrame):
        parse_frame(text)
