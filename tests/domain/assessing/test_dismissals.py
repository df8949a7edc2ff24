"""What the author has dismissed does not come back, and nothing else is swallowed with it."""

import pytest

from domain.assessing.dismissals import Dismissed, same_finding, without_dismissed
from tests.domain.assessing.revising.findings import TEXT, conflicting, issue

SENTENCE = "Mara counted the bell, very slowly."


def left(found, *dismissed):
    return without_dismissed([found], [Dismissed.of(each) for each in dismissed]) == [found]


@pytest.mark.parametrize(
    "again",
    [
        issue(SENTENCE),
        issue(SENTENCE, message="Said in other words.", suggestion="Another one."),
        issue("Mara *counted* the bell, very slowly.", f"Other text. Mara *counted* the bell, very slowly. {TEXT}"),
        issue("mara counted the bell,\nvery slowly.", "mara counted the bell,\nvery slowly."),
        issue("counted the bell, very slowly"),
        issue(f"{SENTENCE} She said"),
    ],
)
def test_a_dismissed_finding_of_a_judge_does_not_come_back_however_it_is_quoted(again):
    assert not left(again, issue(SENTENCE))


@pytest.mark.parametrize(
    "other",
    [
        issue("She said nothing to the men."),
        issue("very slowly"),
        issue(f"{SENTENCE} She said nothing to the men.\n\n“You will take me over"),
        issue(SENTENCE, conflicts_with=conflicting("There was no bell.")),
        issue(SENTENCE, metric="adverbs"),
        issue(message=f"About {SENTENCE}."),
    ],
)
def test_another_finding_is_not_swallowed(other):
    assert left(other, issue(SENTENCE))


def test_both_sides_of_a_contradiction_have_to_agree():
    dismissed = issue("his blue eyes", conflicts_with=conflicting("Joren had grey eyes"))
    assert not left(issue("his blue eyes", conflicts_with=conflicting("Joren had grey eyes.")), dismissed)
    assert not left(issue("at his blue eyes", conflicts_with=conflicting("Joren had grey eyes")), dismissed)
    assert left(issue("his blue eyes", conflicts_with=conflicting("Her eyes were green")), dismissed)
    assert left(issue("his blue eyes"), dismissed)


def test_a_metrics_finding_is_known_by_its_metric_and_its_exact_quote():
    dismissed = issue("very slowly", metric="adverbs")
    assert not left(issue("very slowly", metric="adverbs"), dismissed)
    assert left(issue("very slowly", metric="filterWords"), dismissed)
    assert left(issue("very slowly"), dismissed)
    assert left(issue("very slow", metric="adverbs"), dismissed)
    assert left(issue("bell, very slowly", metric="adverbs"), dismissed)


def test_what_is_missing_is_known_by_the_beat_or_by_the_message():
    beat = issue(message="The beat “Tobias confesses” is not in the text.")
    assert not left(issue(message='Not written yet: "tobias confesses".'), beat)
    assert left(issue(message="The beat “Mara confesses” is not in the text."), beat)
    words = issue(message="Too short: 900 words.")
    assert not left(issue(message="too short – 900 words"), words)
    assert left(issue(message="Too short: 800 words."), words)
    assert left(issue(message="Too short: 900 words.", metric="length"), words)


def test_the_rest_stays_in_its_order():
    issues = [issue("lamp"), issue("Nobody came."), issue(SENTENCE)]
    assert without_dismissed(issues, [Dismissed.of(issues[1])]) == [issues[0], issues[2]]
    assert without_dismissed(issues, []) == issues


def test_sameness_does_not_depend_on_which_comes_first():
    quotes = ["", "lamp", SENTENCE, "counted the bell, very slowly", "the bell"]
    findings = [Dismissed(quote=one, conflict_quote=other, metric=None, message="m") for one in quotes for other in quotes]
    for one in findings:
        assert same_finding(one, one)
        for other in findings:
            assert same_finding(one, other) is same_finding(other, one)
