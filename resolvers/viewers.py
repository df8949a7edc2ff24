"""From a verified token to the user it speaks for; a user's row appears when a token of theirs is first seen."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.access import User, Viewer
from domain.ports import Clock, Ids, Library
from resolvers.authentication import Authenticator, Claims

REMEMBERED = 10_000
FRESH_FOR = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Seen:
    """A user as the database had them at that time."""

    user: User
    at: datetime


class Viewers:
    """Profiles are those of the token seen last. One that stays the same is looked at once in `FRESH_FOR`, not with every request."""

    def __init__(self, *, authenticator: Authenticator, library: Library, clock: Clock, ids: Ids) -> None:
        self._authenticator = authenticator
        self._library = library
        self._clock = clock
        self._ids = ids
        self._seen: OrderedDict[tuple[str, str], Seen] = OrderedDict()

    async def authenticate(self, token: str) -> Viewer:
        """Raises AuthenticationFailed for anything but a valid token."""
        claims = await self._authenticator.authenticate(token)
        return Viewer(await self._user(claims), claims.expires_at)

    async def _user(self, claims: Claims) -> User:
        email = claims.email if claims.email_verified else None
        name = claims.name or (email or claims.subject).partition("@")[0] or claims.subject
        person, now = (claims.issuer, claims.subject), self._clock()
        seen = self._seen.get(person)
        if seen is not None and (seen.user.name, seen.user.email) == (name, email) and now - seen.at < FRESH_FOR:
            return seen.user
        user = await self._library.user_seen(
            issuer=claims.issuer, subject=claims.subject, name=name, email=email, new_id=self._ids(), at=now
        )
        self._seen[person] = Seen(user, now)
        self._seen.move_to_end(person)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return user
