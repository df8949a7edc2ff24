"""A last look before a request leaves: the connection stands, nothing has been sent yet, and what the look raises keeps it that way.

Between the decision to call and the first byte lie a connection and a handshake. A machine may sleep in there, and wake up when the call
is not wanted any more.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx2

ABOUT_TO_SEND = "send_request_headers.started"

Look = Callable[[], None]


class LastLooks:
    """The looks at requests that are under way, found again by the value of the `header` that tells the requests apart."""

    def __init__(self, header: str) -> None:
        self._header = header
        self._looks: dict[str, _Look] = {}

    @contextmanager
    def at(self, identity: UUID, look: Look) -> Iterator[None]:
        """Raises what `look` raised, whatever layers between here and the network have made of it."""
        watched = self._looks[str(identity)] = _Look(look)
        try:
            yield
        except Exception:
            if watched.raised is not None:
                raise watched.raised from None
            raise
        finally:
            del self._looks[str(identity)]

    async def attach(self, request: httpx2.Request) -> None:
        """For `event_hooks` of the HTTP client."""
        if (look := self._looks.get(request.headers.get(self._header, ""))) is not None:
            request.extensions = {**request.extensions, "trace": look.trace}


class _Look:
    def __init__(self, look: Look) -> None:
        self._look = look
        self.raised: Exception | None = None

    async def trace(self, event: str, _: Mapping[str, Any]) -> None:
        if event.endswith(ABOUT_TO_SEND):
            try:
                self._look()
            except Exception as refusal:
                self.raised = refusal
                raise
