import pytest

from schema.edge.media_types import GRAPHQL_RESPONSE, JSON, preferred_media_type


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
    assert preferred_media_type(accept) == chosen
