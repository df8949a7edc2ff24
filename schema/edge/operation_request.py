"""The parameters of one GraphQL operation, in the shape HTTP bodies and `subscribe` messages share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class MalformedRequest(ValueError):  # noqa: N818 - named after what the client sent
    """A parameter is missing or has the wrong type; the message says which."""


@dataclass(frozen=True, slots=True)
class OperationRequest:
    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None

    @classmethod
    def parse(cls, parameters: object) -> "OperationRequest":
        """Unknown members are ignored, as the specification asks.

        Raises: MalformedRequest.
        """
        if not isinstance(parameters, Mapping):
            raise MalformedRequest("The request must be a JSON object.")
        query = parameters.get("query")
        if not isinstance(query, str) or not query:
            raise MalformedRequest("`query` must be a string with a GraphQL document.")
        variables = parameters.get("variables")
        if not isinstance(variables, dict | None):
            raise MalformedRequest("`variables` must be an object.")
        operation_name = parameters.get("operationName")
        if not isinstance(operation_name, str | None):
            raise MalformedRequest("`operationName` must be a string.")
        if not isinstance(parameters.get("extensions"), dict | None):
            raise MalformedRequest("`extensions` must be an object.")
        return cls(query, variables, operation_name)
