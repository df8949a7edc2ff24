"""The line protocol of context benchmarks, spoken by a process of its own: answers are whole, within budget and the same every time."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from tests.domain.prompting.book import CHAPTER_1, CHAPTER_2, GULLHAVEN, ICE, JOREN, MARA, TOBIAS

ROOT = Path(__file__).parents[2]
BRIEF = "Mara takes Joren out over the bar at dusk. Tobias's lamp is not where it should be."


def item(kind, title, text, *, section=None, names=(), number=0):
    return {
        "id": f"{kind}-{title}-{number}",
        "kind": kind,
        "title": title,
        "names": [title, *names],
        "section": section,
        "text": text,
        "tokens": max(1, len(text) // 4),
    }


ITEMS = [
    item("character", "Mara Venn", MARA, names=["the pilot"]),
    item("character", "Tobias Reck", TOBIAS),
    item("character", "Joren Hale", JOREN),
    item("place", "Gullhaven", GULLHAVEN),
    item("research", "Winters", ICE),
    *(item("passage", "Fog", text, section=1, number=number) for number, text in enumerate(CHAPTER_1.split("\n\n"))),
    *(item("passage", "The Ledger", text + "\u200b", section=2, number=number) for number, text in enumerate(CHAPTER_2.split("\n\n"))),
]


@pytest.fixture
def state(tmp_path):
    path = tmp_path / "state.json"
    path.write_text(json.dumps({"project": "p", "novel": "n", "section": 3, "items": ITEMS}), encoding="utf-8")
    return path


def answers(state, *budgets):
    messages = [{"op": "load", "project": "p", "path": str(state)}]
    messages += [
        {"op": "select", "case_id": f"c{budget}", "project": "p", "section": 3, "brief": BRIEF, "budget": budget} for budget in budgets
    ]
    lines = "".join(json.dumps(message) + "\n" for message in messages)
    ran = subprocess.run(
        [sys.executable, "-m", "bench.context"], input=lines, capture_output=True, text=True, cwd=ROOT, timeout=60, check=True
    )
    loaded, *answered = map(json.loads, ran.stdout.splitlines())
    assert loaded == {"ok": True}
    return answered


def cost(answer):
    """As a benchmark counts: a part of an item costs its share of the item's tokens, rounded up."""
    by_id = {each["id"]: each for each in ITEMS}
    total = 0
    for piece in answer["items"]:
        each = by_id[piece["id"]]
        start, end = piece.get("span", (0, len(each["text"])))
        assert 0 <= start < end <= len(each["text"])
        total += each["tokens"] if "span" not in piece else max(1, math.ceil(each["tokens"] * (end - start) / len(each["text"])))
    return total


def test_answers_keep_to_their_budgets_and_are_the_same_every_time(state):
    budgets = (60, 200, 400, 4_000)
    answered = answers(state, *budgets)
    assert [answer["case_id"] for answer in answered] == [f"c{budget}" for budget in budgets]
    assert all(cost(answer) <= budget for answer, budget in zip(answered, budgets, strict=True))
    assert answers(state, *budgets) == answered


def test_whom_the_brief_names_is_sent_with_the_words_that_name_them(state):
    (answer,) = answers(state, 4_000)
    pieces = {piece["id"]: piece for piece in answer["items"]}
    for sheet, cue in (("character-Mara Venn-0", "Mara"), ("character-Tobias Reck-0", "Tobias"), ("character-Joren Hale-0", "Joren")):
        assert pieces[sheet]["cue"] == cue
        assert pieces[sheet]["why"]
        assert "span" not in pieces[sheet]
    assert "research-Winters-0" not in pieces
