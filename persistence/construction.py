"""Functions that make frozen dataclasses, written for each class once: what a generated `__init__` spends on being frozen is saved.

A value is filled as long as it is of a class that has the same slots and is not frozen, and is then told what it really is.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

Value = TypeVar("Value")
Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Part:
    """What a field is made of: what stands at `key`, looked up among `members` or converted; its default, where that may be missing."""

    field: "dataclasses.Field[Any]"
    key: int | str
    convert: Convert | None = None
    members: Mapping[Any, Any] | None = None
    may_be_missing: bool = False


def members_of(enum: type[Enum], *, or_null: bool = False) -> dict[Any, Enum | None]:
    """An enum's members by their values: to look them up is ten times faster than to ask the enum."""
    return {**{member.value: member for member in enum}, **({None: None} if or_null else {})}


def maker(value_type: type[Value], parts: Sequence[Part]) -> Callable[[Any], Value]:
    """A function of a sequence or mapping that holds the parts. It raises KeyError for what is missing, or is not among the members."""
    names: dict[str, Any] = {"value_type": value_type}
    contents = {part.field.name: _content(part, names) for part in parts}
    if _can_be_filled(value_type, contents):
        names |= {"new": object.__new__, "unfrozen": type(value_type.__name__, (), {"__slots__": tuple(contents)})}
        filled = [f"value.{field} = {content}" for field, content in contents.items()]
        body = ["value = new(unfrozen)", *filled, "value.__class__ = value_type", "return value"]
    else:
        given = {part.field.name: contents[part.field.name] for part in parts if part.field.init}
        body = [f"return value_type({', '.join(f'{field}={content}' for field, content in given.items())})"]
    exec("\n    ".join(["def make(given):", *body]), names)  # noqa: S102  - of nothing but the names of our own classes' fields
    made: Callable[[Any], Value] = names["make"]
    return made


def _content(part: Part, names: dict[str, Any]) -> str:
    """The expression that makes it; what that refers to is added to the names."""
    field = part.field
    content = f"given[{part.key!r}]"
    if part.members is not None:
        names[f"{field.name}_of"] = part.members
        content = f"{field.name}_of[{content}]"
    elif part.convert is not None:
        names[f"{field.name}_of"] = part.convert
        content = f"{field.name}_of({content})"
    default = f"no_{field.name}"
    if part.may_be_missing and field.default is not dataclasses.MISSING:
        names[default] = field.default
        content = f"{content} if {part.key!r} in given else {default}"
    elif part.may_be_missing and field.default_factory is not dataclasses.MISSING:
        names[default] = field.default_factory
        content = f"{content} if {part.key!r} in given else {default}()"
    return content


def _can_be_filled(value_type: type[Any], fields: Mapping[str, str]) -> bool:
    """Whether its instances are laid out as its slots say, and nothing happens when one is made."""
    plain = value_type.__bases__ == (object,) and not hasattr(value_type, "__post_init__") and _has_generated_init(value_type)
    return plain and tuple(fields) == getattr(value_type, "__slots__", None) == tuple(
        field.name for field in dataclasses.fields(value_type) if field.init
    )


def _has_generated_init(value_type: type[Any]) -> bool:
    """`dataclass` leaves an `__init__` alone that stands in the class; its own stands in no file."""
    code = getattr(value_type.__init__, "__code__", None)
    return code is not None and code.co_filename == "<string>"
