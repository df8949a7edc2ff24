"""Who is dead by the sheet neither speaks nor acts."""

import pytest

from domain.assessing.assessment import FindingSeverity
from domain.assessing.metrics.the_dead import THE_DEAD_SPEAKING
from tests.domain.assessing.metrics.story_book import material, quotes, taken
from tests.domain.prompting.book import reference


def book(sheet, **changes):
    return material(references=(reference(12, "Tobias Reck", sheet), reference(11, "Mara Venn", "Pilot.")), **changes)


DEAD = book("Baker.\nStatus: dead")


@pytest.mark.parametrize(
    "sheet",
    ["Status: dead", "- **Status:** deceased", "He died in chapter 3.", "Died in chapter 8", "Tobias was killed by Joren.", "Tobias Reck is dead.",
     "He has been dead these five years.", "Baker. Drowned off the bar.", "Pilot of Hallick, drowned at forty-seven.", "Baker, who died of a fever.", "He died of a fever."],
)  # fmt: skip
def test_a_sheet_that_says_so_makes_dead(sheet):
    assert quotes(THE_DEAD_SPEAKING, "“No,” said Tobias.", book(sheet)) == ["said Tobias"]


@pytest.mark.parametrize(
    "sheet",
    ["Status: alive", "His wife died in chapter 3.", "He dies in chapter 12.", "He died in chapter 9.", "He is believed dead.", "He faked it: dead.",
     "Status: nearly dead", "His father is dead.", "He killed Anselm.", "He may die.", "Keeps the knife of his dead brother.", "Widower of Anna, drowned off the bar.", "Anna's baker, killed by time.", "Killed Anselm.", ""],
)  # fmt: skip
def test_a_sheet_that_says_it_of_others_or_of_later_makes_nobody_dead(sheet):
    assert quotes(THE_DEAD_SPEAKING, "“No,” said Tobias. Tobias walked off.", book(sheet)) == []


@pytest.mark.parametrize(
    ("text", "quote", "severity"),
    [
        ("“No,” said Tobias.", "said Tobias", FindingSeverity.BLOCKING),
        ("“No,” Tobias quietly said.", "Tobias quietly said", FindingSeverity.BLOCKING),
        ("It was Tobias who answered. “No.”", "Tobias who answered", FindingSeverity.MAJOR),
        ("Tobias Reck walked over to the oven.", "Tobias Reck walked", FindingSeverity.MAJOR),
        ("Tobias nods.", "Tobias nods", FindingSeverity.MAJOR),
    ],
)
def test_speaking_is_worse_than_acting(text, quote, severity):
    (issue,) = taken(THE_DEAD_SPEAKING, text, DEAD).findings
    assert (issue.quote, issue.severity) == (quote, severity)
    assert issue.conflicts_with.quote == "Status: dead"


@pytest.mark.parametrize(
    "text",
    [
        "“Tobias said so,” said Mara.",
        "Tobias had walked here. Tobias would have said no.",
        "She remembered how Tobias walked.",
        "As Tobias said, bread is bread.",
        "In the picture Tobias smiled.",
        "When Tobias came home, in those years, he was tired.",
        "Tobias was dead. The death of Tobias Reck changed nothing.",
        "Mara said nothing of Tobias.",
    ],
)
def test_the_dead_may_be_remembered_and_spoken_of(text):
    assert quotes(THE_DEAD_SPEAKING, text, DEAD) == []


def test_a_name_that_the_living_share_accuses_nobody():
    shared = material(references=(reference(12, "Tobias Reck", "Status: dead"), reference(13, "Tobias Venn", "Alive.")))
    assert quotes(THE_DEAD_SPEAKING, "“No,” said Tobias.", shared) == []
    assert quotes(THE_DEAD_SPEAKING, "“No,” said Tobias Reck.", shared) == ["said Tobias Reck"]


def test_where_nobody_is_dead_nothing_is_measured():
    assert taken(THE_DEAD_SPEAKING, "“No,” said Tobias.", book("Baker.")) is None
