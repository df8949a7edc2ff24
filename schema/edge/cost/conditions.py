"""What `@skip` and `@include` leave out."""

from graphql import BooleanValueNode, SelectionNode, VariableNode

Condition = tuple[str, bool]
"""A variable, and the value of it that leaves the selection out."""


def conditions_of(node: SelectionNode) -> tuple[Condition, ...] | None:
    """None for what is left out whatever the variables are."""
    conditions: list[Condition] = []
    for directive in node.directives or ():
        leaves_out = {"skip": True, "include": False}.get(directive.name.value)
        if leaves_out is None:
            continue
        for argument in directive.arguments or ():
            if argument.name.value != "if":
                continue
            if isinstance(argument.value, VariableNode):
                conditions.append((argument.value.name.value, leaves_out))
            elif isinstance(argument.value, BooleanValueNode) and argument.value.value is leaves_out:
                return None
    return tuple(conditions)
