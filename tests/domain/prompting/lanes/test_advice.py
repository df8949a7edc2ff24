"""Files that are no sheets: guides bear on every chapter, research on those that are about the same."""

from dataclasses import replace

import pytest

from domain.prompting.lanes.advice import IN_REQUEST, LEAST_SHARE, advised
from domain.prompting.receipts import Reason
from domain.prompting.scene import prepare
from domain.reference_files import ReferenceKind
from tests.domain.prompting.book import reference, salt_road, wish

QUININE = "Quinine bark came from Peru. Apothecaries ground it to powder and steeped it in wine."
TULIPS = "Tulip bulbs were sold by weight."
WIDE = "It rained on the hill, and the sheep stood about in it as they had stood about the year before. " * 5


def advice(brief, *references):
    base = salt_road(references=references, earlier=())
    scene = prepare(replace(base, chapter=replace(base.chapter, brief=brief, title="", point_of_view_character=None)), wish())
    return {found[0].file.id.int: (found[1], [(one.reason, one.text) for one in found[2]], found[3]) for found in advised(scene)}


def test_guides_and_outlines_bear_on_every_chapter():
    found = advice(
        "",
        reference(1, "House style", "No adverbs.", kind=ReferenceKind.STYLE),
        reference(2, "The plan", "They leave.", kind=ReferenceKind.OUTLINE),
    )
    assert found == {
        1: (pytest.approx(0.7), [(Reason.RELEVANT, "a style guide bears on every chapter")], {}),
        2: (pytest.approx(0.6), [(Reason.RELEVANT, "an outline bears on every chapter")], {}),
    }


@pytest.mark.parametrize("kind", [ReferenceKind.RESEARCH, ReferenceKind.OTHER])
def test_research_comes_only_when_it_shares_what_the_request_is_about(kind):
    files = (reference(1, "Barks", QUININE, kind=kind), reference(2, "Bulbs", TULIPS, kind=kind))
    found = advice("The apothecary has no quinine.", *files)
    assert list(found) == [1]
    assert found[1][1] == [(Reason.RELEVANT, '"Apothecaries", "Quinine" in “Barks”')]
    assert list(found[1][2]) == [0]
    assert advice("Zebras.", *files) == {}
    assert advice("", *files) == {}


def test_one_word_of_many_is_shared_by_chance():
    brief = "Tulip, harbour, winter, ledger, lantern, knife, bell and compass."
    assert LEAST_SHARE > 1 / 8
    assert advice(brief, reference(1, "Bulbs", TULIPS, kind=ReferenceKind.RESEARCH)) == {}


def test_words_scattered_over_many_passages_say_less_than_in_one():
    together, apart = f"Quinine and tulips in winter. {WIDE}", f"Quinine. {WIDE}\n\nTulips. {WIDE}\n\nWinter. {WIDE}"
    found = advice(
        "Quinine, tulips, winter.",
        reference(1, "Together", together, kind=ReferenceKind.RESEARCH),
        reference(2, "Apart", apart, kind=ReferenceKind.RESEARCH),
    )
    assert found[1][0] > found[2][0] > 0


def test_more_kinds_of_evidence_raise_the_score_and_the_strongest_stands_first():
    style = {"kind": ReferenceKind.STYLE}
    guide = reference(1, "House style", QUININE, **style)
    standing, about, named = (advice(brief, guide)[1] for brief in ("Zebras.", "Quinine bark.", "House style: quinine bark."))
    assert standing[0] < about[0] < named[0] < 1
    assert named[0] > IN_REQUEST
    assert [text for _, text in named[1]][:2] == ['"House style" in the brief', "a style guide bears on every chapter"]
    assert named[1][0][0] is Reason.MENTIONED


def test_sheets_of_people_and_places_are_left_to_the_model():
    assert advice("Barks.", reference(1, "Barks", QUININE), reference(2, "Bulbs", TULIPS, kind=ReferenceKind.WORLD)) == {}
