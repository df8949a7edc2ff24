"""Projects: listing, creating, changing, deleting."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.access import Role
from domain.chapters import Chapter, ChapterStatus
from domain.errors import InvalidInput
from domain.jobs.job import Job, JobKind, JobStatus
from domain.paging import PageRequest
from domain.projects import GenerationSettings, Project, ProjectFilter, ProjectOrder, ProjectProgress
from domain.reference_files import ReferenceFile, ReferenceKind
from domain.spending import Usage, UsageReport
from domain.writing import checks
from resolvers.access import find_project, lock_project
from resolvers.context import RequestContext
from resolvers.genre_overrides import changed_override
from resolvers.jobs import cancel_all
from resolvers.listing import Listing, listings_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(ProjectProgress):
    """Progress seen against the project's own target."""

    target_word_count: int | None

    @property
    def fraction(self) -> float | None:
        return None if self.target_word_count is None else min(1.0, self.word_count / self.target_word_count)


async def list_projects(context: RequestContext, request: PageRequest, *, chosen: ProjectFilter, order: ProjectOrder) -> Listing[Project]:
    if chosen.title_contains is not None:
        checks.prose(checks.TITLE_LENGTH)(chosen.title_contains, ("filter", "titleContains"))
    async with context.loaders.reading() as records:
        page = await records.projects.page(request, chosen=chosen, order=order)

    async def count() -> int:
        async with context.loaders.reading() as records:
            return await records.projects.count(chosen=chosen)

    return Listing(page, count)


async def progress_of(context: RequestContext, project: Project) -> Progress:
    counted = await context.loaders.progress.load(project.id) or ProjectProgress(chapters=0, drafted=0, final=0, word_count=0)
    return Progress(**asdict(counted), target_word_count=project.target_word_count)


async def chapters_of(
    context: RequestContext, projects: Sequence[Project], request: PageRequest, *, status: tuple[ChapterStatus, ...] | None
) -> list[Listing[Chapter]]:
    loaders = context.loaders
    return await listings_of(projects, loaders.chapters_of_project, (request, status), loaders.chapter_counts, lambda of: (of, status))


async def reference_files_of(
    context: RequestContext, projects: Sequence[Project], request: PageRequest, *, kind: tuple[ReferenceKind, ...] | None
) -> list[Listing[ReferenceFile]]:
    loaders = context.loaders
    counts = loaders.reference_file_counts
    return await listings_of(projects, loaders.reference_files_of_project, (request, kind), counts, lambda of: (of, kind))


async def jobs_of(
    context: RequestContext,
    projects: Sequence[Project],
    request: PageRequest,
    *,
    status: tuple[JobStatus, ...] | None,
    kind: tuple[JobKind, ...] | None,
) -> list[Listing[Job]]:
    chosen = (status, kind)
    loaders = context.loaders
    return await listings_of(projects, loaders.jobs_of_project, (request, chosen), loaders.project_job_counts, lambda of: (of, chosen))


async def usage_of(context: RequestContext, project: Project, *, since: datetime | None, until: datetime | None) -> UsageReport:
    report = await context.loaders.usage_reports.load((project.id, (since, until)))
    return report or UsageReport(total=Usage(), by_day=(), by_model=())


def effective_settings(context: RequestContext, settings: GenerationSettings) -> GenerationSettings:
    """With the server's models where the project names none."""
    return replace(
        settings,
        model=settings.model or context.default_model,
        assessor_model=settings.assessor_model or context.default_assessor_model,
    )


async def create_project(context: RequestContext, values: Mapping[str, Any]) -> Project:
    accepted = checks.checked({name: value for name, value in values.items() if value is not None}, checks.PROJECT)
    now = context.clock()
    project = Project(
        id=context.ids(),
        title=accepted["title"],
        premise=accepted.get("premise", ""),
        genre=accepted["genre"],
        language=accepted.get("language", "en"),
        audience=accepted.get("audience"),
        point_of_view=accepted.get("point_of_view"),
        tense=accepted.get("tense"),
        style_notes=accepted.get("style_notes", ""),
        target_word_count=accepted.get("target_word_count"),
        settings=_changed_settings(context, GenerationSettings(), accepted.get("settings", {})),
        budget_limit=accepted.get("budget_limit"),
        archived_at=None,
        created_at=now,
        updated_at=now,
        genre_override=changed_override(None, accepted.get("genre_profile", {}), genre=accepted["genre"]),
    )
    async with context.writing() as records:
        await records.projects.create(project, owner=context.viewer.id)
    return project


async def update_project(context: RequestContext, project_id: UUID, values: Mapping[str, Any]) -> Project:
    """Editors change everything but what concerns money, which only owners do."""
    changes = checks.checked(values, checks.PROJECT)
    concerns_money = "budget_limit" in changes or "allow_unpriced_models" in changes.get("settings", {})
    required = Role.OWNER if concerns_money else Role.EDITOR
    now = context.clock()
    async with context.writing() as records:
        project = await lock_project(records, project_id, required, ("input", "id"))
        if "settings" in changes:
            changes["settings"] = _changed_settings(context, project.settings, changes["settings"])
        if "genre_profile" in changes:
            genre = changes.get("genre", project.genre)
            changes["genre_override"] = changed_override(project.genre_override, changes.pop("genre_profile"), genre=genre)
        if "archived" in changes:
            changes["archived_at"] = (project.archived_at or now) if changes.pop("archived") else None
        await records.projects.update(project_id, changes | {"updated_at": now})
        return await find_project(records, project_id, required, ("input", "id"))


async def delete_project(context: RequestContext, project_id: UUID) -> None:
    async with context.writing() as records:
        await lock_project(records, project_id, Role.OWNER, ("input", "id"))
        await cancel_all(records, project_id, at=context.clock())
        await records.projects.delete(project_id)


def _changed_settings(context: RequestContext, settings: GenerationSettings, changes: Mapping[str, Any]) -> GenerationSettings:
    for field, name in (("model", "model"), ("assessor_model", "assessorModel")):
        if changes.get(field) and context.models.find(changes[field]) is None:
            raise InvalidInput("This server does not offer this model: see `models`.", ("input", "settings", name))
    return replace(settings, **changes)
