"""Tokens that were verified a moment ago: clients send the same one with every request."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from resolvers.authentication import CLOCK_SKEW, AuthenticationFailed, Authenticator, Claims

REMEMBERED: Final = 2_000
FOR: Final = timedelta(seconds=30)


class RememberedTokens:
    """Verifies a token anew after `FOR`, so that what a withdrawn key has signed is accepted for that much longer at most; and never
    accepts one that has expired. Only valid tokens are remembered, of which nobody can make many.
    """

    def __init__(self, authenticator: Authenticator, *, now: Callable[[], datetime]) -> None:
        self._authenticator = authenticator
        self._now = now
        self._verified: OrderedDict[object, tuple[Claims, datetime]] = OrderedDict()

    async def authenticate(self, token: object) -> Claims:
        """Raises as the authenticator."""
        now = self._now()
        claims, at = self._verified.get(token, (None, now)) if isinstance(token, str) else (None, now)
        if claims is not None and timedelta() <= now - at < FOR:
            if now >= claims.expires_at + CLOCK_SKEW:
                raise AuthenticationFailed
            return claims
        claims = await self._authenticator.authenticate(token)
        self._verified[token] = (claims, now)
        self._verified.move_to_end(token)
        if len(self._verified) > REMEMBERED:
            self._verified.popitem(last=False)
        return claims
