"""What the request says of each sheet."""

from dataclasses import replace
from math import log
from uuid import UUID

import pytest

from domain.prompting.lanes.features import NO_FIT, sheets
from domain.prompting.memory import ProjectMemory
from domain.prompting.scene import prepare
from domain.reference_files import InclusionPolicy, ReferenceKind
from tests.domain.prompting.book import chapter, reference, salt_road, wish, written

MARA, TOBIAS, JOREN, GULLHAVEN, LANTERN = (UUID(int=number) for number in range(11, 16))
WIDE = "It rained on the hill, and the sheep stood about in it as they had stood about the year before. " * 5


def judged(brief="", wanted=None, **changes):
    base = salt_road(**changes)
    material = replace(base, chapter=replace(base.chapter, brief=brief, title="", point_of_view_character=None))
    return sheets(prepare(material, wanted or wish()))


def test_only_sheets_of_people_and_places_that_may_be_sent_are_judged():
    assert set(judged()) == {MARA, TOBIAS, JOREN, GULLHAVEN, LANTERN, UUID(int=21)}
    assert JOREN not in judged(wanted=wish(exclude=(JOREN,)))


def test_whom_the_request_names_is_named_and_shared_names_count_in_part():
    assert judged("Tobias waits.")[TOBIAS].features["named"] == 1.0
    assert judged("He waits.")[TOBIAS].features["named"] == 0.0
    shared = (reference(1, "Osric", "A clerk.", aliases=("the clerk",)), reference(2, "Joren", "Another.", aliases=("the clerk",)))
    found = judged("The clerk waits.", references=shared)
    assert [sheet.features["named"] for sheet in found.values()] == [0.5, 0.5]
    found = judged("The clerk waits. Joren too.", references=shared)
    assert {found[file_id].features["named"] for file_id in found} == {0.5, 1.0}


def test_the_point_of_view_character_is_told_apart_from_those_named():
    material = salt_road()
    found = sheets(prepare(replace(material, chapter=replace(material.chapter, brief="", title="")), wish()))
    assert {file_id for file_id, sheet in found.items() if sheet.features["point_of_view"]} == {MARA}
    assert found[MARA].features["named"] == 0.0


def test_the_sheet_that_the_requests_words_fit_best_fits_wholly():
    found = judged("He limps, the widower, and lends flour.")
    assert found[TOBIAS].features["sheet_fits"] == 1.0
    assert found[JOREN].features["sheet_fits"] < 1.0
    assert set(found[TOBIAS].shared_terms) == {"limp", "widower", "lend", "flour"}
    assert list(found[TOBIAS].passages) == [0]
    assert {sheet.features["sheet_fits"] for sheet in judged("Zebras.").values()} == {NO_FIT}


def test_a_longer_sheet_says_so():
    found = judged()
    assert found[MARA].features["sheet_length"] == log(found[MARA].reference.file.token_count) > found[JOREN].features["sheet_length"]


def test_whoever_is_named_in_passages_like_the_request_belongs_to_it():
    earlier = (
        written(1, f"Tobias baked the plum cake. {WIDE}\n\nJoren wrote. {WIDE}", title=""),
        written(2, f"{WIDE}\n\n{WIDE}", title=""),
    )
    found = judged("A plum cake.", earlier=earlier)
    assert found[TOBIAS].features["like_passages"] > 0.9
    assert found[TOBIAS].like == (0, 0)
    assert found[MARA].features["like_passages"] == 0
    assert found[MARA].like is None
    assert found[JOREN].like is None


def test_a_request_that_shares_no_word_with_the_book_is_like_none_of_its_passages():
    earlier = (written(1, f"Tobias baked. {WIDE}", title=""),)
    (sheet,) = (judged("Zebras.", earlier=earlier)[file_id] for file_id in [TOBIAS])
    assert sheet.like is None
    assert sheet.features["like_passages"] > 0  # the recent ones stand for them


def test_whoever_always_comes_with_somebody_named_comes_along():
    earlier = tuple(written(number, f"Mara and Tobias. {WIDE}" if number % 2 else f"Rain. {WIDE}", title="") for number in range(1, 9))
    found = judged("Mara waits.", earlier=earlier)
    assert found[TOBIAS].companion == MARA
    assert found[TOBIAS].together == [0, 2, 4, 6]
    assert found[TOBIAS].features["comes_with"] > 0 >= found[JOREN].features["comes_with"]


def test_whom_the_sheet_of_somebody_named_names_is_linked_by_it():
    found = judged("Mara waits.", earlier=())
    assert found[TOBIAS].linked_by.file.id == found[JOREN].linked_by.file.id == MARA
    assert found[TOBIAS].features["linked"] > 0
    assert found[LANTERN].linked_by is None
    assert found[LANTERN].features["linked"] == 0
    nobody = judged("", earlier=())
    assert {sheet.linked_by for sheet in nobody.values()} == {None}


def test_a_sheet_that_may_not_be_sent_links_to_nobody():
    hidden = reference(30, "Osric", "A friend of Tobias Reck.", inclusion=InclusionPolicy.NEVER)
    found = judged("Osric waits.", earlier=(), references=(hidden, *salt_road().references))
    assert found[TOBIAS].linked_by is None
    assert UUID(int=30) not in found


def test_a_file_that_becomes_a_character_is_judged_as_one_also_with_a_warm_memory():
    memory = ProjectMemory()
    text = "I went. My hands were cold. “Osric, come,” she said. I came. " * 4
    for kind in (ReferenceKind.WORLD, ReferenceKind.CHARACTER):
        references = (reference(1, "Osric", "Somebody.", kind=kind),)
        warm, cold = (
            judged(references=references, earlier=(written(1, text),), memory=own)[UUID(int=1)].features
            for own in (memory, ProjectMemory())
        )
        assert warm == cold
        assert (warm["narrator"] > 0) == (kind is ReferenceKind.CHARACTER)


def test_scores_do_not_depend_on_what_else_was_asked_with_the_same_memory():
    memory = ProjectMemory()
    judged("Joren.", memory=memory, chapter=chapter(2), earlier=salt_road().earlier[:1])
    warm, cold = judged("Tobias.", memory=memory), judged("Tobias.")
    assert {file_id: sheet.features for file_id, sheet in warm.items()} == {
        file_id: pytest.approx(each.features) for file_id, each in cold.items()
    }
