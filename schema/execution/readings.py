"""How the values of a field are had: an attribute, a function of one object, or a function of all objects at once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, Protocol

from graphql import FieldNode, GraphQLField, GraphQLObjectType, get_argument_values
from strawberry.schema.config import StrawberryConfig
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from schema.execution.run import FAILED, Places, Run

Values = list[Any]


class Reading(Protocol):
    """`waits` tells whether reading can suspend."""

    @property
    def waits(self) -> bool: ...

    async def read(self, run: Run, nodes: Sequence[FieldNode], objects: Values, places: Places) -> Values:
        """A value for each object, FAILED where there is none. Never raises for what a resolver raises."""


@dataclass(frozen=True, slots=True)
class Constant:
    value: object
    waits: bool = False

    async def read(self, _run: Run, _nodes: Sequence[FieldNode], objects: Values, _places: Places) -> Values:
        return [self.value] * len(objects)


class Attribute:
    waits = False

    def __init__(self, name: str) -> None:
        self._get = attrgetter(name)

    async def read(self, run: Run, nodes: Sequence[FieldNode], objects: Values, places: Places) -> Values:
        try:
            return list(map(self._get, objects))
        except Exception:  # noqa: BLE001 - some object cannot tell: which one?
            return _call_each(self._get, run, nodes, objects, places)


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a field's resolver is called with, beside the object: coerced by graphql-core, made into Python values by Strawberry."""

    definition: GraphQLField
    field: StrawberryField | None
    config: StrawberryConfig
    scalars: Mapping[object, Any]

    def of(self, run: Run, nodes: Sequence[FieldNode]) -> dict[str, Any]:
        """Raises: GraphQLError."""
        if not self.definition.args:
            return {}
        coerced = get_argument_values(self.definition, nodes[0], run.variables)
        if self.field is None:
            return coerced
        return convert_arguments(coerced, self.field.arguments, scalar_registry=self.scalars, config=self.config)


class Resolver:
    """A resolver function, and by which of its parameters it takes the object and the info."""

    def __init__(self, resolver: StrawberryResolver[Any], arguments: Arguments) -> None:
        function = resolver.wrapped_func
        self._function: Callable[..., Any] = function.__func__ if isinstance(function, staticmethod) else function  # type: ignore[assignment]
        # Set by `schema.fields.batched`.
        self.of_many: Callable[..., Awaitable[Values]] | None = getattr(self._function, "of_many", None)
        self.is_async = resolver.is_async
        self._arguments = arguments
        source = resolver.self_parameter or resolver.parent_parameter or resolver.root_parameter
        self._source = None if source is None else source.name
        self._info = None if resolver.info_parameter is None else resolver.info_parameter.name

    def bound(self, run: Run, nodes: Sequence[FieldNode]) -> Callable[[Any], Any]:
        """The function of one object. Raises: GraphQLError."""
        return self._bound_to(self._function, run, nodes)

    def bound_to_many(self, run: Run, nodes: Sequence[FieldNode]) -> Callable[[Values], Awaitable[Values]]:
        """The function of all objects. Raises: GraphQLError."""
        assert self.of_many is not None
        return self._bound_to(self.of_many, run, nodes)

    def _bound_to(self, function: Callable[..., Any], run: Run, nodes: Sequence[FieldNode]) -> Callable[[Any], Any]:
        given = self._arguments.of(run, nodes)
        if self._info is not None:
            given[self._info] = run.info
        if self._source is None:
            return lambda _: function(**given)
        # The object is by convention what a resolver takes first.
        return partial(function, **given) if given else function


class Plain:
    """A function of one object."""

    waits = False

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def read(self, run: Run, nodes: Sequence[FieldNode], objects: Values, places: Places) -> Values:
        try:
            call = self._resolver.bound(run, nodes)
        except Exception as error:  # noqa: BLE001 - a resolver's failure is an answer
            return _all_failed(error, run, nodes, objects, places)
        return _call_each(call, run, nodes, objects, places)


class Asynchronous:
    """A coroutine function of one object: those of all objects run side by side."""

    waits = True

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def read(self, run: Run, nodes: Sequence[FieldNode], objects: Values, places: Places) -> Values:
        try:
            call = self._resolver.bound(run, nodes)
        except Exception as error:  # noqa: BLE001 - as above
            return _all_failed(error, run, nodes, objects, places)
        if len(objects) == 1:
            try:
                return [await call(objects[0])]
            except Exception as error:  # noqa: BLE001 - as above
                return [run.fail(error, nodes, places.path(0))]
        found = await asyncio.gather(*map(call, objects), return_exceptions=True)
        return [_unless_raised(value, run, nodes, places, index) for index, value in enumerate(found)]


class Batched:
    """A coroutine function of all objects at once."""

    waits = True

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def read(self, run: Run, nodes: Sequence[FieldNode], objects: Values, places: Places) -> Values:
        try:
            return list(await self._resolver.bound_to_many(run, nodes)(objects))
        except Exception as error:  # noqa: BLE001 - as above
            return _all_failed(error, run, nodes, objects, places)


class Event:
    """The field of a subscription: its object is what has happened."""

    waits = False

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver

    async def read(self, _run: Run, _nodes: Sequence[FieldNode], objects: Values, _places: Places) -> Values:
        return list(objects)


class Introspection:
    """A field of graphql-core's own, about the schema."""

    waits = False

    def __init__(self, definition: GraphQLField, arguments: Arguments) -> None:
        self._resolve = definition.resolve
        self._arguments = arguments

    async def read(self, run: Run, nodes: Sequence[FieldNode], objects: Values, places: Places) -> Values:
        assert self._resolve is not None
        try:
            given = self._arguments.of(run, nodes)
        except Exception as error:  # noqa: BLE001 - as above
            return _all_failed(error, run, nodes, objects, places)
        resolve = self._resolve
        return _call_each(lambda each: resolve(each, run.info, **given), run, nodes, objects, places)


def reading_of(
    owner: GraphQLObjectType, name: str, definition: GraphQLField, config: StrawberryConfig, scalars: Mapping[object, Any]
) -> Reading:
    if name == "__typename":
        return Constant(owner.name)
    field = definition.extensions.get("strawberry-definition")
    arguments = Arguments(definition, field, config, scalars)
    if field is None:
        return Introspection(definition, arguments)
    assert not field.extensions, "field extensions are not executed"
    if field.base_resolver is None:
        return Attribute(field.python_name)
    resolver = Resolver(field.base_resolver, arguments)
    if field.is_subscription:
        return Event(resolver)
    if resolver.of_many is not None:
        return Batched(resolver)
    return Asynchronous(resolver) if resolver.is_async else Plain(resolver)


def _call_each(call: Callable[[Any], Any], run: Run, nodes: Sequence[FieldNode], objects: Values, places: Places) -> Values:
    values: Values = []
    calls = map(call, objects)
    while len(values) < len(objects):
        try:
            # Keeps what came before a call that raises, and goes on behind it.
            values.extend(calls)
        except Exception as error:  # noqa: BLE001 - as above
            values.append(run.fail(error, nodes, places.path(len(values))))
    return values


def _all_failed(error: Exception, run: Run, nodes: Sequence[FieldNode], objects: Sequence[Any], places: Places) -> Values:
    for index in range(len(objects)):
        run.fail(error, nodes, places.path(index))
    return [FAILED] * len(objects)


def _unless_raised(value: Any, run: Run, nodes: Sequence[FieldNode], places: Places, index: int) -> Any:
    if isinstance(value, Exception):
        return run.fail(value, nodes, places.path(index))
    if isinstance(value, BaseException):
        raise value
    return value
