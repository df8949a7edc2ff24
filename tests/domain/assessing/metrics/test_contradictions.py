"""What is said of somebody's looks is held against the sheet, and against what was said before."""

import pytest

from domain.assessing.assessment import FindingCategory, FindingSeverity
from domain.assessing.metrics.contradictions import CONTRADICTED_FACTS
from domain.prompting.receipts import SourceKind
from tests.domain.assessing.metrics.story_book import material, quotes, taken
from tests.domain.prompting.book import reference


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("Mara’s brown eyes were shut.", "brown eyes"),
        ("Mara looked up, her wide, frightened blue eyes on him.", "blue eyes"),
        ("Mara stopped. Her eyes were a dark brown.", "eyes were a dark brown"),
        ("The blue-eyed Mara laughed. Blue-eyed Mara sat.", "Blue-eyed"),
        ("Mara Venn was grey-eyed.", "grey-eyed"),
        ("The light fell on Mara and found the blue eyes open.", "blue eyes"),
        ("“No,” said Mara, and pushed her red hair back.", "red hair"),
        ("Tobias had shut the oven. His eyes, which were blue, watered.", "eyes, which were blue"),
        ("Tobias, clean-shaven as ever, was blue-eyed.", "blue-eyed"),
        ("Mara's five sisters waited.", "five sisters"),
        ("Mara came with her 3 sisters.", "3 sisters"),
    ],
)
def test_what_contradicts_the_sheet_is_found(text, quote):
    assert quotes(CONTRADICTED_FACTS, text)[-1:] == [quote]


@pytest.mark.parametrize(
    "text",
    [
        "Mara’s green eyes were shut. Her black hair was wet, and her two sisters waited.",
        "“Mara has brown eyes,” said Tobias.",
        "Mara looked at Tobias. His brown eyes were shut.",
        "Mara looked at Anna. Her brown eyes were shut, and so were the blue eyes of the doll.",
        "Mara’s mother had brown eyes. Mara saw her brother’s blue eyes.",
        "Mara had never had brown eyes. As if Mara's brown eyes mattered. Mara's eyes turned blue.",
        "Mara had two black eyes after the fight. Mara saw the green-eyed monster of jealousy.",
        "Tobias had hazel eyes.",
        "One of the sisters came to Mara.",
        "Somebody had brown eyes.",
    ],
)
def test_what_agrees_or_may_be_said_of_another_is_let_be(text):
    assert quotes(CONTRADICTED_FACTS, text) == []


def test_the_other_side_is_quoted_from_the_sheet():
    book = material()
    (issue,) = taken(CONTRADICTED_FACTS, "Mara's brown eyes were shut.", book).findings
    assert (issue.category, issue.severity) == (FindingCategory.CONTINUITY, FindingSeverity.MAJOR)
    assert issue.conflicts_with.source.kind is SourceKind.REFERENCE_FILE
    assert issue.conflicts_with.source.id == book.references[0].file.id
    assert issue.conflicts_with.quote in book.references[0].content.text
    assert "green" in issue.conflicts_with.quote


def test_what_an_earlier_chapter_said_counts_where_the_sheet_says_nothing():
    book = material(earlier=("Nothing.", "Tobias sat down. His hair was black."))
    (issue,) = taken(CONTRADICTED_FACTS, "Tobias ran a hand through his red hair.", book).findings
    assert (issue.conflicts_with.source.id, issue.conflicts_with.quote) == (book.earlier[1].version_id, "His hair was black.")


def test_sheets_that_speak_of_others_or_against_themselves_say_nothing():
    references = (
        reference(11, "Mara Venn", "Her brother's eyes are blue. Like her mother she has grey eyes."),
        reference(12, "Tobias Reck", "He has blue eyes. He has brown eyes."),
    )
    book = material(references=references)
    assert quotes(CONTRADICTED_FACTS, "Mara's brown eyes were shut. Tobias's blue eyes were shut.", book) == []


def test_a_sheet_that_is_not_valid_yet_says_nothing():
    book = material(references=(reference(11, "Mara Venn", "Eyes: green", valid_from_chapter=20),))
    assert quotes(CONTRADICTED_FACTS, "Mara's brown eyes were shut.", book) == []


@pytest.mark.parametrize(
    ("sheet", "pronoun"),
    [
        ("Gender: female. He who married her is dead.", "her"),
        ("**Pronouns:** he/him. Son of the pilot; she taught him.", "his"),
        ("The baker's second daughter.", "her"),
        ("He bakes. He sings. He owes nobody bread. She left him.", "his"),
        ("Pilot.", "her"),
    ],
)
def test_whose_eyes_they_are_is_told_by_the_sheet(sheet, pronoun):
    book = material(references=(reference(11, "Sascha", f"{sheet}\nEyes: green"), reference(12, "Tobias Reck", "He is old. He bakes.")))
    other = "Tobias waited. " if pronoun == "her" and sheet != "Pilot." else ""
    assert quotes(CONTRADICTED_FACTS, f"{other}Sascha looked up, and {pronoun} blue eyes were shut.", book) == ["blue eyes"]
