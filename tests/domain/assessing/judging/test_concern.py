"""Rubrics are data that hold together, or are refused with the place of the fault."""

import tomllib
from pathlib import Path

import pytest

from domain.assessing.assessment import FindingCategory
from domain.assessing.judging import concern
from domain.assessing.judging.concern import BrokenRubrics, Concern, read_rubrics, rubrics

CHECKOUT = Path(__file__).parents[4]
SOURCE = (concern.Path(concern.__file__).with_name("rubrics.toml")).read_text(encoding="utf-8")


def test_every_concern_has_bands_from_0_to_100_in_words_and_caps():
    assert rubrics().version
    assert list(rubrics().of) == list(Concern)
    for each, rubric in rubrics().of.items():
        assert rubric.concern is each
        assert len(rubric.bands) == 5
        assert all(len(meaning) > 10 for _, meaning in rubric.bands)
        assert rubric.caps


def test_they_are_packed_beside_the_code_that_reads_them():
    packed = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    assert "*.toml" in packed["domain.assessing.judging"]


def test_only_facts_and_the_brief_can_make_a_chapter_impossible_and_only_facts_speak_of_continuity():
    assert [each for each, rubric in rubrics().of.items() if rubric.blocking] == [Concern.FACTS, Concern.BRIEF]
    assert [each for each, rubric in rubrics().of.items() if FindingCategory.CONTINUITY in rubric.categories] == [Concern.FACTS]
    assert {category for rubric in rubrics().of.values() for category in rubric.categories} == set(FindingCategory)


def test_every_category_that_a_concern_may_give_is_explained_in_its_question():
    for rubric in rubrics().of.values():
        assert [each for each in rubric.categories if f"- {each}: " not in rubric.question] == []


@pytest.mark.parametrize(
    ("part", "instead", "said"),
    [
        ('version = "1"', "", "version"),
        ('version = "1"', "version = 1", "1"),
        ("[VOICE]", "[VOICES]", "VOICE"),
        ('title = "Craft"', "", "CRAFT"),
        ('"PACING", "PROSE"', '"PACE", "PROSE"', "CRAFT"),
        ("[20, ", "[50, ", "FACTS"),
        ('[100, "all of it', '[99, "all of it', "FACTS"),
        ('[100, "all of it', '["hundred", "all of it', "FACTS"),
        ('categories = ["BRIEF", "PLOT"]', "categories = []", "BRIEF"),
        ("[FACTS]", "[FACTS", "line"),
    ],
)
def test_rubrics_that_do_not_hold_together_are_refused_by_name(part, instead, said):
    assert part in SOURCE
    with pytest.raises(BrokenRubrics, match=said):
        read_rubrics(SOURCE.replace(part, instead, 1))
