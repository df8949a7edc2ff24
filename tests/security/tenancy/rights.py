"""Who may do what: the lowest role for every root field of the schema. A field without an entry fails the suite, and so does an entry too many.

Everything below a root field is for whoever may see the entity that it is a field of.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

ROLES: Final = ("VIEWER", "COMMENTER", "EDITOR", "OWNER")
"""From the lowest on: each may do what those before it may."""
EVERYTHING: Final = "*"
"""Of all things of a shelf, in a list of ids."""


@dataclass(frozen=True, slots=True)
class Right:
    """The lowest role that may; None where everybody may ask, of what is theirs.

    `things` says which thing of a shelf goes into an argument or input field whose name does not tell; `values` what goes into those
    that take no id and can be left out, or not be anything.
    """

    role: str | None
    things: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)


NEWCOMER: Final = "newcomer@example.org"
"""The address of somebody who has signed in and belongs to no project."""

RIGHTS: Final[Mapping[str, Right]] = {
    "Query.viewer": Right(None),
    "Query.node": Right("VIEWER"),
    "Query.nodes": Right("VIEWER", things={"ids": EVERYTHING}),
    "Query.project": Right("VIEWER"),
    "Query.projects": Right(None),
    "Query.projects by title": Right(None, values={"filter": {"titleContains": "zyzzyva"}}),
    "Query.chapter": Right("VIEWER"),
    "Query.job": Right("VIEWER"),
    "Query.promptPreview": Right("VIEWER", things={"exclude": "OtherChapter"}),
    "Query.promptComparison": Right("VIEWER", things={"before": "EarlierDraft"}),
    "Query.mentions": Right("VIEWER", values={"text": "Zyzzyva and Ordinary are named."}),
    "Query.genres": Right(None),
    "Query.models": Right(None),
    "Mutation.createProject": Right(None),
    "Mutation.updateProject": Right("EDITOR", values={"title": "Taken"}),
    "Mutation.updateProject of the budget": Right("OWNER", values={"budgetLimit": "500"}),
    "Mutation.updateProject of consent": Right("OWNER", values={"settings": {"allowUnpricedModels": False}}),
    "Mutation.deleteProject": Right("OWNER"),
    "Mutation.addProjectMember": Right("OWNER", values={"email": NEWCOMER}),
    "Mutation.changeProjectMemberRole": Right("OWNER", things={"userId": "Member"}, values={"role": "VIEWER"}),
    "Mutation.removeProjectMember": Right("OWNER", things={"userId": "Member"}),
    "Mutation.createReferenceFile": Right("EDITOR"),
    "Mutation.updateReferenceFile": Right("EDITOR", values={"content": "Taken."}),
    "Mutation.deleteReferenceFile": Right("EDITOR"),
    "Mutation.createChapter": Right("EDITOR", values={"text": "Taken."}),
    "Mutation.updateChapter": Right("EDITOR", values={"title": "Taken"}),
    "Mutation.moveChapter": Right("EDITOR", values={"position": 2}),
    "Mutation.deleteChapter": Right("EDITOR"),
    "Mutation.saveChapterText": Right("EDITOR", values={"text": "Taken."}),
    "Mutation.restoreChapterVersion": Right("EDITOR", things={"versionId": "EarlierDraft"}),
    "Mutation.startChapterGeneration": Right("EDITOR", things={"include": "ReferenceFile", "exclude": "OtherChapter"}),
    "Mutation.startChapterRevision": Right("EDITOR", values={"idempotencyKey": "revision"}),
    "Mutation.startAssessment": Right("EDITOR", values={"idempotencyKey": "assessment"}),
    "Mutation.dismissFinding": Right("EDITOR"),
    "Mutation.cancelJob": Right("EDITOR"),
    "Mutation.changeJobCostLimit": Right("EDITOR", values={"costLimit": "5"}),
    "Mutation.retryJob": Right("EDITOR", things={"jobId": "FailedJob"}),
    "Subscription.jobEvents": Right("VIEWER", things={"jobId": "FailedJob"}),
}


def place_of(label: str) -> tuple[str, str]:
    """The root type and the field that an entry is of."""
    owner, _, name = label.split(" ", maxsplit=1)[0].partition(".")
    return owner, name
