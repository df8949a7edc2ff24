"""What one request, one document and one socket may ask of the server."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Lengths are characters or bytes as named, durations are seconds.

    The HTTP server must be told the ones it enforces itself: with uvicorn `ws_max_size=limits.frame_bytes`.
    It should also run with `ws_per_message_deflate=False` (a small frame cannot then grow into a large one).
    """

    # The standard introspection query is exactly 15 deep.
    depth: int = 15
    # Comparing fields of the same name with each other is the slowest part of validation, and quadratic.
    fields: int = 1_000
    aliases: int = 30
    root_fields: int = 20
    directives: int = 50
    # Points of one operation. 20 projects with 20 chapters each and their latest versions take 850 to 1,700, a receipt with all its
    # candidates and their sources 2,000, and the quality of all chapters of the longest book with its findings' numbers 4,000.
    cost: int = 10_000
    tokens: int = 5_000
    # Without a token there is only the schema to ask for, which takes some 300.
    anonymous_tokens: int = 1_000
    characters: int = 256_000
    operations: int = 10
    validation_errors: int = 5
    # Source text of the validated documents that are kept, with what their plans weigh: 150 to 400 bytes for each character.
    cached_characters: int = 256_000

    # The longest chapter has to reach its resolver, which explains the refusal better than a closed connection.
    body_bytes: int = 16 * 1024 * 1024
    # Without a token only introspection is possible, and that is small.
    anonymous_body_bytes: int = 64 * 1024
    body_seconds: float = 60
    query_seconds: float = 15
    mutation_seconds: float = 30

    frame_bytes: int = 4 * 1024 * 1024
    operations_per_socket: int = 50
    connections_per_viewer: int = 10
    # Streams over HTTP carry one operation each.
    streams_per_viewer: int = 50
    # A page that opens starts some twenty subscriptions at once, and later sends a few messages a second at most.
    messages_at_once: int = 500
    messages_per_second: float = 20
    init_seconds: float = 10
    # However long its token is valid, so that the connections of a fleet settle anew after a deployment or a move.
    connection_seconds: float = 3600
    # How often it is asked whether the token of an open connection is still accepted.
    recheck_seconds: float = 30
    heartbeat_seconds: float = 12
    # A client that stops reading is gone after these two together, and nothing but one message is kept for it until then.
    send_seconds: float = 15
    close_seconds: float = 5

    # Source text of the documents that viewers have brought to be named later (automatic persisted queries).
    remembered_characters: int = 4_000_000
