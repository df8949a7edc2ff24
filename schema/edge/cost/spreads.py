"""In which order fragments can be costed."""

from collections.abc import Iterator, Mapping

from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, InlineFragmentNode


def dependencies_first(fragments: Mapping[str, FragmentDefinitionNode]) -> list[str]:
    """Every fragment behind those that it spreads. Circles, which no valid document has, are cut somewhere."""
    ordered: list[str] = []
    begun: set[str] = set()
    for first in fragments:
        pending = [] if first in begun else [(first, _spread_by(fragments[first]))]
        begun.add(first)
        while pending:
            name, spreads = pending[-1]
            following = next((spread for spread in spreads if spread in fragments and spread not in begun), None)
            if following is None:
                ordered.append(name)
                pending.pop()
            else:
                begun.add(following)
                pending.append((following, _spread_by(fragments[following])))
    return ordered


def _spread_by(fragment: FragmentDefinitionNode) -> Iterator[str]:
    pending = [fragment.selection_set]
    while pending:
        for node in pending.pop().selections:
            if isinstance(node, FragmentSpreadNode):
                yield node.name.value
            elif isinstance(node, FieldNode | InlineFragmentNode) and node.selection_set:
                pending.append(node.selection_set)
