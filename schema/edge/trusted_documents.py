"""Documents that a request may name instead of sending them."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

from schema.edge.errors import ErrorCode, RequestError, unauthenticated
from schema.edge.operation_request import OperationRequest


def identify(document: str) -> str:
    """The id that any document has without being given one."""
    return f"sha256:{sha256(document.encode('utf-8', 'surrogatepass')).hexdigest()}"


class TrustedDocuments:
    """Those of the operator's manifest for ever, and those that viewers have brought for as long as there is room.

    With `only`, nothing but the manifest is accepted, by id or as text.
    """

    def __init__(self, manifest: Mapping[str, str], *, only: bool, most_characters: int) -> None:
        self._manifest = {identify(document): document for document in manifest.values()} | dict(manifest)
        self._only = only
        self._brought: OrderedDict[str, str] = OrderedDict()
        self._room = most_characters

    def resolve(self, request: OperationRequest, *, anonymous: bool) -> OperationRequest:
        """The request with its document.

        Raises: RequestError PERSISTED_QUERY_NOT_FOUND, upon which clients send the document itself; BAD_USER_INPUT for
        a document that is not what its id says; FORBIDDEN for one the operator has not chosen to trust.
        """
        if not request.query:
            return replace(request, query=self._find(request.document_id or "", anonymous=anonymous))
        if self._is_misnamed(request):
            raise RequestError(ErrorCode.BAD_USER_INPUT, "The document is not the one that its id belongs to.")
        if self._only and identify(request.query) not in self._manifest:
            raise RequestError(ErrorCode.FORBIDDEN, "Only the documents that are registered here can be executed.")
        return request

    def remember(self, request: OperationRequest) -> None:
        """Call this with a resolved request whose document has proved valid, for a viewer with a token only."""
        name = request.document_id
        if name is None or self._only or name in self._manifest or name != identify(request.query):
            return
        if name in self._brought:
            self._brought.move_to_end(name)
            return
        self._brought[name] = request.query
        self._room -= len(request.query)
        while self._room < 0:
            _, forgotten = self._brought.popitem(last=False)
            self._room += len(forgotten)

    def _find(self, name: str, *, anonymous: bool) -> str:
        document = self._manifest.get(name)
        if document is None and anonymous:
            # Whoever has no token learns nothing of what others ask.
            raise unauthenticated()
        document = document or self._brought.get(name)
        if document is None:
            # Apollo's clients know this message rather than the code.
            raise RequestError(ErrorCode.PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound")
        return document

    def _is_misnamed(self, request: OperationRequest) -> bool:
        name = request.document_id
        if name is None:
            return False
        if name.startswith("sha256:"):
            return name != identify(request.query)
        return self._manifest.get(name, request.query) != request.query
