"""Values that are made by generated functions are what their classes would have made."""

import copy
import importlib
import pickle
import pkgutil
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, dataclass, field, fields, is_dataclass, replace
from enum import StrEnum
from itertools import count
from types import ModuleType
from typing import Any

import pytest

import domain
import persistence
from domain.access import Membership
from domain.chapters import Chapter
from domain.projects import GenerationSettings
from persistence.construction import Part, maker
from persistence.documents import from_document, to_document
from persistence.projection import to_value, to_values


class Colour(StrEnum):
    RED = "RED"
    BLUE = "BLUE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coat:
    colour: Colour
    lining: Colour | None = None
    pockets: tuple[str, ...] = ()
    size: int = 3


@dataclass(frozen=True)
class Loose:
    """Without slots."""

    colour: Colour
    size: int


@dataclass(frozen=True, slots=True)
class Checked:
    size: int

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError(self.size)


@dataclass(frozen=True, slots=True)
class Marked:
    size: int
    marks: tuple[str, ...] = field(default_factory=lambda: ("new",))


@dataclass(frozen=True)
class LooselyMarked:
    """Without slots."""

    size: int
    marks: tuple[str, ...] = field(default_factory=lambda: ("new",))


@dataclass(frozen=True, slots=True)
class Doubled:
    """Made by a hand that does more than fill in its fields."""

    size: int

    def __init__(self, size: int) -> None:
        object.__setattr__(self, "size", size * 2)


@dataclass(frozen=True, slots=True)
class Derived:
    size: int
    area: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "area", self.size**2)


@dataclass(frozen=True, slots=True)
class Settled:
    """Nobody gives it its colour."""

    size: int
    colour: Colour = field(init=False, default=Colour.BLUE)


def frozen_dataclasses(package: ModuleType) -> Iterator[type[Any]]:
    """Those of its modules that compare by what they hold."""
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(found.name)
        for kind in vars(module).values():
            if isinstance(kind, type) and is_dataclass(kind) and kind.__module__ == module.__name__:
                how = vars(kind)["__dataclass_params__"]
                if how.frozen and how.eq:
                    yield kind


VALUE_TYPES = [*frozen_dataclasses(domain), *frozen_dataclasses(persistence)]


def test_the_classes_of_rows_are_among_those_that_are_looked_at() -> None:
    assert {Chapter, Membership, GenerationSettings} <= set(VALUE_TYPES)


@pytest.mark.parametrize("value_type", VALUE_TYPES, ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_a_value_is_what_its_class_would_have_made(value_type: type[Any]) -> None:
    def held(value: Any) -> list[Any]:
        return [getattr(value, name) for name in names]

    names = [field.name for field in fields(value_type)]
    contents = {name: f"the {name}" for name in names}
    made = maker(value_type, [Part(field, field.name) for field in fields(value_type)])(contents)
    like = value_type(**contents)
    assert type(made) is value_type
    assert made == like
    assert held(made) == list(contents.values())
    assert hash(made) == hash(like)
    for copied in (copy.copy(made), copy.deepcopy(made), replace(made), pickle.loads(pickle.dumps(made))):
        assert type(copied) is value_type
        assert copied == like
        assert held(copied) == held(made)
    for name in names:
        assert held(replace(made, **{name: "other"})) == list({**contents, name: "other"}.values())
        with pytest.raises(FrozenInstanceError):
            setattr(made, name, "other")
        with pytest.raises(FrozenInstanceError):
            delattr(made, name)
    assert held(made) == list(contents.values())


def test_a_plain_class_is_not_asked_to_make_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True, slots=True)
    class Plain:
        size: int

    make, like = maker(Plain, [Part(field, field.name) for field in fields(Plain)]), Plain(1)
    monkeypatch.delattr(Plain, "__init__")
    assert make({"size": 1}) == like


def test_a_row_becomes_a_value_like_any_other() -> None:
    made = to_value(Coat, ("RED", None, ["left", "right"], 4, "what follows"))  # type: ignore[arg-type]
    assert made == Coat(colour=Colour.RED, lining=None, pockets=("left", "right"), size=4)
    assert hash(made) == hash(replace(made))
    assert type(made) is Coat
    assert made.colour is Colour.RED
    with pytest.raises(FrozenInstanceError):
        made.size = 5  # type: ignore[misc]


def test_rows_become_values_in_their_order() -> None:
    rows = [("RED", "BLUE", [], size) for size in range(3)]
    assert [coat.size for coat in to_values(Coat, rows)] == [0, 1, 2]


def test_what_a_document_lacks_has_its_default_and_what_has_none_must_be_there() -> None:
    assert from_document(Coat, {"colour": "BLUE"}) == Coat(colour=Colour.BLUE)
    with pytest.raises(KeyError, match="colour"):
        from_document(Coat, {"size": 1})


@pytest.mark.parametrize("value_type", [Marked, LooselyMarked])
def test_a_default_that_is_made_is_made_for_each_value(value_type: type[Any]) -> None:
    assert from_document(value_type, {"size": 1}) == value_type(1) == value_type(1, ("new",))
    assert from_document(value_type, {"size": 1, "marks": ["old"]}) == value_type(1, ("old",))
    numbers = count()

    @dataclass(frozen=True, slots=value_type is Marked)
    class Numbered:
        number: int = field(default_factory=lambda: next(numbers))

    assert [from_document(Numbered, {}).number for _ in range(3)] == [0, 1, 2]
    assert from_document(Numbered, {"number": 9}).number == 9
    assert next(numbers) == 3


@pytest.mark.parametrize("colour", ["GREEN", None])
def test_a_name_that_is_no_members_is_refused(colour: str | None) -> None:
    with pytest.raises(KeyError):
        from_document(Coat, {"colour": colour})


def test_classes_of_another_layout_are_made_by_themselves() -> None:
    assert to_value(Loose, ("RED", 1)) == Loose(Colour.RED, 1)
    assert to_value(Checked, (1,)) == Checked(1)
    with pytest.raises(ValueError, match="-1"):
        to_value(Checked, (-1,))


def test_a_class_that_does_more_than_fill_in_its_fields_makes_its_values_itself() -> None:
    assert to_value(Doubled, (3,)).size == from_document(Doubled, {"size": 3}).size == 6


def test_a_field_that_nobody_gives_is_left_to_its_class() -> None:
    for made in (to_value(Derived, (3, 1)), from_document(Derived, {"size": 3, "area": 1}), from_document(Derived, {"size": 3})):
        assert made == Derived(3)
        assert made.area == 9
    for settled in (
        to_value(Settled, (3, "RED")),
        from_document(Settled, {"size": 3, "colour": "RED"}),
        from_document(Settled, {"size": 3}),
    ):
        assert settled == Settled(3)
        assert settled.colour is Colour.BLUE


def test_a_value_survives_its_document() -> None:
    settings = GenerationSettings(temperature=0.25)
    assert from_document(GenerationSettings, to_document(settings)) == settings
