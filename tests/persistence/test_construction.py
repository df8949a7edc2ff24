"""Values that are made by generated functions are what their classes would have made."""

from dataclasses import FrozenInstanceError, dataclass, replace
from enum import StrEnum

import pytest

from domain.projects import GenerationSettings
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


@pytest.mark.parametrize("colour", ["GREEN", None])
def test_a_name_that_is_no_members_is_refused(colour: str | None) -> None:
    with pytest.raises(KeyError):
        from_document(Coat, {"colour": colour})


def test_classes_of_another_layout_are_made_by_themselves() -> None:
    assert to_value(Loose, ("RED", 1)) == Loose(Colour.RED, 1)
    assert to_value(Checked, (1,)) == Checked(1)
    with pytest.raises(ValueError, match="-1"):
        to_value(Checked, (-1,))


def test_a_value_survives_its_document() -> None:
    settings = GenerationSettings(temperature=0.25)
    assert from_document(GenerationSettings, to_document(settings)) == settings
