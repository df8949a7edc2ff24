"""Running one operation for one viewer, however it arrived."""

from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing
from typing import Generic, TypeVar

import strawberry
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from schema.edge.errors import ErrorCode, RequestError
from schema.edge.masking import ErrorPresenter, Reply
from schema.edge.operation_request import OperationRequest

ViewerT = TypeVar("ViewerT")


class OperationTypeNotOffered(RequestError):  # noqa: N818 - a refusal is an answer, not a malfunction
    """The transport cannot carry this type of operation."""

    def __init__(self, operation_type: OperationType) -> None:
        super().__init__(ErrorCode.BAD_USER_INPUT, f"A {operation_type.value} cannot be sent this way.")
        self.operation_type = operation_type


class Operations(Generic[ViewerT]):
    """`context` makes a new request context for each operation; `viewer` None stands for a client without a token."""

    def __init__(self, schema: strawberry.Schema, *, context: Callable[[ViewerT], object], present: ErrorPresenter) -> None:
        self._schema = schema
        self._context = context
        self._present = present

    async def execute(self, request: OperationRequest, viewer: ViewerT | None, *, offered: Collection[OperationType]) -> Reply:
        """Raises: RequestError, when the document has no operation that can be run this way."""
        try:
            result = await self._schema.execute(
                request.query,
                variable_values=request.variables,
                operation_name=request.operation_name,
                context_value=None if viewer is None else self._context(viewer),
                allowed_operation_types=offered,
            )
        except InvalidOperationTypeError as error:
            raise OperationTypeNotOffered(error.operation_type) from error
        except CannotGetOperationTypeError as error:
            raise RequestError(ErrorCode.BAD_USER_INPUT, "The document has no operation of this name.") from error
        return self._present.reply_to(result)

    async def stream(self, request: OperationRequest, viewer: ViewerT) -> AsyncGenerator[Reply]:
        """One reply for a query or mutation, one for each event of a subscription."""
        results = await self._schema.stream(
            request.query,
            variable_values=request.variables,
            operation_name=request.operation_name,
            context_value=self._context(viewer),
        )
        async with aclosing(results):
            async for result in results:
                # Incremental delivery, the only other kind of result, is switched off in the schema's configuration.
                assert isinstance(result, ExecutionResult)
                yield self._present.reply_to(result)
