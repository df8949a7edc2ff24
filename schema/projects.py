"""Projects as the API shows them."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import ID, UNSET, Parent

from domain import projects as domain
from domain import spending
from domain.chapters import Chapter as ChapterValue
from domain.jobs.job import Job as JobValue
from domain.prompting import genres
from domain.reference_files import ReferenceFile as ReferenceFileValue
from resolvers import projects
from resolvers.listing import Listing
from schema.assessments import ChapterQuality
from schema.enums import ChapterStatus, Genre, JobKind, JobStatus, PointOfView, ReferenceKind, Role, Tense
from schema.fields import Info, Parents, argument, attribute, batched, defaulted, field, loaded, optional, present, required
from schema.filters import chosen, chosen_kinds
from schema.genres import GenreProfile, GenreProfileInput
from schema.node import Node
from schema.paging import After, Before, Connection, First, Last, page_request
from schema.people import ProjectMember
from schema.reference_files import ReferenceFile
from schema.spending import AGGREGATE, Budget, From, To, UsageReport

if TYPE_CHECKING:
    from schema.chapters import Chapter
    from schema.jobs import Job


@strawberry.type(description="How a project's jobs write.")
class GenerationSettings:
    model: str = attribute("The model that writes: the project's choice, or the server's default.")
    assessor_model: str = attribute(
        "The model that judges drafts, revisions and, for `startAssessment`, versions: the project's choice, or the server's default. "
        "Where its price is not known and `allowUnpricedModels` is false, drafts are still written, and then only measured."
    )
    prompt_token_budget: int = attribute("How many tokens a prompt may have at most; 8000 unless changed.")
    temperature: float = attribute("How freely the model chooses words: 0 to 2; 0.8 unless changed.")
    quality_target: float = attribute(
        "The score below which a draft is revised: 0 to 100; 70 unless changed. Without effect where `maxRevisions` is 0."
    )
    max_revisions: int = attribute(
        "How often a draft is revised at most: 0 to 5; 1 unless changed. With 0, drafts are only measured, which costs nothing. With more, "
        "a draft is assessed by the assessor's model and, below `qualityTarget`, revised, as far as limits on spending allow: where the "
        "money does not reach, the draft stays as it is."
    )
    allow_unpriced_models: bool = attribute(
        "Whether its jobs may call models without a known price, which no limit on spending can hold; false unless an owner has changed it."
    )


@strawberry.type(description="How far a book is.")
class ProjectProgress:
    chapters: int = attribute("How many chapters there are.")
    drafted: int = attribute("How many of them have a text.")
    final: int = attribute("How many of them are final.")
    word_count: int = attribute("The words of all current versions.")
    target_word_count: int | None = attribute("The project's target, in words.")
    fraction: float | None = attribute("The words written as a share of the target: 0 to 1, at most 1. Null without a target.")


@strawberry.type(description="A book: its plan, its chapters, and what its author knows about it.")
class Project(Node):
    shows = domain.Project

    title: str = attribute("The book's title.")
    premise: str = attribute("What the book is about; empty if nothing has been said.")
    genre: Genre = attribute("The genre; it weighs what goes into prompts.")
    language: str = attribute("The language of the text, as a BCP 47 tag such as `en` or `pt-BR`.")
    audience: str | None = attribute("Whom the book is for.")
    point_of_view: PointOfView | None = attribute("Who tells the story.")
    tense: Tense | None = attribute("The tense it is told in.")
    style_notes: str = attribute("The author's standing instructions to the model; they are in every prompt.")
    target_word_count: int | None = attribute("How long the book is to be, in words.")
    archived_at: datetime | None = attribute(
        "When it was archived; null while it is not. An archived project can still be read and changed."
    )
    created_at: datetime = attribute("When it was created.")
    updated_at: datetime = attribute("When it, or the text of one of its chapters, was last changed.")

    @field(GenerationSettings, "How its jobs write.")
    @staticmethod
    def settings(parent: Parent[domain.Project], info: Info) -> domain.GenerationSettings:
        return projects.effective_settings(info.context, parent.settings)

    @field(GenreProfile, "What its prompts follow: its genre's profile, with what the project says for itself laid over it.")
    @staticmethod
    def genre_profile(parent: Parent[domain.Project]) -> genres.GenreProfile:
        return genres.effective_profile(parent)

    budget = loaded(Budget, "What it may spend.", lambda loaders: loaders.budgets)

    viewer_role = loaded(Role, "What the viewer may do in it.", lambda loaders: loaders.roles)

    members = loaded(
        list[ProjectMember],
        "Everybody who may see it, in the order they joined; at most 50.",
        lambda loaders: loaders.members,
        otherwise=(),
        most=50,
    )

    @batched(Connection[Annotated["Chapter", strawberry.lazy("schema.chapters")]], "Its chapters, in book order.")
    @staticmethod
    async def chapters(
        parents: Parents[domain.Project],
        info: Info,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        status: Annotated[list[ChapterStatus] | None, argument("Only chapters of these states; all without it.")] = UNSET,
    ) -> list[Listing[ChapterValue]]:
        request = page_request(first=first, after=after, last=last, before=before)
        return await projects.chapters_of(info.context, parents, request, status=chosen(status))

    @batched(Connection[ReferenceFile], "Its reference files, by name.")
    @staticmethod
    async def reference_files(
        parents: Parents[domain.Project],
        info: Info,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        kind: Annotated[list[ReferenceKind] | None, argument("Only files of these kinds; all without it.")] = UNSET,
    ) -> list[Listing[ReferenceFileValue]]:
        request = page_request(first=first, after=after, last=last, before=before)
        return await projects.reference_files_of(info.context, parents, request, kind=chosen(kind))

    @batched(Connection[Annotated["Job", strawberry.lazy("schema.jobs")]], "Its jobs, newest first.")
    @staticmethod
    async def jobs(
        parents: Parents[domain.Project],
        info: Info,
        first: First = UNSET,
        after: After = UNSET,
        status: Annotated[list[JobStatus] | None, argument("Only jobs of these states; all without it.")] = UNSET,
        kind: Annotated[list[JobKind] | None, argument("Only jobs of these kinds; all without it.")] = UNSET,
    ) -> list[Listing[JobValue]]:
        request = page_request(first=first, after=after)
        return await projects.jobs_of(info.context, parents, request, status=chosen(status), kind=chosen_kinds(kind))

    @field(ProjectProgress, "How far it is.", weight=AGGREGATE)
    @staticmethod
    async def progress(parent: Parent[domain.Project], info: Info) -> projects.Progress:
        return await projects.progress_of(info.context, parent)

    quality = loaded(
        list[ChapterQuality],
        "The assessment that speaks for each chapter that has a text, in book order: what a chart draws. A judge's goes before what was only "
        "measured, the current version's before another's, then the latest. Whole, for a project has at most 1,000 chapters; one whose text "
        "was never measured or judged is left out.",
        lambda loaders: loaders.quality,
        otherwise=(),
        weight=AGGREGATE,
        most=1_000,
    )

    @field(UsageReport, "What its jobs have used, and the vectors of its texts where this server makes any.", weight=AGGREGATE)
    @staticmethod
    async def usage(
        parent: Parent[domain.Project],
        info: Info,
        from_: From = UNSET,
        to: To = UNSET,
    ) -> spending.UsageReport:
        return await projects.usage_of(info.context, parent, since=present(from_), until=present(to))


@strawberry.input(description="How a project's jobs are to write. Fields that are left out keep their value; none can be null.")
class GenerationSettingsInput:
    model: str | None = optional("A model of `models`, or any other the server's endpoint knows. Empty text: the server's default.")
    assessor_model: str | None = optional("The model that judges, chosen alike. See `GenerationSettings`.")
    prompt_token_budget: int | None = optional("Tokens a prompt may have at most: 500 to 1,000,000.")
    temperature: float | None = optional("0 to 2.")
    quality_target: float | None = optional("0 to 100. A draft whose score is below it is revised.")
    max_revisions: int | None = optional("0 to 5. With 0, drafts are only measured, and neither assessed by a model nor revised.")
    allow_unpriced_models: bool | None = optional("Consent to models without a known price. Only owners give and withdraw it.")


@strawberry.input(description="A new project. Whoever creates it owns it.")
class CreateProjectInput:
    title: str = required("1 to 300 characters on one line, white space around them aside.")
    premise: str | None = defaulted("", "At most 20,000 characters.")
    genre: Genre = required("The genre.")
    language: str | None = defaulted("en", "A BCP 47 tag, such as `en` or `pt-BR`.")
    audience: str | None = optional("1 to 300 characters on one line.")
    point_of_view: PointOfView | None = optional("Who tells the story.")
    tense: Tense | None = optional("The tense it is told in.")
    style_notes: str | None = defaulted("", "Standing instructions to the model: at most 20,000 characters.")
    target_word_count: int | None = optional("1 to 1,000,000 words.")
    settings: GenerationSettingsInput | None = optional("How its jobs are to write; the server's defaults without it.")
    genre_profile: GenreProfileInput | None = optional("What it says for itself of its genre's profile; the genre's own without it.")
    budget_limit: Decimal | None = optional("What it may spend in all: 0 to 999,999 USD with at most six places. No limit without it.")


@strawberry.input(
    description="Changes to a project. A field that is left out stays as it is; null clears what can be empty. For editors; the budget for owners."
)
class UpdateProjectInput:
    id: ID = required("The project.")
    title: str | None = optional("1 to 300 characters on one line. Cannot be null.")
    premise: str | None = optional("At most 20,000 characters. Cannot be null.")
    genre: Genre | None = optional("The genre. Cannot be null.")
    language: str | None = optional("A BCP 47 tag. Cannot be null.")
    audience: str | None = optional("1 to 300 characters on one line.")
    point_of_view: PointOfView | None = optional("Who tells the story.")
    tense: Tense | None = optional("The tense it is told in.")
    style_notes: str | None = optional("At most 20,000 characters. Cannot be null.")
    target_word_count: int | None = optional("1 to 1,000,000 words.")
    settings: GenerationSettingsInput | None = optional("What changes of how its jobs write. Cannot be null.")
    genre_profile: GenreProfileInput | None = optional("What changes of its own word on the genre's profile; null takes all of it back.")
    budget_limit: Decimal | None = optional("0 to 999,999 USD with at most six places; null for no limit. For owners.")
    archived: bool | None = optional("Whether it is archived. Cannot be null.")
