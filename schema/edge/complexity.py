"""How large a document is once its fragments are put in place, measured in time linear to its source."""

from collections.abc import Iterator
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from schema.edge.errors import ErrorCode, RequestError
from schema.edge.fragments import dependencies_first
from schema.edge.limits import Limits


@dataclass(slots=True)
class Complexity:
    """The size of a selection set, or of all operations of a document together (for depth: the deepest)."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    root_fields: int = 0
    root_names: frozenset[str] = frozenset()
    operations: int = 0


def measure(document: DocumentNode) -> Complexity:
    """Each fragment is measured once and then counted at every place it is spread.

    Raises: RequestError GRAPHQL_VALIDATION_FAILED, when fragments spread each other in a circle.
    """
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    measured: dict[str, Complexity] = {}
    for name in dependencies_first(fragments):
        measured[name] = _measure_selections(fragments[name].selection_set, measured)

    total = Complexity()
    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode):
            size = _measure_selections(operation.selection_set, measured)
            variables = operation.variable_definitions or ()
            total.depth = max(total.depth, size.depth)
            total.fields += size.fields
            total.aliases += size.aliases
            total.directives += size.directives + len(operation.directives or ()) + sum(len(v.directives or ()) for v in variables)
            total.root_fields = max(total.root_fields, size.root_fields)
            total.root_names |= size.root_names
            total.operations += 1
    return total


def refuse_if_too_complex(size: Complexity, limits: Limits) -> None:
    """Raises: RequestError QUERY_TOO_COMPLEX, naming the limit."""
    for name, found, allowed in (
        ("levels deep", size.depth, limits.depth),
        ("fields", size.fields, limits.fields),
        ("aliases", size.aliases, limits.aliases),
        ("directives", size.directives, limits.directives),
        ("root fields", size.root_fields, limits.root_fields),
        ("operations", size.operations, limits.operations),
    ):
        if found > allowed:
            raise RequestError(ErrorCode.QUERY_TOO_COMPLEX, f"The document is too complex: more than {allowed} {name}.")


def _measure_selections(selection_set: SelectionSetNode, measured: dict[str, Complexity]) -> Complexity:
    size = Complexity()
    for node, depth, at_root in _selections(selection_set):
        size.directives += len(node.directives or ())
        if isinstance(node, FieldNode):
            size.depth = max(size.depth, depth)
            size.fields += 1
            size.aliases += node.alias is not None
            if at_root:
                size.root_fields += 1
                size.root_names |= {node.name.value}
        elif isinstance(node, FragmentSpreadNode) and (fragment := measured.get(node.name.value)):
            size.depth = max(size.depth, depth - 1 + fragment.depth)
            size.fields += fragment.fields
            size.aliases += fragment.aliases
            size.directives += fragment.directives
            if at_root:
                size.root_fields += fragment.root_fields
                size.root_names |= fragment.root_names
    return size


def _selections(selection_set: SelectionSetNode) -> Iterator[tuple[SelectionNode, int, bool]]:
    """Every selection below, with its depth and whether it belongs to the outermost object.

    A stack instead of recursion: the depth is the client's choice.
    """
    pending = [(selection_set, 1, True)]
    while pending:
        current, depth, at_root = pending.pop()
        for node in current.selections:
            yield node, depth, at_root
            if isinstance(node, FieldNode) and node.selection_set:
                pending.append((node.selection_set, depth + 1, False))
            elif isinstance(node, InlineFragmentNode):
                pending.append((node.selection_set, depth, at_root))
