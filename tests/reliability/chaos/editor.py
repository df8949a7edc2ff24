"""The judge and the editor behind jobs that assess and revise. What they say is decided by the text alone, so that all of it can be audited.

The judge always finds a sentence in which the lamp still burns as the writer had it, and is content with no text. The editor lets the lamp
of each passage burn lower, and the judge likes that better. So a revision is told from its original by the lamps, and by nothing else.
"""

import json
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from domain.assessing.judging.answer_schema import JUDGEMENT, PREFERENCE
from domain.assessing.revising.answer_format import ANSWER_NAME
from tests.fakes.model_behaviours import Call

LAMPS = ("burned low,", "burned lower,", "burned lowest,")
SCORE = 50
_LAMP = re.compile(r"\bburned low(?:er|est)?,")
_JUDGED = re.compile(r"## The text to be judged[^\n]*\n\n<material \w+>\n(?P<text>.*?)\n</material", re.DOTALL)
_COMPARED = re.compile(r"## Text (?P<label>[AB])\n\n<material \w+>\n(?P<text>.*?)\n</material", re.DOTALL)
_PASSAGE = re.compile(r"^(?P<name>E\d+)\. The passage:\n(?P<text>[^\n]+)", re.MULTILINE)
_UNTOUCHED = re.compile(r"In K\d+x\d+\.\d+\.\d+ the lamp burned low,")
_OF_CHAPTER = re.compile(r"^Chapter \d+(?:, “|: )(?P<code>K\d+x\d+)\b", re.MULTILINE)


def unrevised(text: str) -> str:
    """As the writer had it."""
    return _LAMP.sub(LAMPS[0], text)


def form_asked_for(call: Call) -> str | None:
    """The name of the schema that the answer is to follow; None for prose."""
    wanted = call.body.get("response_format")
    return None if wanted is None else str(wanted["json_schema"]["name"])


def code_of_chapter(call: Call) -> str:
    """The title of the chapter that is judged or revised."""
    (code,) = set(_OF_CHAPTER.findall(call.prompt))
    return str(code)


def answer_to(call: Call) -> str:
    answers = {JUDGEMENT: _judgement, PREFERENCE: _preference, ANSWER_NAME: _revision}
    return json.dumps(answers[str(form_asked_for(call))](call), ensure_ascii=False)


def _judgement(call: Call) -> Mapping[str, Any]:
    (text,) = _JUDGED.findall(call.prompt)
    question = call.body["messages"][-1]["content"]
    worn = _UNTOUCHED.search(text) if "PROSE" in question else None
    found = {
        "category": "PROSE",
        "severity": "MAJOR",
        "quote": worn[0] if worn else "",
        "before": "",
        "after": "",
        "conflict": None,
        "message": "The lamp could burn lower.",
        "suggestion": "Let it.",
        "replacement": None,
    }
    return {"findings": [found] if worn else [], "rationale": "The lamp burns.", "score": SCORE, "overall": SCORE}


def _preference(call: Call) -> Mapping[str, Any]:
    lamps = {found["label"]: sum(map(LAMPS.index, _LAMP.findall(found["text"]))) for found in _COMPARED.finditer(call.prompt)}
    better = "TIE" if lamps["A"] == lamps["B"] else max(lamps, key=lambda label: lamps[label])
    return {"reason": "The lower the lamps, the better.", "better": better}


def _revision(call: Call) -> Mapping[str, Any]:
    edits = [{"edit": found["name"], "replacement": _lower(found["text"])} for found in _PASSAGE.finditer(call.prompt)]
    return {"edits": edits, "insertions": [], "proposals": []}


def _lower(passage: str) -> str:
    """With the first of its lamps that can burn lower doing so."""
    for lamp, lower in pairwise(LAMPS):
        if lamp in passage:
            return passage.replace(lamp, lower, 1)
    return passage
