"""The closed list of error codes, and the exception that brings one to the client."""

from enum import StrEnum


class ErrorCode(StrEnum):
    """Every value `extensions.code` can take; part of the public contract."""

    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    QUERY_TOO_COMPLEX = "QUERY_TOO_COMPLEX"
    RATE_LIMITED = "RATE_LIMITED"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    TIMEOUT = "TIMEOUT"
    INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"


class RequestError(Exception):
    """A request that cannot be answered, with a message that is shown to the client as it stands."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Unavailable(RequestError):  # noqa: N818 - named by what it means for the client
    """What the server itself depends on is away: nothing is wrong with the request, which may be sent again."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.INTERNAL_SERVER_ERROR, "The service is not available at the moment: try again.")


def unauthenticated() -> RequestError:
    return RequestError(ErrorCode.UNAUTHENTICATED, "A valid bearer token is required.")
