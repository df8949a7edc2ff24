import pytest

from schema.edge.media_types import EVENT_STREAM, GRAPHQL_RESPONSE, JSON, MULTIPART, Accepted

APOLLO_MULTIPART = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL_RESPONSE, GRAPHQL_RESPONSE),
        ("Application/GraphQL-Response+JSON; charset=utf-8", GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE},{JSON};q=0.9", GRAPHQL_RESPONSE),
        (f"{JSON};q=0.9, {GRAPHQL_RESPONSE}", GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE};q=0.1, {JSON}", JSON),
        (f"{GRAPHQL_RESPONSE}, application/graphql+json, {JSON}, text/event-stream, multipart/mixed", GRAPHQL_RESPONSE),
        (f"multipart/mixed;q=1, text/html, {GRAPHQL_RESPONSE};q=0.5", GRAPHQL_RESPONSE),
        (f"*/*, {JSON};q=0", None),
        (f"{JSON};q=0, {GRAPHQL_RESPONSE}", GRAPHQL_RESPONSE),
        (f"{JSON};q=high", None),
        ("image/png", None),
        ("text/event-stream", None),
        (",;,", None),
    ],
)
def test_the_media_type_the_client_likes_best_is_chosen(accept, chosen):
    assert Accepted.read(accept).whole == chosen


@pytest.mark.parametrize(
    ("accept", "stream", "preferred"),
    [
        (None, None, False),
        ("*/*", None, False),
        (JSON, None, False),
        (EVENT_STREAM, EVENT_STREAM, True),
        ("Text/Event-Stream; charset=utf-8", EVENT_STREAM, True),
        (f"{EVENT_STREAM};q=0, {JSON}", None, False),
        (f"{GRAPHQL_RESPONSE}, {JSON}, {EVENT_STREAM}, multipart/mixed", EVENT_STREAM, False),
        (f"{JSON};q=0.9, {EVENT_STREAM}", EVENT_STREAM, True),
        (f"{EVENT_STREAM}, {APOLLO_MULTIPART}", EVENT_STREAM, True),
        (f"{APOLLO_MULTIPART},{GRAPHQL_RESPONSE},{JSON};q=0.9", MULTIPART, True),
        ('multipart/mixed; boundary="-"; subscriptionSpec="1.0"', MULTIPART, True),
        ("multipart/mixed", None, False),
        ("multipart/mixed;deferSpec=20220824, application/json", None, False),
        ("multipart/mixed;subscriptionSpec=2.0", None, False),
    ],
)
def test_a_stream_is_chosen_where_the_client_can_read_it_and_likes_it_best(accept, stream, preferred):
    accepted = Accepted.read(accept)
    assert (accepted.stream, accepted.prefers_stream) == (stream, preferred)
