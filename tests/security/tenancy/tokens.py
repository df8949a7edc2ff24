"""What comes with a request of somebody who is nobody, or is not any more."""

from datetime import timedelta

from resolvers.authentication import issue_development_token
from server import utc_now
from tests.security.tenancy.world import SECRET
from tests.server.running import SECRET as SIGNING_SECRET


def token(**life: float) -> str:
    """Ada's."""
    named = {"subject": SECRET, "name": f"Ada {SECRET}", "email": f"{SECRET}@example.org"}
    return issue_development_token(SIGNING_SECRET, **named, ttl=timedelta(**life), now=utc_now())


AUTHORIZATION = {"anonymous": {}, "expired": {"Authorization": f"Bearer {token(hours=-1)}"}}
