"""Findings become local edits of whole sentences, unless they say themselves what is to stand there."""

from uuid import UUID

import pytest

from domain.assessing.assessment import FindingCategory
from domain.assessing.revising.plan import Edit
from domain.assessing.revising.planning import LONGEST_JOINED, MisplacedFinding, misplaced, plan_revision
from tests.domain.assessing.revising.findings import TEXT, chosen, issue


def plan(*issues, text=TEXT, instructions="", language="en-GB"):
    return plan_revision(text, chosen(*issues), instructions, language=language)


def passages(made):
    return [made.text[edit.start : edit.end] for edit in made.edits]


@pytest.mark.parametrize(
    ("quote", "passage"),
    [
        ("very slowly", "Mara counted the bell, very slowly."),
        ("bell, very slowly. She said", "Mara counted the bell, very slowly. She said nothing to the men."),
        ("take me over,” said", "“You will take me over,” said Joren."),
        ("Nobody came.", "Nobody came."),
        ("men.\n\n“You", "She said nothing to the men.\n\n“You will take me over,” said Joren."),
        ("The Bar", "The Bar"),
        ("***", "***"),
    ],
)
def test_a_quote_is_widened_to_the_sentences_that_it_is_part_of(quote, passage):
    made = plan(issue(quote))
    assert passages(made) == [passage]
    assert made.edits[0].replacement is None
    assert not made.ready


def test_a_ready_replacement_stands_for_the_quote_exactly():
    made = plan(issue("very slowly", replacement="slowly"), issue("blue eyes", replacement="grey eyes"))
    assert passages(made) == ["very slowly", "blue eyes"]
    assert made.ready
    first, second = TEXT.index("very slowly"), TEXT.index("blue eyes")
    assert made.ready_edits == (
        Edit(start=first, end=first + 11, replacement="slowly", finding_ids=(UUID(int=1),)),
        Edit(start=second, end=second + 9, replacement="grey eyes", finding_ids=(UUID(int=2),)),
    )


def test_with_instructions_the_model_is_asked_even_where_a_replacement_is_ready():
    made = plan(issue("very slowly", replacement="slowly"), instructions=" Make it colder. ")
    assert passages(made) == ["Mara counted the bell, very slowly."]
    assert made.instructions == "Make it colder."
    assert made.ready_edits == ()
    assert not made.ready
    assert not made.free


def test_a_replacement_that_changes_nothing_is_none():
    assert passages(plan(issue("very slowly", replacement="very slowly"))) == ["Mara counted the bell, very slowly."]


def test_a_ready_replacement_is_cleaned_of_what_no_text_may_hold():
    (edit,) = plan(issue("very slowly", replacement="slow\x00ly\u202e")).ready_edits
    assert edit.replacement == "slowly"


def test_edits_come_in_the_order_of_the_text_whatever_the_order_of_the_findings():
    made = plan(issue("Nobody came."), issue("lamp"))
    assert [(edit.name, made.text[edit.start : edit.end]) for edit in made.edits] == [("E1", "The lamp was out."), ("E2", "Nobody came.")]
    assert made.edits[0].finding_ids == (UUID(int=2),)


def test_neighbouring_sentences_are_rewritten_in_one_go_and_paragraphs_apart():
    made = plan(issue("very slowly"), issue("nothing"), issue("Joren"))
    assert passages(made) == ["Mara counted the bell, very slowly. She said nothing to the men.", "“You will take me over,” said Joren."]
    assert made.edits[0].finding_ids == (UUID(int=1), UUID(int=2))


def test_neighbours_are_not_joined_without_end():
    text = " ".join(f"{number} {'salt ' * 30}sea." for number in range(40))
    made = plan(*(issue(f"{number} salt", text) for number in range(40)), text=text)
    assert len(made.edits) > 1
    assert max(edit.end - edit.start for edit in made.edits) <= LONGEST_JOINED
    assert sum(len(edit.findings) for edit in made.edits) == 40


def test_ready_replacements_that_overlap_are_asked_of_the_model():
    made = plan(issue("the bell, very", replacement="a bell"), issue("very slowly", replacement="slowly"))
    assert passages(made) == ["Mara counted the bell, very slowly."]
    assert made.edits[0].replacement is None
    assert len(made.edits[0].findings) == 2


