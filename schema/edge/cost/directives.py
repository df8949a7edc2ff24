"""How fields of a schema declare what they cost: the directives of the GraphQL Cost Directives specification."""

from collections.abc import Sequence

import strawberry
from strawberry import UNSET
from strawberry.schema_directive import Location


@strawberry.schema_directive(
    name="cost",
    locations=[Location.FIELD_DEFINITION],
    description=(
        "What each execution of a field costs, in points, on top of what it gives: every object that an answer holds costs 1 point, "
        "connections, edges and payloads included, and other values nothing. A field without the directive costs what it gives."
    ),
)
class Cost:
    weight: str = strawberry.directive_field(name="weight")


@strawberry.schema_directive(
    name="listSize",
    locations=[Location.FIELD_DEFINITION],
    description=(
        "How many items a field gives, for the estimate of an operation's cost: as many as the largest of its `slicingArguments` says, which "
        "of an argument that is a list is its length, and `assumedSize` without any. For a connection they are the items of its `sizedFields`."
    ),
)
class ListSize:
    assumed_size: int | None = strawberry.directive_field(name="assumedSize", default=UNSET)
    slicing_arguments: list[str] | None = strawberry.directive_field(name="slicingArguments", default=UNSET)
    sized_fields: list[str] | None = strawberry.directive_field(name="sizedFields", default=UNSET)
    require_one_slicing_argument: bool | None = strawberry.directive_field(name="requireOneSlicingArgument", default=True)


def weighing(points: int) -> Cost:
    return Cost(weight=str(points))


def at_most(size: int) -> ListSize:
    """A list that is given whole, and in practice has at most so many items."""
    # Printed only where it says something: it is about slicing arguments, and there are none.
    return ListSize(assumed_size=size, require_one_slicing_argument=UNSET)


def sliced(arguments: Sequence[str], *, otherwise: int, fields: Sequence[str] = ()) -> ListSize:
    """A list, or a connection whose `fields` are lists, as long as the arguments say, and `otherwise` without them."""
    return ListSize(
        assumed_size=otherwise,
        slicing_arguments=list(arguments),
        sized_fields=list(fields) or UNSET,
        require_one_slicing_argument=False,
    )
