"""The parameters of one GraphQL operation, in the shape HTTP bodies and `subscribe` messages share."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SHA256 = re.compile(r"[0-9a-f]{64}")


class MalformedRequest(ValueError):  # noqa: N818 - named after what the client sent
    """A parameter is missing or has the wrong type; the message says which."""


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """`query` is empty when the client names its document by `document_id` alone.

    `document_id` is what came as `documentId`, or "sha256:" and the hash of an automatic persisted query.
    """

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    document_id: str | None = None

    @classmethod
    def parse(cls, parameters: object) -> "OperationRequest":
        """Unknown members are ignored, as the specification asks.

        Raises: MalformedRequest.
        """
        if not isinstance(parameters, Mapping):
            raise MalformedRequest("The request must be a JSON object.")
        extensions = parameters.get("extensions")
        if not isinstance(extensions, dict | None):
            raise MalformedRequest("`extensions` must be an object.")
        document_id = parameters.get("documentId")
        if not isinstance(document_id, str | None):
            raise MalformedRequest("`documentId` must be a string.")
        document_id = document_id or _persisted_query(extensions or {})
        query = parameters.get("query")
        if not isinstance(query, str | None) or not (query or document_id):
            raise MalformedRequest("`query` must be a string with a GraphQL document.")
        variables = parameters.get("variables")
        if not isinstance(variables, dict | None):
            raise MalformedRequest("`variables` must be an object.")
        operation_name = parameters.get("operationName")
        if not isinstance(operation_name, str | None):
            raise MalformedRequest("`operationName` must be a string.")
        return cls(query or "", variables, operation_name, document_id)


def _persisted_query(extensions: Mapping[str, object]) -> str | None:
    match extensions.get("persistedQuery"):
        case None:
            return None
        case {"version": 1, "sha256Hash": str(digest)} if _SHA256.fullmatch(digest.lower()):
            return f"sha256:{digest.lower()}"
        case _:
            raise MalformedRequest("`extensions.persistedQuery` must have the version 1 and a sha256Hash.")
