"""The root of queries: decode ids, delegate."""

from collections.abc import Sequence
from typing import Annotated, Any

import strawberry
from strawberry import ID, UNSET, Parent

from domain import access
from domain.chapters import Chapter as ChapterValue
from domain.chapters import ChapterVersion as VersionValue
from domain.jobs.job import Job as JobValue
from domain.llm.catalogue import ModelInfo
from domain.projects import Project as ProjectValue
from domain.prompting.comparison import ReceiptComparison
from domain.prompting.genres import GenreProfile as ProfileValue
from domain.prompting.genres import all_profiles
from domain.spending import Budget as BudgetValue
from domain.spending import UsageReport as ReportValue
from resolvers import jobs, people, prompt_comparisons, prompts
from resolvers.listing import Listing
from resolvers.nodes import find, find_all
from resolvers.projects import list_projects
from schema import ids
from schema.chapters import Chapter
from schema.edge.errors import ErrorCode, RequestError
from schema.enums import JobStatus
from schema.fields import Info, argument, field, present
from schema.filters import ProjectFilter, ProjectOrder, chosen, project_filter, project_order
from schema.genres import GenreProfile
from schema.jobs import Job
from schema.node import Node
from schema.paging import After, Before, Connection, First, Last, page_request
from schema.people import User
from schema.projects import Project
from schema.prompt_requests import preview_request
from schema.prompts import BUILDING, COMPARING, LanguageModel, Mention, PromptComparison, PromptPreview, PromptPreviewInput
from schema.spending import AGGREGATE, Budget, From, To, UsageReport

NODES_AT_ONCE = 100

EntityId = Annotated[ID, argument("Its id.", name="id")]
Filter = Annotated[ProjectFilter | None, argument("Which projects to list; all without it.", name="filter")]
Order = Annotated[ProjectOrder | None, argument("In which order; the most recently changed first without it.", name="orderBy")]
Statuses = Annotated[list[JobStatus] | None, argument("Only jobs of these states; all without it.")]


@strawberry.type(description="The person on whose behalf the request is answered.")
class Viewer:
    @field(User, "Who that is.")
    @staticmethod
    def user(parent: Parent[access.Viewer]) -> access.User:
        return parent.user

    @field(Connection[Project], "The projects they are a member of.")
    @staticmethod
    async def projects(
        info: Info,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        chosen_by: Filter = UNSET,
        ordered_by: Order = UNSET,
    ) -> Listing[ProjectValue]:
        request = page_request(first=first, after=after, last=last, before=before)
        return await list_projects(
            info.context, request, chosen=project_filter(present(chosen_by)), order=project_order(present(ordered_by))
        )

    @field(
        UsageReport,
        "What the jobs they started have used, in all projects, and the vectors of texts in projects that they own.",
        weight=AGGREGATE,
    )
    @staticmethod
    async def usage(info: Info, from_: From = UNSET, to: To = UNSET) -> ReportValue:
        return await people.own_usage(info.context, since=present(from_), until=present(to))

    @field(Budget, "What the jobs they start may spend this month (of UTC), in all projects. The limit is the server's.", weight=AGGREGATE)
    @staticmethod
    async def monthly_budget(info: Info) -> BudgetValue:
        return await people.own_month(info.context)

    @field(Connection[Job], "The jobs they started, newest first.")
    @staticmethod
    async def jobs(info: Info, first: First = UNSET, after: After = UNSET, status: Statuses = UNSET) -> Listing[JobValue]:
        return await jobs.list_own_jobs(info.context, page_request(first=first, after=after), status=chosen(status))


