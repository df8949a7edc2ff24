"""The two ways to put the replies of one operation into the body of an HTTP response."""

from typing import Final, Protocol

from schema.edge import json_text
from schema.edge.masking import Reply
from schema.edge.media_types import EVENT_STREAM, MULTIPART


class Framing(Protocol):
    """`completion` is the last there is when the operation has ended."""

    content_type: str
    opening: bytes
    heartbeat: bytes
    completion: bytes

    def reply(self, reply: Reply) -> bytes:
        """One result of the operation."""

    def interruption(self, reply: Reply) -> bytes:
        """The last there is when the server has to end the stream and the client had better ask again."""

    def refusal(self, reply: Reply) -> bytes:
        """The last there is when the viewer must not go on."""


class EventStream:
    """Server-sent events, as graphql-sse reads them on distinct connections. Lines end with LF alone: urql splits there."""

    content_type = f"{EVENT_STREAM}; charset=utf-8"
    opening = b":\n\n"
    heartbeat = b":\n\n"
    completion = b"event: complete\ndata:\n\n"

    def reply(self, reply: Reply) -> bytes:
        return b"event: next\ndata: " + json_text.encode(reply) + b"\n\n"

    def interruption(self, reply: Reply) -> bytes:  # noqa: ARG002 - said by leaving `complete` out, which makes clients ask again
        return b""

    def refusal(self, reply: Reply) -> bytes:
        return self.reply(reply) + self.completion


class Multipart:
    """Apollo's multipart subscription protocol. The delimiter ends each part, so that it can be read as soon as it is there."""

    content_type = f'{MULTIPART};boundary="graphql";subscriptionSpec=1.0'
    opening = b"--graphql"
    heartbeat = b"\r\nContent-Type: application/json\r\n\r\n{}\r\n--graphql"
    completion = b"--\r\n"

    def reply(self, reply: Reply) -> bytes:
        return self._part({"payload": reply})

    def interruption(self, reply: Reply) -> bytes:
        return self._part({"payload": None, "errors": reply["errors"]}) + self.completion

    refusal = interruption

    def _part(self, content: object) -> bytes:
        return b"\r\nContent-Type: application/json\r\n\r\n" + json_text.encode(content) + b"\r\n--graphql"


FRAMINGS: Final[dict[str, Framing]] = {EVENT_STREAM: EventStream(), MULTIPART: Multipart()}
