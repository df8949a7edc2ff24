"""Filters and orders of lists, and what the domain makes of them: absent and null alike mean no filter."""

from collections.abc import Sequence
from typing import TypeVar

import strawberry

from domain import projects as domain
from domain.jobs.job import JobKind as ServedKind
from schema.enums import Genre, JobKind, OrderDirection, ProjectOrderField
from schema.fields import optional, present, required

Choice = TypeVar("Choice")


@strawberry.input(
    description="Which projects to list. All conditions must hold; without any, every project the viewer is a member of is listed."
)
class ProjectFilter:
    genre: list[Genre] | None = optional("Only these genres.")
    title_contains: str | None = optional("Only titles that contain this, upper or lower case alike.")
    archived: bool | None = optional("True for archived projects only, false for the others only; both without it.")


@strawberry.input(description="In which order to list projects.")
class ProjectOrder:
    field: ProjectOrderField = required("What to order by.")
    direction: OrderDirection = required("Which end comes first.")


def chosen(values: Sequence[Choice] | None) -> tuple[Choice, ...] | None:
    return None if present(values) is None else tuple(dict.fromkeys(values or ()))


def chosen_kinds(kinds: Sequence[JobKind] | None) -> tuple[ServedKind, ...] | None:
    """There can be no job of a kind the domain does not know yet."""
    asked = chosen(kinds)
    return None if asked is None else tuple(kind for kind in ServedKind if kind.value in asked)


def project_filter(sent: ProjectFilter | None) -> domain.ProjectFilter:
    if sent is None:
        return domain.ProjectFilter()
    return domain.ProjectFilter(genre=chosen(sent.genre), title_contains=present(sent.title_contains), archived=present(sent.archived))


def project_order(sent: ProjectOrder | None) -> domain.ProjectOrder:
    if sent is None:
        return domain.ProjectOrder()
    return domain.ProjectOrder(field=sent.field, descending=sent.direction is OrderDirection.DESC)
