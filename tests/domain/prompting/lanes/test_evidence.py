"""Evidence in words that can be checked, the most telling first."""

from dataclasses import replace
from uuid import UUID

import pytest

from domain.prompting.index.text_index import indexed
from domain.prompting.lanes.evidence import evidence, quoted, shared_words
from domain.prompting.lanes.features import sheets
from domain.prompting.receipts import Reason
from domain.prompting.scene import prepare
from tests.domain.prompting.book import reference, salt_road, wish, written

MARA, TOBIAS, JOREN, GULLHAVEN, LANTERN = (UUID(int=number) for number in range(11, 16))
WIDE = "It rained on the hill, and the sheep stood about in it as they had stood about the year before. " * 5


def told(file_id, brief, point_of_view=None, **changes):
    base = salt_road(**changes)
    chapter = replace(base.chapter, brief=brief, title="", point_of_view_character=point_of_view)
    scene = prepare(replace(base, chapter=chapter), wish())
    return [(one.reason, one.text) for one in evidence(file_id, sheets(scene)[file_id], scene, scene.named_in(scene.tail))]


def test_a_file_of_which_nothing_is_known_has_no_evidence():
    assert told(TOBIAS, "Zebras.", earlier=()) == []


def test_the_point_of_view_comes_before_the_brief_and_both_before_the_rest():
    assert told(TOBIAS, "Tobias limps.", point_of_view="Tobias  Reck", earlier=()) == [
        (Reason.MENTIONED, '"Tobias Reck" is the point-of-view character'),
        (Reason.MENTIONED, '"Tobias" in the brief'),
        (Reason.RELEVANT, '"limps" in “Tobias Reck”'),
    ]


def test_the_previous_chapters_end_and_the_last_chapter_are_told_as_they_spell_the_name():
    earlier = (written(1, f"TOBIAS slept. Tobias Reck slept. {WIDE}", title=""), written(2, f"{WIDE} Tobias came.", title=""))
    assert told(TOBIAS, "Zebras.", earlier=earlier) == [
        (Reason.MENTIONED, '"Tobias" in the previous chapter\'s end'),
        (Reason.RECENT, '"Tobias" in chapter 2'),
    ]
    assert told(TOBIAS, "Zebras.", earlier=(earlier[0], written(2, WIDE))) == [(Reason.RECENT, '"TOBIAS" 2 times in chapter 1')]


def test_a_link_quotes_the_sheet_that_names_it():
    assert told(JOREN, "Mara waits.", earlier=())[0] == (Reason.RELATED, '"Joren Hale" in “Mara Venn”')


def test_company_lists_the_last_three_chapters():
    def book(number):
        return (
            *tuple(written(position, f"Mara and Tobias. {WIDE}", title="") for position in range(1, number + 1)),
            written(number + 1, WIDE),
        )

    for number, chapters in ((1, "chapter 1"), (2, "chapters 1 and 2"), (5, "chapters 3, 4 and 5")):
        assert (Reason.RELATED, f"together with “Mara Venn” in {chapters}") in told(TOBIAS, "Mara.", earlier=book(number))


def test_a_passage_like_the_request_is_named_by_its_number():
    earlier = (written(1, f"{WIDE}\n\nTobias baked the plum cake. {WIDE}", title=""), written(2, WIDE, title=""))
    assert (Reason.RELEVANT, "named in passage 2 of chapter 1, which is about the like") in told(TOBIAS, "A plum cake.", earlier=earlier)
    assert not [text for _, text in told(TOBIAS, "Zebras.", earlier=earlier) if "about the like" in text]


def test_words_are_quoted_as_they_stand_for_the_first_time():
    content = indexed(f"Their willing hands.\n\n{WIDE}\n\nWill they? The Lanterns LANTERN 海辺")
    assert shared_words(content, ["lantern", "will", "海辺", "zebra"]) == ['"Lanterns"', '"willing"', '"海辺"']


def test_a_stop_word_is_never_quoted_for_a_word_that_looks_like_it():
    assert shared_words(indexed("You will find them willing."), ["will"]) == ['"willing"']


@pytest.mark.parametrize(("name", "text"), [("Mara\u200b  Venn", "“Mara Venn”"), ("a\nb", "“a b”")])
def test_names_are_quoted_clean_and_in_one_line(name, text):
    assert quoted(name) == text


def test_a_narrator_is_explained():
    earlier = (written(1, "I went down. My hands were cold. “Tobias, come,” she said. I came. " * 3),)
    narrated = "the narration says “I”, and this one is called by name but hardly ever told of"
    assert (Reason.RELEVANT, narrated) in told(TOBIAS, "Zebras.", earlier=earlier)
    assert (Reason.RELEVANT, narrated) not in told(TOBIAS, "Zebras.", earlier=(), references=(reference(12, "Tobias", "A baker."),))
