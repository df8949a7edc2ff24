"""The cost of a document's operations, compiled once and then worked out for any variables."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    value_from_ast_untyped,
)

from schema.edge.cost.conditions import Condition, conditions_of
from schema.edge.cost.program import Amount, Program, Variables
from schema.edge.cost.slicing import add_slice
from schema.edge.cost.weights import Weights
from schema.edge.fragments import dependencies_first


class CostOfSelection(NamedTuple):
    """What a selection costs for one object: `own`, and `sized` for each item of the page that the object is."""

    own: Amount = 0
    sized: Amount = 0


_NOTHING: Final = CostOfSelection()


class Selected(NamedTuple):
    """A field or spread, without the inline fragments around it: the object types it is for, and what leaves it out."""

    node: FieldNode | FragmentSpreadNode
    kinds: frozenset[str]
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class CompiledCost:
    """`steps` is how much there is to do for each request; nothing where no variable matters."""

    program: Program
    operations: Mapping[str | None, tuple[Amount, Variables]]

    @property
    def steps(self) -> int:
        return len(self.program)

    def of(self, operation_name: str | None, variables: Variables | None) -> int:
        """The most points that the operation can take; of a subscription, for each of its events. Variables need not be valid.

        No name stands for the only operation. 0 for one that the document does not have, which cannot be executed.
        """
        if operation_name is None and len(self.operations) == 1:
            (operation_name,) = self.operations
        amount, defaults = self.operations.get(operation_name, (0, {}))
        return amount if isinstance(amount, int) else self.program.run(amount, {**defaults, **(variables or {})})


def compile_cost(document: DocumentNode, weights: Weights, *, largest_slice: int) -> CompiledCost:
    """In time linear to the document, whatever it is: each fragment is costed once for each type it can be spread on.

    A field that is selected twice is counted twice, although it is executed once. Of the possible types of an interface or union the
    dearest counts, since an object is of one type only. What does not exist costs nothing.
    """
    compiler = _Compiler(document, weights, largest_slice)
    operations = {
        node.name.value if node.name else None: (compiler.operation(node), _defaults(node))
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
    }
    return CompiledCost(compiler.program, operations)


def _defaults(operation: OperationDefinitionNode) -> Variables:
    return {
        definition.variable.name.value: value_from_ast_untyped(definition.default_value)
        for definition in operation.variable_definitions or ()
        if definition.default_value
    }


class _Compiler:
    def __init__(self, document: DocumentNode, weights: Weights, largest_slice: int) -> None:
        self.program = Program()
        self._weights = weights
        self._largest_slice = largest_slice
        self._fragments: dict[str, Mapping[str, CostOfSelection]] = {}
        fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
        for name in dependencies_first(fragments):
            kinds = weights.possible_types(fragments[name].type_condition.name.value)
            self._fragments[name] = self._cost(fragments[name].selection_set, kinds)

    def operation(self, node: OperationDefinitionNode) -> Amount:
        root = self._weights.root_type(node.operation)
        return self._cost(node.selection_set, frozenset({root}))[root].own if root else 0

    def _cost(self, selection_set: SelectionSetNode, kinds: frozenset[str]) -> Mapping[str, CostOfSelection]:
        """By the type of the object whose fields are selected, one of `kinds`."""
        costs: dict[tuple[int, str], CostOfSelection] = {}
        for current, possible, selections in reversed(list(self._outermost_first(selection_set, kinds))):
            for kind in possible:
                found = [self._selection(each, kind, costs) for each in selections if kind in each.kinds]
                costs[id(current), kind] = CostOfSelection(
                    self.program.sum(each.own for each in found), self.program.sum(each.sized for each in found)
                )
        return {kind: costs[id(selection_set), kind] for kind in kinds}

    def _outermost_first(
        self, selection_set: SelectionSetNode, kinds: frozenset[str]
    ) -> Iterator[tuple[SelectionSetNode, frozenset[str], list[Selected]]]:
        """Every selection set within, the types of the objects it can be for, and what it selects. A stack, for the depth is the client's choice."""
        pending = [(selection_set, kinds)]
        while pending:
            current, possible = pending.pop()
            selections = list(self._selected(current, possible))
            yield current, possible, selections
            for node, selected_on, _ in selections:
                if isinstance(node, FieldNode) and node.selection_set:
                    below = (self._weights.field(kind, node.name.value).gives for kind in selected_on)
                    pending.append((node.selection_set, frozenset[str]().union(*below)))

    def _selected(self, selection_set: SelectionSetNode, kinds: frozenset[str]) -> Iterator[Selected]:
        pending: list[tuple[SelectionNode, frozenset[str], tuple[Condition, ...]]] = [
            (node, kinds, ()) for node in selection_set.selections
        ]
        while pending:
            node, possible, outer = pending.pop()
            own = conditions_of(node)
            if own is None:
                continue
            conditions = (*outer, *own)
            if isinstance(node, InlineFragmentNode):
                if node.type_condition:
                    possible &= self._weights.possible_types(node.type_condition.name.value)
                pending += [(each, possible, conditions) for each in node.selection_set.selections]
            elif isinstance(node, FieldNode | FragmentSpreadNode):
                yield Selected(node, possible, conditions)

    def _selection(self, selected: Selected, kind: str, costs: Mapping[tuple[int, str], CostOfSelection]) -> CostOfSelection:
        if isinstance(selected.node, FieldNode):
            cost = self._field(selected.node, kind, costs)
        else:
            cost = self._fragments.get(selected.node.name.value, {}).get(kind, _NOTHING)
        own, sized = cost
        for variable, value in selected.conditions:
            own, sized = (self.program.unless(amount, variable=variable, value=value) for amount in (own, sized))
        return CostOfSelection(own, sized)

    def _field(self, node: FieldNode, kind: str, costs: Mapping[tuple[int, str], CostOfSelection]) -> CostOfSelection:
        declared = self._weights.field(kind, node.name.value)
        below = self._dearest(node.selection_set, declared.gives, costs)
        size: Amount = declared.size
        if declared.sized_by:
            size = add_slice(self.program, node, declared, largest=self._largest_slice)
        if declared.page:
            each = self.program.sum((declared.item, below.own, self.program.product((size, below.sized))))
            return CostOfSelection(self.program.sum((declared.call, each)))
        each = self.program.sum((declared.item, below.own))
        if declared.sized_above:
            return CostOfSelection(declared.call, each)
        return CostOfSelection(self.program.sum((declared.call, self.program.product((size, each)))))

    def _dearest(
        self, selection_set: SelectionSetNode | None, kinds: Collection[str], costs: Mapping[tuple[int, str], CostOfSelection]
    ) -> CostOfSelection:
        if selection_set is None:
            return _NOTHING
        possible = [costs[id(selection_set), kind] for kind in kinds]
        return CostOfSelection(self.program.largest(each.own for each in possible), self.program.largest(each.sized for each in possible))
