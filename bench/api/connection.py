"""A client that costs little: one keep-alive connection, requests that were made beforehand, one after the other."""

import re
import socket
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import orjson

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNK = 1 << 16


def request(path: str, token: str, document: str, variables: Mapping[str, object]) -> bytes:
    """A whole POST request."""
    body = orjson.dumps({"query": document, "variables": variables})
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nAccept: application/graphql-response+json\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection:
    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None) -> None:
        self._socket.close()

    def ask(self, sent: bytes) -> bytes:
        """The answer's body. Raises RuntimeError for any status but 200."""
        self._socket.sendall(sent)
        received = bytearray()
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._receive()
        head = bytes(received[:end])
        length = _LENGTH.search(head)
        if length is None or b" 200 " not in head.partition(b"\r\n")[0]:
            raise RuntimeError(bytes(received).decode(errors="replace"))
        whole = end + 4 + int(length[1])
        while len(received) < whole:
            received += self._receive()
        return bytes(received[end + 4 :])

    def _receive(self) -> bytes:
        received = self._socket.recv(_CHUNK)
        if not received:
            raise RuntimeError("the server hung up")
        return received
