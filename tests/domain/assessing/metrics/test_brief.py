"""A beat is covered when its words stand close together in the text."""

import pytest

from domain.assessing.assessment import FindingCategory, FindingSeverity
from domain.assessing.metrics.brief import BRIEF_COVERAGE
from tests.domain.assessing.metrics.story_book import material, taken

TEXT = (
    "Mara took the brig over the bar at dusk, and the ledger lay in the oven. Tobias burned it page by page. "
    "He refused the bread. She forgave him on the stairs behind the chandler's shop."
)
PRESENT = ("Mara takes the brig over the bar.", "Tobias is burning the ledger in his oven.", "Mara's forgiveness comes on the stairs.")
ABSENT = "An elephant escapes from the travelling circus and tramples the rhubarb."


def uncovered(brief, text=TEXT, **changes):
    return [issue.message.split("“")[1].split("”")[0] for issue in taken(BRIEF_COVERAGE, text, material(brief=brief, **changes)).findings]


@pytest.mark.parametrize("brief", ["- {}\n- {}\n- {}\n- {}", "{} {} {} {}", "1. {}\n2. {}\n\n* {}\n  {}"])
def test_only_what_is_missing_is_named_in_any_kind_of_brief(brief):
    assert uncovered(brief.format(*PRESENT, ABSENT)) == [ABSENT]


def test_the_value_is_the_share_of_beats():
    measured = taken(BRIEF_COVERAGE, TEXT, material(brief="\n".join(("", *PRESENT, ABSENT))))
    assert measured.value == 0.75
    (issue,) = measured.findings
    assert (issue.category, issue.severity, issue.start) == (FindingCategory.BRIEF, FindingSeverity.MAJOR, None)


def test_a_title_ends_no_beat():
    assert uncovered(f"Mr. Tobias Reck and Mrs. Mara Venn sell rhubarb, circus tents and an elephant. {PRESENT[0]}") == [
        "Mr. Tobias Reck and Mrs. Mara Venn sell rhubarb, circus tents and an elephant."
    ]


def test_words_far_from_each_other_cover_nothing():
    scattered = f"The brig. {'Nothing else. ' * 400}The oven. {'Nothing else. ' * 400}The ledger. {'Nothing else. ' * 400}He was burning."
    assert uncovered(PRESENT[1], scattered) == [PRESENT[1]]
    assert uncovered(PRESENT[1], "Nothing else. " * 1_000 + TEXT) == []


def test_a_chapter_that_is_too_short_has_to_show_more_of_a_beat():
    beat = "Mara takes the brig over the harbour bar at midnight in fog."
    assert uncovered(beat, target=30) == []
    assert uncovered(beat, target=300) == [beat]


@pytest.mark.parametrize("brief", ["", "Mara!", "- a\n- b"])
def test_a_brief_that_says_nothing_is_not_looked_for(brief):
    assert taken(BRIEF_COVERAGE, TEXT, material(brief=brief)) is None


@pytest.mark.parametrize(
    ("language", "text", "covered", "absent"),
    [
        ("zh", "李明慢慢地走进那间黑暗的屋子。他把灯放在桌上。", "李明走进黑暗的屋子。", "大象从马戏团逃跑了。"),
        ("de", "Da ging sie zum Hafen hinab und zählte die Glockenschläge.", "Sie geht zum Hafen und zählt die Glockenschläge.",
         "Elefanten trampeln Rhabarber nieder."),
    ],
)  # fmt: skip
def test_other_languages_are_only_told_what_is_surely_missing(language, text, covered, absent):
    measured = taken(BRIEF_COVERAGE, text, material(brief=f"- {covered}\n- {absent}", language=language), language=language)
    assert [(absent in issue.message, issue.severity) for issue in measured.findings] == [(True, FindingSeverity.MINOR)]
