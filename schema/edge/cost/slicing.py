"""How many items the arguments of a field ask for."""

from typing import Final

from graphql import FieldNode, IntValueNode, ListValueNode, NullValueNode, ValueNode, VariableNode

from schema.edge.cost.program import Amount, Program, Variables
from schema.edge.cost.weights import FieldCost

_LONGEST_NUMBER: Final = 9
_MISTAKEN: Final = object()


def add_slice(program: Program, node: FieldNode, declared: FieldCost, *, largest: int) -> Amount:
    """The largest number that an argument asks for. Whatever will be refused, as out of range or of the wrong type, counts as `largest`."""
    values = {argument.name.value: argument.value for argument in node.arguments or ()}
    known: list[int] = []
    variable: list[tuple[str, bool]] = []
    for argument in declared.sized_by:
        match values.get(argument.name):
            case None | NullValueNode():
                continue
            case VariableNode(name=name):
                variable.append((name.value, argument.is_list))
            case value:
                known.append(_size(_literal(value), largest, is_list=argument.is_list))
    if not variable:
        return max(known, default=declared.size)
    assumed = declared.size

    def sized(_results: object, variables: Variables) -> int:
        given = [(variables[name], is_list) for name, is_list in variable if variables.get(name) is not None]
        sizes = [*known, *(_size(value, largest, is_list=is_list) for value, is_list in given)]
        return max(sizes, default=assumed)

    return program.step(sized)


def _literal(node: ValueNode) -> object:
    match node:
        case IntValueNode(value=digits) if len(digits) <= _LONGEST_NUMBER:
            return int(digits)
        case ListValueNode(values=values):
            return list(values)
        case _:
            return _MISTAKEN


def _size(value: object, largest: int, *, is_list: bool) -> int:
    if is_list:
        # A single value stands for a list of itself.
        return min(len(value), largest) if isinstance(value, list | tuple) else 1
    return value if type(value) is int and 1 <= value <= largest else largest
