"""Reading server-sent events out of bytes as they arrive.

Rules: WHATWG HTML, section 9.2.6 "Interpreting an event stream". Lines are cut as bytes, which no character of UTF-8 can be torn by,
so text is decoded only when an event is whole. Only the data of events matters here; names, ids and comments are passed over.
"""

import re
from collections.abc import Iterator

MAXIMUM_EVENT_BYTES = 4 * 1024 * 1024

# A carriage return at the very end may be half a line end, so it waits for what follows.
_LINE_END = re.compile(rb"\r\n|\n|\r(?=.)", re.DOTALL)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventTooLarge(ValueError):  # noqa: N818 - says what is wrong
    pass


class EventStream:
    def __init__(self) -> None:
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._size = 0
        self._started = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The data of each event that this chunk completes. An event that the end of the stream leaves incomplete never comes out.

        Raises EventTooLarge.
        """
        for line in self._lines(chunk):
            if line:
                self._add(line)
            elif self._data:
                yield b"\n".join(self._data)
                self._data, self._size = [], 0
        if self._size + len(self._rest) > MAXIMUM_EVENT_BYTES:
            raise EventTooLarge

    def _lines(self, chunk: bytes) -> list[bytes]:
        halved = self._rest.endswith(b"\r")
        self._rest += chunk
        # A long line is searched for its end only where that can be, not from its beginning with each packet.
        if not (halved or b"\n" in chunk or b"\r" in chunk):
            return []
        *lines, rest = _LINE_END.split(self._rest)
        self._rest = bytearray(rest)
        if lines and not self._started:
            self._started = True
            lines[0] = lines[0].removeprefix(_BYTE_ORDER_MARK)
        return lines

    def _add(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" "))
            self._size += len(value)
            if self._size > MAXIMUM_EVENT_BYTES:
                raise EventTooLarge
