"""From findings to a revised text: whatever the text and the answers, what no finding is about stays as it is."""

import json
import random

import pytest

from domain.assessing.revising.answers import Edits, all_edits
from domain.assessing.revising.applying import apply_edits
from domain.assessing.revising.edit_reading import read_edits
from domain.assessing.revising.messages import revision_calls
from domain.assessing.revising.planning import plan_revision
from domain.writing.comparison import DiffOperation, diff
from tests.domain.assessing.revising.findings import characters, chosen, issue
from tests.domain.prompting.book import salt_road

PIECES = [
    *(
        "Mara ",
        "lamp ",
        "тихо ",
        "שלום ",
        "灯灭了。",
        "👩‍🚀 ",
        "e\u0301te\u0301 ",
        "“No,” he said. ",
        "It was late. ",
        "Yes! ",
        "bell",
        "tide ",
    ),
    *(". ", ".\n\n", "\n\n***\n\n", "\n\n# One\n\n", "?\r\n\r\n", "\n", "𠜎𝔘 ", "\x01", "\u00ad", "*quick* "),
]


def random_finding(chance, text):
    if chance.random() < 0.2:
        return issue(message=f"Missing: {chance.random()}.")
    start = chance.randrange(len(text))
    quote = text[start : start + chance.randint(1, 40)]
    replacement = chance.choice([None, None, "", "Something else.", f"{quote}!"])
    return issue(quote, text, at=start, replacement=replacement, suggestion=chance.choice(["Cut it.", "Say it better."]))


def answered(chance, call, text):
    """As a careless model would: something for everything, with the neighbours repeated here and there."""
    edits = [
        {
            "edit": edit.name,
            "replacement": chance.choice(
                ["Fog came.", "", "Fog.\n\nMore fog.", text[max(0, edit.start - 20) : edit.end + 20], f"{text[edit.start : edit.end]} Fog."]
            ),
        }
        for edit in call.asked.edits
    ]
    insertions = [
        {
            "edit": insertion.name,
            "after_quote": text[(start := chance.randrange(len(text))) : start + 25],
            "new_paragraph": chance.choice([True, False, None]),
            "text": f"New text {insertion.name}.",
        }
        for insertion in call.asked.insertions
    ]
    proposals = [
        {"quote": text[(start := chance.randrange(len(text))) : start + 12], "replacement": f"Proposal {number}."}
        for number in range(call.asked.most_proposals)
    ]
    return json.dumps({"edits": edits, "insertions": insertions, "proposals": proposals})


@pytest.mark.parametrize("seed", range(300))
def test_only_what_was_planned_changes(seed):
    chance = random.Random(seed)
    text = "".join(chance.choices(PIECES, k=chance.randint(3, 120)))
    issues = [random_finding(chance, text) for _ in range(chance.randint(0, 8))]
    plan = plan_revision(text, chosen(*issues), chance.choice(["", "", "Colder."]) if issues else "Colder.", language="en")
    calls = revision_calls(plan, salt_road(), count=characters, whole_text_tokens=chance.choice([40, 10_000]))
    answers = [read_edits(plan, call, answered(chance, call, text)) for call in calls]
    edits = all_edits(plan, answers)
    revised = apply_edits(text, edits.edits)

    spans = {(edit.start, edit.end): set(edit.finding_ids) for edit in plan.edits}
    places = iter(sorted(edits.edits, key=lambda edit: (edit.start, edit.end)))
    old = new = 0
    for change in revised.changes:
        edit = next(places)
        assert text[old : change.old.start] == revised.text[new : change.new.start]
        assert revised.text[change.new.start : change.new.end] == edit.replacement
        assert plan.free or edit.start == edit.end or spans[edit.start, edit.end] == set(edit.finding_ids)
        assert not (text[change.old.start : edit.start] + text[edit.end : change.old.end]).strip()
        old, new = change.old.end, change.new.end
    assert text[old:] == revised.text[new:]

    hunks = diff(text, revised.text)
    assert "".join(hunk.text for hunk in hunks if hunk.operation is not DiffOperation.INSERT) == text
    assert "".join(hunk.text for hunk in hunks if hunk.operation is not DiffOperation.DELETE) == revised.text
    answered_ids = [finding_id for edit in edits.edits for finding_id in edit.finding_ids]
    assert len(answered_ids) == len(set(answered_ids))
    assert all(answer.edits for answer in answers if isinstance(answer, Edits))
