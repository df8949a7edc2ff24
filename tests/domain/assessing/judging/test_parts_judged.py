"""A chapter in parts: findings of each part stand in the whole text, and only what no part does is missing."""

from functools import cache

import pytest

from domain.assessing.assessment import Measurement
from domain.assessing.judging.answer import Rejected, read_answer
from domain.assessing.judging.concern import Concern
from domain.assessing.judging.plan import judgements
from domain.assessing.judging.verdict import combine
from tests.domain.assessing.judging.chapters import TOKENS, finding, large_project, written_answer
from tests.domain.prompting.book import MODEL

ASKED = {"source": "BRIEF", "quote": "Tobick's lamp is not where it should be"}


@cache
def in_parts():
    text, material = large_project()
    marked = "\n\n".join(f"{number}. {paragraph}" for number, paragraph in enumerate((text + "\n\n" + text).split("\n\n")))
    return judgements(marked, material, model=MODEL, tokens=TOKENS)


def calls(concern):
    return [call for call in in_parts().calls if call.concern is concern]


def read(call, *findings):
    return read_answer(call, written_answer(*findings), in_parts())


def test_there_are_several_parts():
    assert [call.part.number for call in calls(Concern.CRAFT)] == list(range(1, calls(Concern.CRAFT)[0].part.of + 1))
    assert len(calls(Concern.CRAFT)) > 1


def test_a_finding_in_a_later_part_stands_where_the_whole_text_has_it():
    plan = in_parts()
    for call in calls(Concern.CRAFT):
        quote = plan.text[call.part.start + 2_000 : call.part.start + 2_300].split("\n\n")[1][:40].rsplit(" ", 1)[0]
        (issue,) = read(call, finding(quote=quote)).findings
        assert plan.text[issue.start : issue.end] == issue.quote == quote
        assert call.part.start <= issue.start < issue.end <= call.part.end


def test_what_stands_in_another_part_is_not_quoted_from_this_one():
    first, *_, last = calls(Concern.CRAFT)
    quote = in_parts().text[first.part.start : first.part.start + 60].rsplit(" ", 1)[0]
    assert read(first, finding(quote=quote)).findings
    assert read(last, finding(quote=quote)).rejected == Rejected(misquoted=1)


def test_a_part_may_contradict_what_another_part_says():
    first, *_, last = calls(Concern.FACTS)
    plan = in_parts()
    here = plan.text[last.part.end - 60 : last.part.end].split(" ", 1)[1]
    there = plan.text[first.part.start : first.part.start + 60].rsplit(" ", 1)[0]
    assert read(last, finding(category="CONTINUITY", quote=here, conflict={"source": "TEXT", "quote": there})).findings


def missing(**changes):
    return finding(category="BRIEF", quote="", message="The lamp is in its place.", **changes)


def test_a_part_alone_misses_something_only_in_the_briefs_own_words():
    call = calls(Concern.BRIEF)[0]
    assert read(call, missing()).rejected == Rejected(unsupported=1)
    assert read(call, missing(conflict={"source": "BRIEF", "quote": "Somebody dies"})).rejected == Rejected(unsupported=1)
    assert len(read(call, missing(conflict=ASKED)).findings) == 1


@pytest.mark.parametrize("missed_by_all", [True, False])
def test_what_one_part_does_is_not_missing_from_the_chapter(missed_by_all):
    judged = [read(call, *([missing(conflict=ASKED)] if missed_by_all or call.part.number == 1 else [])) for call in calls(Concern.BRIEF)]
    verdict = combine(judged, Measurement(metrics=(), findings=(), score=60.0))
    assert [issue.start for issue in verdict.findings] == ([None] if missed_by_all else [])
