"""`scriptorium token`: somebody to be, for development."""

from datetime import timedelta

from commands.refusal import CannotStart
from resolvers.authentication import issue_development_token
from server import utc_now
from settings import Settings

LONGEST_NAME = 255


def development_token(settings: Settings, *, user: str, email: str | None, ttl: timedelta) -> str:
    """Raises CannotStart where tokens come from an identity provider, and for a name that no token can carry."""
    if settings.jwt_secret is None:
        raise CannotStart("Tokens come from SCRIPTORIUM_JWT_ISSUER here: sign in there for one.")
    if not user.isprintable() or not 0 < len(user) <= LONGEST_NAME:
        raise CannotStart(f"--user must be a name of 1 to {LONGEST_NAME} printable characters.")
    secret = str(settings.jwt_secret)
    return issue_development_token(secret, subject=user, name=user, email=email, ttl=ttl, now=utc_now())
