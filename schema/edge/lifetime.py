"""For how long a connection may go on."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Generic, TypeVar

from resolvers.authentication import CLOCK_SKEW, AuthenticationFailed
from schema.edge.limits import Limits
from schema.edge.viewers import ConnectedViewer

ViewerT = TypeVar("ViewerT", bound=ConnectedViewer)


class End(Enum):
    """Why a connection has to end. After the last the client may come back with the same token."""

    EXPIRED = auto()
    REVOKED = auto()
    TOO_OLD = auto()


class Lifetime(Generic[ViewerT]):
    """Begins now, for a viewer whose token has just been verified."""

    def __init__(
        self,
        token: str,
        viewer: ViewerT,
        *,
        authenticate: Callable[[str], Awaitable[ViewerT]],
        limits: Limits,
        now: Callable[[], datetime],
    ) -> None:
        self._token = token
        self._authenticate = authenticate
        self._now = now
        self._between_checks = limits.recheck_seconds
        started = now()
        self._oldest = started + timedelta(seconds=limits.connection_seconds)
        # Whoever comes with a token that ended just now has a clock behind ours; whoever is here when it ends has had their time.
        late = viewer.expires_at <= started
        self._expires_at = viewer.expires_at + CLOCK_SKEW if late else viewer.expires_at

    async def end(self) -> End:
        """Returns when the connection has to end. Whether the token is still accepted is asked from time to time."""
        while (remaining := (min(self._expires_at, self._oldest) - self._now()).total_seconds()) > 0:
            # Never the whole time at once: it is the wall clock that counts, and that may be set.
            await asyncio.sleep(min(remaining, self._between_checks))
            if remaining > self._between_checks and await self._is_revoked():
                return End.REVOKED
        return End.EXPIRED if self._expires_at <= self._oldest else End.TOO_OLD

    async def _is_revoked(self) -> bool:
        try:
            await self._authenticate(self._token)
        except AuthenticationFailed:
            return True
        except Exception:  # noqa: BLE001 - a database that is away says nothing about the token; the next check may
            return False
        return False