def test_a_ready_replacement_within_a_passage_that_is_asked_for_is_part_of_it():
    made = plan(issue("Mara counted"), issue("very slowly", replacement="slowly"))
    assert passages(made) == ["Mara counted the bell, very slowly."]
    assert made.ready_edits == ()


def test_the_same_replacement_twice_is_one_edit_for_both_findings():
    made = plan(issue("very slowly", replacement="slowly"), issue("very slowly", replacement="slowly"))
    assert [(edit.replacement, len(edit.findings)) for edit in made.edits] == [("slowly", 2)]


def test_ready_replacements_that_touch_are_put_together():
    made = plan(issue("very ", replacement=""), issue("slowly", replacement="twice"))
    assert [(made.text[edit.start : edit.end], edit.replacement) for edit in made.edits] == [("very slowly", "twice")]


def test_a_join_widens_and_may_join_what_lies_before():
    made = plan(
        issue("counted", replacement="told"),
        issue("bell, very", replacement="bell"),
        issue("very slowly", replacement="slowly"),
    )
    assert passages(made) == ["Mara counted the bell, very slowly."]
    assert made.edits[0].finding_ids == (UUID(int=1), UUID(int=2), UUID(int=3))


def test_what_is_missing_becomes_an_insertion():
    made = plan(issue(category=FindingCategory.BRIEF, message="Tobias never confesses."), issue("lamp"))
    assert [(each.name, each.finding[0]) for each in made.insertions] == [("I1", UUID(int=1))]
    assert len(made.edits) == 1
    assert not plan(issue(message="Tobias never confesses.")).ready


def test_instructions_alone_leave_the_place_to_the_model():
    made = plan(instructions="Colder.")
    assert made.free
    assert not made.ready
    assert not made.empty
    assert plan(instructions="  ").empty
    assert plan().ready


@pytest.mark.parametrize(
    "wrong",
    [
        issue("lamp", at=0),
        issue("lamp", start=None),
        issue("lamp", end=None),
        issue("lamp", start=-4, end=0),
        issue("Nobody came.", end=len(TEXT) + 1),
    ],
)
def test_a_finding_of_another_text_is_refused(wrong):
    assert misplaced(TEXT, chosen(issue("bell"), wrong)) == (UUID(int=2),)
    with pytest.raises(MisplacedFinding) as refused:
        plan(issue("bell"), wrong)
    assert refused.value.finding_id == UUID(int=2)
    assert isinstance(refused.value, ValueError)


@pytest.mark.parametrize(
    ("found", "may_delete"),
    [
        (issue("It was turning, and the tide turned.", suggestion="Cut this sentence."), True),
        (issue("It was turning, and the tide turned", suggestion="Leave it out."), True),
        (issue("the tide turned", suggestion="Cut these words."), False),
        (issue("It was turning, and the tide turned.", suggestion="Say it in another way."), False),
        (issue("Nobody came.", suggestion="Cut it.", category=FindingCategory.CONTINUITY), False),
        (issue("Nobody came.", suggestion="Use a shortcut."), False),
    ],
)
def test_only_a_passage_that_was_quoted_whole_and_is_to_be_cut_may_be_deleted(found, may_delete):
    assert plan(found).edits[0].may_delete is may_delete


def test_a_passage_may_be_deleted_only_if_all_its_findings_say_so():
    made = plan(issue("Nobody came.", suggestion="Cut it."), issue("Nobody", suggestion="Who else?"))
    assert not made.edits[0].may_delete
    assert not plan(issue("Gone.", "Gone.", suggestion="Cut it."), text="Gone.").edits[0].may_delete


def test_a_proposed_deletion_allows_one_where_the_model_is_asked():
    cut = issue("Nobody came.", replacement="")
    assert plan(cut, instructions="Colder.").edits[0].may_delete
    assert not plan(issue("Nobody", replacement=""), instructions="Colder.").edits[0].may_delete


def test_sentences_of_unspaced_scripts_are_told_apart():
    text = "灯灭了。她数着钟声。没有人来。"
    assert passages(plan(issue("数着", text), text=text, language="zh")) == ["她数着钟声。"]
