"""What a chapter is judged for, one concern at a time, so that what is well told cannot hide what is wrong in it; and each one's rubric.

The rubrics are data (rubrics.toml), read and checked as a whole. Bands with words, an expected distribution and caps keep a judge from
giving everything 85; a list of findings that may be empty keeps it from inventing some.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from domain.assessing.assessment import FindingCategory


class Concern(StrEnum):
    FACTS = "FACTS"
    BRIEF = "BRIEF"
    CRAFT = "CRAFT"
    VOICE = "VOICE"


class BrokenRubrics(ValueError):  # noqa: N818  - what it says is about the file
    """The file cannot be used; the message names the concern."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubric:
    """`bands` are the highest score of each and what it means, from the lowest to 100; `blocking`: whether a finding may be that severe."""

    concern: Concern
    title: str
    question: str
    categories: tuple[FindingCategory, ...]
    blocking: bool
    bands: tuple[tuple[int, str], ...]
    caps: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubrics:
    version: str
    of: Mapping[Concern, Rubric]


@cache
def rubrics() -> Rubrics:
    return read_rubrics(Path(__file__).with_name("rubrics.toml").read_text(encoding="utf-8"))


def read_rubrics(source: str) -> Rubrics:
    """Every concern's rubric, in the concerns' order. Raises BrokenRubrics."""
    try:
        document = tomllib.loads(source)
        return Rubrics(
            version=_text(document["version"]),
            of=MappingProxyType({concern: _rubric(concern, document[concern]) for concern in Concern}),
        )
    except tomllib.TOMLDecodeError as error:
        raise BrokenRubrics(str(error)) from error
    except KeyError as error:
        raise BrokenRubrics(f"{error} is missing.") from error


def _rubric(concern: Concern, table: Mapping[str, Any]) -> Rubric:
    try:
        rubric = Rubric(
            concern=concern,
            title=_text(table["title"]),
            question=_text(table["question"]),
            categories=tuple(map(FindingCategory, table["categories"])),
            blocking=table["blocking"] is True,
            bands=tuple((int(highest), _text(meaning)) for highest, meaning in table["bands"]),
            caps=tuple(map(_text, table["caps"])),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenRubrics(f"{concern}: {error}.") from error
    highest = [score for score, _ in rubric.bands]
    if highest != sorted(set(highest)) or not highest or highest[0] < 0 or highest[-1] != 100:
        raise BrokenRubrics(f"{concern}: its bands do not rise to 100.")
    if not rubric.categories:
        raise BrokenRubrics(f"{concern}: it may give no category.")
    return rubric


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BrokenRubrics(f"{value!r} should be words.")
    return value.strip()
