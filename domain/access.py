"""Who may do what: the single place that answers "may"."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """A member's role in a project; each includes what the ones after it may do."""

    OWNER = "OWNER"
    EDITOR = "EDITOR"
    COMMENTER = "COMMENTER"
    VIEWER = "VIEWER"

    def includes(self, other: "Role") -> bool:
        ranks = tuple(Role)
        return ranks.index(self) <= ranks.index(other)


@dataclass(frozen=True, slots=True)
class User:
    id: UUID
    name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Viewer:
    """The authenticated user on whose behalf a request is answered; `expires_at` is their token's."""

    user: User
    expires_at: datetime

    @property
    def id(self) -> UUID:
        return self.user.id


@dataclass(frozen=True, slots=True)
class Membership:
    project_id: UUID
    user_id: UUID
    role: Role
    joined_at: datetime
