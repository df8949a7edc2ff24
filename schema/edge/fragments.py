"""In which order fragments can be worked out, each once."""

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, InlineFragmentNode

from schema.edge.errors import ErrorCode, RequestError


def dependencies_first(fragments: Mapping[str, FragmentDefinitionNode]) -> list[str]:
    """Every fragment behind those that it spreads.

    Raises: RequestError GRAPHQL_VALIDATION_FAILED, when fragments spread each other in a circle.
    """
    spreads = {name: set(_spread_by(fragment)) & fragments.keys() for name, fragment in fragments.items()}
    try:
        return list(TopologicalSorter(spreads).static_order())
    except CycleError as error:
        raise RequestError(ErrorCode.GRAPHQL_VALIDATION_FAILED, "Fragments must not spread each other in a circle.") from error


def _spread_by(fragment: FragmentDefinitionNode) -> Iterator[str]:
    pending = [fragment.selection_set]
    while pending:
        for node in pending.pop().selections:
            if isinstance(node, FragmentSpreadNode):
                yield node.name.value
            elif isinstance(node, FieldNode | InlineFragmentNode) and node.selection_set:
                pending.append(node.selection_set)
