"""What the operations on a schema cost."""

from collections.abc import Mapping
from typing import Final

from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode

from domain.paging import MAXIMUM_PAGE_SIZE
from schema.edge.cost.document import CompiledCost, compile_cost
from schema.edge.cost.weights import FieldCost, Weights
from schema.edge.errors import ErrorCode, RequestError

LARGEST_SLICE: Final = MAXIMUM_PAGE_SIZE


class CostModel:
    """Points for objects and for work, as the `@cost` and `@listSize` directives of a Strawberry schema declare them.

    What an operation has really used is the sum, over the fields that were executed, of `call` for each execution and `item` for each
    object that came of it, as `field` says them. It is at most the estimate as long as no list is longer than it declares.
    """

    def __init__(self, schema: GraphQLSchema, *, largest_slice: int = LARGEST_SLICE) -> None:
        self.weights: Final = Weights(schema)
        self._largest_slice = largest_slice

    def field(self, parent_type_name: str, field_name: str) -> FieldCost:
        """`parent_type_name` is the object's own type, not an interface of it."""
        return self.weights.field(parent_type_name, field_name)

    def compile(self, document: DocumentNode) -> CompiledCost:
        """Raises: RequestError, when fragments spread each other in a circle."""
        return compile_cost(document, self.weights, largest_slice=self._largest_slice)

    def estimate(self, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, object]) -> int:
        """As `compile(document).of(...)`, for a document that is costed only once."""
        return self.compile(document).of(operation.name.value if operation.name else None, variables)


def refuse_if_too_costly(cost: int, limit: int) -> None:
    """Raises: RequestError QUERY_TOO_COMPLEX, with both numbers."""
    if cost > limit:
        raise RequestError(
            ErrorCode.QUERY_TOO_COMPLEX,
            f"The operation could cost {cost:,} points; the most is {limit:,}. Ask for smaller pages (`first`), or for less at once.",
        )
