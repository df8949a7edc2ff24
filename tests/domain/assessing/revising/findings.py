"""Findings of a text, made by what they quote."""

from uuid import UUID

from domain.assessing.assessment import FindingCategory, FindingEvidence, FindingSeverity, FoundIssue
from domain.prompting.receipts import Source, SourceKind

TEXT = (
    "# The Bar\n\n"
    "The lamp was out. Mara counted the bell, very slowly. She said nothing to the men.\n\n"
    "“You will take me over,” said Joren. It was not a question. She looked at his blue eyes.\n\n"
    "***\n\n"
    "Tobias waited at the slip. The tide was turning. It was turning, and the tide turned.\n\n"
    "Nobody came."
)


def issue(quote="", text=TEXT, *, at=None, **changes):
    start = (text.index(quote) if at is None else at) if quote else None
    values = {
        "category": FindingCategory.PROSE,
        "severity": FindingSeverity.MINOR,
        "message": f"About {quote or 'something missing'}.",
        "suggestion": "Say it in another way.",
        "quote": quote,
        "start": start,
        "end": start + len(quote) if quote else None,
    }
    return FoundIssue(**values | changes)


def chosen(*issues):
    return [(UUID(int=number), each) for number, each in enumerate(issues, start=1)]


def conflicting(quote):
    return FindingEvidence(Source(SourceKind.CHAPTER_VERSION, UUID(int=99)), quote)


def characters(text):
    """Counting as if a token were four characters."""
    return (len(text) + 3) // 4