@strawberry.type(description="Reading. What does not exist and what the viewer may not see are both answered with null.")
class Query:
    @field(Viewer, "The person on whose behalf the request is answered.")
    @staticmethod
    def viewer(info: Info) -> access.Viewer:
        return info.context.viewer

    @field(Node | None, "Anything that has an id.")
    @staticmethod
    async def node(info: Info, entity_id: EntityId) -> Any:
        return await find(info.context, ids.decode(entity_id))

    @field(list[Node | None], "Several at once, in the order of their ids.", most=NODES_AT_ONCE, sized_by="ids")
    @staticmethod
    async def nodes(
        info: Info, entity_ids: Annotated[list[ID], argument(f"Their ids, at most {NODES_AT_ONCE}.", name="ids")]
    ) -> Sequence[Any]:
        return await find_all(info.context, _decoded(entity_ids))

    @field(Project | None, "A project.")
    @staticmethod
    async def project(info: Info, entity_id: EntityId) -> Any:
        return await find(info.context, ids.decode(entity_id), kind=ProjectValue)

    @field(Connection[Project], "The projects the viewer is a member of.")
    @staticmethod
    async def projects(
        info: Info,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        chosen_by: Filter = UNSET,
        ordered_by: Order = UNSET,
    ) -> Listing[ProjectValue]:
        request = page_request(first=first, after=after, last=last, before=before)
        return await list_projects(
            info.context, request, chosen=project_filter(present(chosen_by)), order=project_order(present(ordered_by))
        )

    @field(Chapter | None, "A chapter.")
    @staticmethod
    async def chapter(info: Info, entity_id: EntityId) -> Any:
        return await find(info.context, ids.decode(entity_id), kind=ChapterValue)

    @field(Job | None, "A job.")
    @staticmethod
    async def job(info: Info, entity_id: EntityId) -> Any:
        return await find(info.context, ids.decode(entity_id), kind=JobValue)

    @field(PromptPreview, "What a draft of a chapter would send now, and what it would cost. Free: no model is called.", weight=BUILDING)
    @staticmethod
    async def prompt_preview(info: Info, sent: Annotated[PromptPreviewInput, argument("Which prompt.", name="input")]) -> prompts.Preview:
        return await prompts.preview(info.context, preview_request(sent))

    @field(PromptComparison, "How the prompt that one version was written from differs from another's, and why.", weight=COMPARING)
    @staticmethod
    async def prompt_comparison(
        info: Info,
        before: Annotated[ID, argument("A version that a model wrote, of any chapter.")],
        after: Annotated[ID, argument("Another one, of any chapter of the same project.")],
    ) -> ReceiptComparison:
        before_id, after_id = ids.require(VersionValue, before, "before"), ids.require(VersionValue, after, "after")
        return await prompt_comparisons.compare_versions(info.context, before_id=before_id, after_id=after_id)

    @field(
        list[Mention],
        "Where a text names reference files of a project, in reading order, without overlaps.",
        # All of a project's files are read, and a megabyte of text for their names.
        weight=50,
        most=500,
    )
    @staticmethod
    async def mentions(
        info: Info,
        project_id: Annotated[ID, argument("The project.")],
        text: Annotated[str, argument("The text: at most 1,000,000 bytes of UTF-8.")],
    ) -> list[Mention]:
        found = await prompts.mentions(info.context, ids.require(ProjectValue, project_id, "projectId"), text)
        return [Mention(entry=entry) for entry in found]

    @field(list[GenreProfile], "What each genre asks of a prompt.", most=13)
    @staticmethod
    def genres() -> Sequence[ProfileValue]:
        return all_profiles()

    @field(
        list[LanguageModel],
        "The models to choose from, the default first. Others that the server's endpoint knows can be named as well.",
        most=50,
    )
    @staticmethod
    def models(info: Info) -> Sequence[ModelInfo]:
        return info.context.models.models()


def _decoded(texts: Sequence[str]) -> list[tuple[type[ids.Entity], Any] | None]:
    """Raises RequestError for more than can be asked for at once."""
    if len(texts) > NODES_AT_ONCE:
        raise RequestError(ErrorCode.BAD_USER_INPUT, f"At most {NODES_AT_ONCE} ids at once.")
    return [ids.decode(text) for text in texts]
