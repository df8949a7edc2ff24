"""From a verified token to the user it speaks for; a user's row appears when a token of theirs is first seen."""

from collections import OrderedDict
from datetime import datetime, timedelta

from domain.access import User, Viewer
from domain.ports import Clock, Ids, Library
from resolvers.authentication import Authenticator, Claims

REMEMBERED = 10_000
FRESH_FOR = timedelta(minutes=5)


class Viewers:
    """Profiles are written when they change, and at most every `FRESH_FOR` otherwise, so that a request costs no write."""

    def __init__(self, *, authenticator: Authenticator, library: Library, clock: Clock, ids: Ids) -> None:
        self._authenticator = authenticator
        self._library = library
        self._clock = clock
        self._ids = ids
        self._seen: OrderedDict[tuple[str, str, str | None, str | None], tuple[User, datetime]] = OrderedDict()

    async def authenticate(self, token: str) -> Viewer:
        """Raises AuthenticationFailed for anything but a valid token."""
        claims = await self._authenticator.authenticate(token)
        return Viewer(await self._user(claims), claims.expires_at)

    async def _user(self, claims: Claims) -> User:
        email = claims.email if claims.email_verified else None
        key = (claims.issuer, claims.subject, claims.name, email)
        now = self._clock()
        if key in self._seen and now - self._seen[key][1] < FRESH_FOR:
            return self._seen[key][0]
        name = claims.name or (email or claims.subject).partition("@")[0]
        user = await self._library.user_seen(
            issuer=claims.issuer, subject=claims.subject, name=name, email=email, new_id=self._ids(), at=now
        )
        self._seen[key] = (user, now)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return user
