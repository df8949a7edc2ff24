"""Where a client puts its token."""

from collections.abc import Mapping

from resolvers.authentication import AuthenticationFailed


def token_from_header(authorization: str) -> str:
    """Raises: AuthenticationFailed, for any scheme but Bearer."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise AuthenticationFailed
    return token.strip(" ")


def token_from_connection(payload: Mapping[str, object]) -> str | None:
    """The token of a `connection_init` payload, with or without its scheme; None when there is none.

    Raises: AuthenticationFailed, when it is not a string.
    """
    value = payload.get("authorization", payload.get("Authorization"))
    if value is None:
        return None
    if not isinstance(value, str):
        raise AuthenticationFailed
    return token_from_header(value) if " " in value else value
