"""The shape of a judge's answers, as JSON Schema.

One schema serves all concerns, although each may give only some of the categories: OpenAI puts the schema before the system message,
so that another schema for each concern would make the provider read the chapter anew four times ("Prompt caching", platform.openai.com).
Which categories a concern may give is said in its question, and seen to when the answer is read. Findings come before the scores, so
that the evidence is written before the number.
"""

from collections.abc import Mapping
from typing import Any, Final

from domain.assessing.assessment import FindingCategory, FindingSeverity

MOST_FINDINGS: Final = 12
JUDGEMENT: Final = "judgement"
PREFERENCE: Final = "preference"
TEXT_LABEL: Final = "TEXT"
BRIEF_LABEL: Final = "BRIEF"
"""What a conflict names as its source when it is the text itself, or the brief."""


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Every property required and none added, as OpenAI's strict mode wants it."""
    return {"type": "object", "properties": dict(properties), "required": list(properties), "additionalProperties": False}


_STRING = {"type": "string"}
_SCORE = {"type": "integer", "minimum": 0, "maximum": 100}

JUDGEMENT_SCHEMA: Final[Mapping[str, Any]] = _object(
    {
        "findings": {
            "type": "array",
            "maxItems": MOST_FINDINGS,
            "items": _object(
                {
                    "category": {"type": "string", "enum": [str(each) for each in FindingCategory]},
                    "severity": {"type": "string", "enum": [str(each) for each in FindingSeverity]},
                    "quote": _STRING,
                    "before": _STRING,
                    "after": _STRING,
                    "conflict": {"anyOf": [_object({"source": _STRING, "quote": _STRING}), {"type": "null"}]},
                    "message": _STRING,
                    "suggestion": _STRING,
                    "replacement": {"type": ["string", "null"]},
                }
            ),
        },
        "rationale": _STRING,
        "score": _SCORE,
        "overall": _SCORE,
    }
)

PREFERENCE_SCHEMA: Final[Mapping[str, Any]] = _object(
    {"reason": _STRING, "better": {"type": "string", "enum": ["A", "B", "TIE"]}},
)
