"""One execution of one operation: what its fields are given, and the errors they have left."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from graphql import FieldNode, GraphQLError, GraphQLSchema, located_error
from graphql.execution.values import VariableValues


class Failed:
    """Stands where a value could not be had; the error is recorded already."""

    def __repr__(self) -> str:
        return "FAILED"


FAILED: Final = Failed()


class Places(Protocol):
    """Where in the response the values of a list go."""

    def path(self, index: int) -> list[str | int]:
        """Of the value at this index. Only errors need it, so it is worked out when it is asked for."""


@dataclass(frozen=True, slots=True)
class Info:
    """What resolvers are given as `info`, and Strawberry's resolvers of types."""

    context: Any
    schema: GraphQLSchema
    field_name: str = ""

    @staticmethod
    def is_awaitable(_value: object) -> bool:
        """Types are told at once."""
        return False


@dataclass(slots=True)
class Run:
    """`used` counts the cost of what was really produced."""

    info: Info
    variables: VariableValues
    errors: list[GraphQLError] = field(default_factory=list)
    used: int = 0

    def fail(self, error: Exception, nodes: Sequence[FieldNode], path: list[str | int]) -> Failed:
        self.errors.append(located_error(error, nodes, path))
        return FAILED
