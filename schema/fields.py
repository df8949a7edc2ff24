"""How the types of this schema declare their fields.

A type's objects are the domain's own values: a field without a resolver reads the attribute of its name, a field with one is
a static method of that value. Every field says what it gives and is described.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from inspect import signature
from operator import attrgetter
from typing import Any, Final, TypeVar

import strawberry
from strawberry import Parent
from strawberry.types import has_object_definition

from domain.paging import DEFAULT_PAGE_SIZE
from resolvers.batching import Loader
from resolvers.context import RequestContext
from resolvers.loaders import Loaders
from schema.edge.cost.directives import Cost, ListSize, at_most, sliced, weighing

Info = strawberry.Info[RequestContext, None]

Resolver = Callable[..., Any]
Value = TypeVar("Value")

Parents = Parent[Sequence[Value]]
"""The objects that a batched field is asked of."""


_PAGED_BY: Final = ("first", "last")
_PAGED: Final = ("edges", "nodes")


def field(
    gives: object, description: str, *, weight: int = 0, most: int | None = None, sized_by: str | None = None
) -> Callable[[Resolver], Any]:
    """A field of GraphQL type `gives`, whatever domain value its resolver returns for it.

    Each execution costs `weight` points, and each object it gives one more: `most` says how many these are in practice, for a list that
    is given whole; `sized_by` is the argument that has as many items. What has pages by `first` or `last` is sized by them.
    """

    def declare(resolver: Resolver) -> Any:
        directives: list[object] = [*_weighing(weight), *_sized(most)]
        paged_by = [name for name in _PAGED_BY if name in signature(resolver).parameters]
        if paged_by:
            directives.append(sliced(paged_by, otherwise=DEFAULT_PAGE_SIZE, fields=_PAGED))
        elif sized_by is not None:
            directives = [*_weighing(weight), sliced([sized_by], otherwise=most or DEFAULT_PAGE_SIZE)]
        return strawberry.field(resolver=resolver, graphql_type=gives, description=description, directives=directives)

    return declare


def batched(gives: object, description: str, *, weight: int = 0, most: int | None = None) -> Callable[[Resolver], Any]:
    """As `field`, with a coroutine function that is given all objects of a level at once, and returns a value for each of them."""

    def declare(resolver: Any) -> Any:
        function = resolver.__func__ if isinstance(resolver, staticmethod) else resolver

        @wraps(function)
        async def of_one(parents: Any, *arguments: Any, **named: Any) -> Any:
            (value,) = await function([parents], *arguments, **named)
            return value

        of_one.of_many = function  # type: ignore[attr-defined]  # what the executor calls
        return field(gives, description, weight=weight, most=most)(of_one)

    return declare


def loaded(
    gives: object,
    description: str,
    of: Callable[[Loaders], Loader[Any, Any]],
    *,
    by: str = "id",
    otherwise: object = None,
    weight: int = 0,
    most: int | None = None,
) -> Any:
    """A field that one of the operation's loaders has by the object's attribute `by`; `otherwise` where that has nothing."""
    key_of = attrgetter(by)

    async def load(parents: Parents[Any], info: Info) -> list[Any]:
        found = await of(info.context.loaders).load_many([key_of(parent) for parent in parents])
        return found if otherwise is None else [otherwise if value is None else value for value in found]

    return batched(gives, description, weight=weight, most=most)(load)


def subscription(gives: object, description: str) -> Callable[[Resolver], Any]:
    """A stream of GraphQL type `gives`, whatever domain values its resolver yields."""

    def declare(resolver: Resolver) -> Any:
        return strawberry.subscription(resolver=resolver, graphql_type=gives, description=description)

    return declare


def argument(description: str, *, name: str | None = None) -> Any:
    return strawberry.argument(name=name, description=description)


def attribute(description: str, *, name: str | None = None, most: int | None = None) -> Any:
    """A field that is the value's own attribute. `most` as for `field`."""
    return strawberry.field(name=name, description=description, directives=_sized(most))


def required(description: str) -> Any:
    """An input field that must be there."""
    return strawberry.field(description=description)


def optional(description: str) -> Any:
    """An input field that can be left out, which differs from null."""
    return strawberry.field(default=strawberry.UNSET, description=description)


def defaulted(value: object, description: str) -> Any:
    """An input field that the schema gives a default."""
    if isinstance(value, list):
        return strawberry.field(default_factory=value.copy, description=description)
    return strawberry.field(default=value, description=description)


def present(value: Value | None) -> Value | None:
    """None for an argument or input field that was left out, as for null."""
    return None if value is strawberry.UNSET else value


def given(values: object, *leaving: str) -> dict[str, Any]:
    """The fields of an input that the caller sent, or that have a default, by their Python names; nested inputs and lists of them likewise."""
    return {name: _plain(value) for name, value in vars(values).items() if value is not strawberry.UNSET and name not in leaving}


def _weighing(weight: int) -> list[Cost]:
    return [weighing(weight)] if weight else []


def _sized(most: int | None) -> list[ListSize]:
    return [] if most is None else [at_most(most)]


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return given(value) if has_object_definition(value) else value
