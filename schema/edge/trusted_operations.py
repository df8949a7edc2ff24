"""Operations whose document may be named instead of sent, whatever brings them."""

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from typing import Generic, TypeVar

from strawberry.types.graphql import OperationType

from schema.edge.masking import Reply
from schema.edge.operation_request import OperationRequest
from schema.edge.operations import Answer, Operations
from schema.edge.trusted_documents import TrustedDocuments

ViewerT = TypeVar("ViewerT")


class TrustedOperations(Generic[ViewerT]):
    """As `Operations`, which then always have a document. A reply with data shows that it was valid."""

    def __init__(self, operations: Operations[ViewerT], documents: TrustedDocuments) -> None:
        self._operations = operations
        self._documents = documents

    async def execute(
        self, request: OperationRequest, viewer: ViewerT | None, *, offered: Collection[OperationType], address: str = ""
    ) -> Answer:
        """Raises: RequestError, when there is no such document, or it has no operation that can be run this way."""
        request = self._documents.resolve(request, anonymous=viewer is None)
        answer = await self._operations.execute(request, viewer, offered=offered, address=address)
        if viewer is not None and "data" in answer.reply:
            self._documents.remember(request)
        return answer

    async def stream(self, request: OperationRequest, viewer: ViewerT) -> AsyncGenerator[Reply]:
        """One reply for a query or mutation, one for each event of a subscription. Raises: RequestError, as `execute` does."""
        request = self._documents.resolve(request, anonymous=False)
        async with aclosing(self._operations.stream(request, viewer)) as replies:
            first = True
            async for reply in replies:
                if first and "data" in reply:
                    self._documents.remember(request)
                first = False
                yield reply
