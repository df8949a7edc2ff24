"""A project: one book, its settings and its members."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from domain.genre_overrides import GenreOverride


class Genre(StrEnum):
    FANTASY = "FANTASY"
    SCIENCE_FICTION = "SCIENCE_FICTION"
    MYSTERY = "MYSTERY"
    THRILLER = "THRILLER"
    ROMANCE = "ROMANCE"
    HORROR = "HORROR"
    HISTORICAL = "HISTORICAL"
    LITERARY = "LITERARY"
    YOUNG_ADULT = "YOUNG_ADULT"
    CHILDREN = "CHILDREN"
    MEMOIR = "MEMOIR"
    NON_FICTION = "NON_FICTION"
    OTHER = "OTHER"


class PointOfView(StrEnum):
    FIRST = "FIRST"
    SECOND = "SECOND"
    THIRD_LIMITED = "THIRD_LIMITED"
    THIRD_OMNISCIENT = "THIRD_OMNISCIENT"


class Tense(StrEnum):
    PAST = "PAST"
    PRESENT = "PRESENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationSettings:
    """How a project's jobs run. `quality_target` is 0..100; a model of "" means the server's default.

    `allow_unpriced_models`: consent to models of which nobody knows what they cost, and which no limit can hold.
    """

    model: str = ""
    assessor_model: str = ""
    prompt_token_budget: int = 8000
    temperature: float = 0.8
    quality_target: float = 70.0
    max_revisions: int = 1
    allow_unpriced_models: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    id: UUID
    title: str
    premise: str
    genre: Genre
    language: str
    audience: str | None
    point_of_view: PointOfView | None
    tense: Tense | None
    style_notes: str
    target_word_count: int | None
    settings: GenerationSettings
    budget_limit: Decimal | None
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime
    genre_override: GenreOverride | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectProgress:
    """Counts of chapters by state and the words of their current versions."""

    chapters: int
    drafted: int
    final: int
    word_count: int


class ProjectOrderField(StrEnum):
    UPDATED_AT = "UPDATED_AT"
    CREATED_AT = "CREATED_AT"
    TITLE = "TITLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFilter:
    """`archived` None shows both; False, the usual choice of a list, only the living."""

    genre: tuple[Genre, ...] | None = None
    title_contains: str | None = None
    archived: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectOrder:
    field: ProjectOrderField = ProjectOrderField.UPDATED_AT
    descending: bool = True
