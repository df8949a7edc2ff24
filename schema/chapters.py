"""Chapters and their versions as the API shows them."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import ID, UNSET, Parent

from domain import chapters as domain
from domain.access import User as UserValue
from domain.jobs.job import Job as JobValue
from domain.writing import comparison
from resolvers import chapter_texts, chapters, people
from resolvers.listing import Listing
from schema import ids
from schema.assessments import Assessment
from schema.enums import ChapterStatus, DiffOperation, VersionOrigin
from schema.fields import Info, Parents, argument, attribute, batched, defaulted, field, loaded, optional, required
from schema.node import Node
from schema.paging import After, Connection, First, page_request
from schema.people import User
from schema.prompts import WHOLE_RECEIPT, PromptReceipt
from schema.reference_files import WHOLE_TEXT

if TYPE_CHECKING:
    from schema.jobs import Job
    from schema.projects import Project


@strawberry.type(description="A stretch of text, and what became of it from one version to another.")
class DiffHunk:
    operation: DiffOperation = attribute("What became of the text.")
    text: str = attribute("The text, verbatim.")


@strawberry.type(description="The text of a chapter as it was at one time. Versions never change; every change of the text adds one.")
class ChapterVersion(Node):
    shows = domain.ChapterVersion

    number: int = attribute("1 for the chapter's first version, and so on without a gap.")
    word_count: int = attribute("How many words the text has.")
    token_count: int = attribute("How many tokens the text has, for the model the project wrote with then.")
    origin: VersionOrigin = attribute("Where it came from.")
    rehearsal: bool = attribute("Whether the text is a rehearsal's: made up by the built-in stand-in, not written by a language model.")
    created_at: datetime = attribute("When it was saved.")

    chapter = loaded(
        Annotated["Chapter", strawberry.lazy("schema.chapters")],
        "The chapter it is a version of.",
        lambda loaders: loaders.chapters,
        by="chapter_id",
    )

    text = loaded(str, "The text, whole, as Markdown.", lambda loaders: loaders.version_texts, weight=WHOLE_TEXT)

    @field(User | None, "Who saved it; null when a job did.")
    @staticmethod
    async def author(parent: Parent[domain.ChapterVersion], info: Info) -> UserValue | None:
        return await people.person(info.context, parent.author_id) if parent.author_id else None

    job = loaded(
        Annotated["Job", strawberry.lazy("schema.jobs")] | None,
        "The job that wrote it; null when a person did.",
        lambda loaders: loaders.jobs,
        by="job_id",
    )

    parent = loaded(
        Annotated["ChapterVersion", strawberry.lazy("schema.chapters")] | None,
        "The version it began from; for a restored one, the version whose text it has. Null for a first version.",
        lambda loaders: loaders.versions,
        by="parent_id",
    )

    receipt = loaded(
        PromptReceipt | None,
        "What the model saw when it wrote this; null for what a person wrote.",
        lambda loaders: loaders.receipts,
        by="receipt_id",
        weight=WHOLE_RECEIPT,
    )

    assessment = loaded(
        Assessment | None,
        "Its latest assessment by a judge; if none has read it, what was measured when it was saved. Null where that could not be measured, "
        "and for what was saved before anything was.",
        lambda loaders: loaders.assessments_of_versions,
    )

    @field(
        list[DiffHunk],
        "How another version became this one, word by word: EQUAL and DELETE joined are the other's text, EQUAL and INSERT this one's.",
        # Two whole texts, compared word by word.
        weight=50,
        most=1_000,
    )
    @staticmethod
    async def diff(
        parent: Parent[domain.ChapterVersion],
        info: Info,
        from_: Annotated[ID, argument("The other version, of the same chapter.", name="from")],
    ) -> list[comparison.DiffHunk]:
        return await chapter_texts.compare_versions(info.context, parent, earlier_id=ids.require(domain.ChapterVersion, from_, "from"))


@strawberry.type(description="A chapter of a book.")
class Chapter(Node):
    shows = domain.Chapter

    position: int = attribute("Its place in the book: 1 for the first, without gaps.")
    title: str = attribute("Its title.")
    brief: str = attribute("What must happen in it; empty if nothing has been said.")
    point_of_view_character: str | None = attribute("Through whose eyes it is told.")
    target_word_count: int | None = attribute("How long it is to be, in words.")
    status: ChapterStatus = attribute("How far it is.")
    summary: str | None = attribute("What later chapters are told of it.")
    stale_since: datetime | None = attribute("When something its text was built from changed; null while nothing has.")
    created_at: datetime = attribute("When it was created.")
    updated_at: datetime = attribute("When it was last changed.")

    project = loaded(
        Annotated["Project", strawberry.lazy("schema.projects")],
        "The project it belongs to.",
        lambda loaders: loaders.projects,
        by="project_id",
    )

    current_version = loaded(
        ChapterVersion | None,
        "Its text as it is now; null while nothing is written.",
        lambda loaders: loaders.versions,
        by="current_version_id",
    )

    @batched(Connection[ChapterVersion], "All its versions, newest first.")
    @staticmethod
    async def versions(
        parents: Parents[domain.Chapter], info: Info, first: First = UNSET, after: After = UNSET
    ) -> list[Listing[domain.ChapterVersion]]:
        return await chapters.versions_of(info.context, parents, page_request(first=first, after=after))

    @field(ChapterVersion | None, "One of its versions; null if there is none of this number.")
    @staticmethod
    async def version(
        parent: Parent[domain.Chapter], info: Info, number: Annotated[int, argument("The version's number, from 1.")]
    ) -> domain.ChapterVersion | None:
        return await info.context.loaders.versions_by_number.load((parent.id, number))

    @batched(
        Connection[Annotated["Job", strawberry.lazy("schema.jobs")]], "The jobs that write it or assess one of its versions, newest first."
    )
    @staticmethod
    async def jobs(parents: Parents[domain.Chapter], info: Info, first: First = UNSET, after: After = UNSET) -> list[Listing[JobValue]]:
        return await chapters.jobs_of(info.context, parents, page_request(first=first, after=after))


@strawberry.input(description="A new chapter. For editors; at most 1,000 in a project.")
class CreateChapterInput:
    project_id: ID = required("The project.")
    title: str = required("1 to 300 characters on one line, white space around them aside.")
    brief: str | None = defaulted("", "What must happen: at most 20,000 characters.")
    position: int | None = optional("Its place, from 1 to one behind the last chapter; later chapters move on. At the end without it.")
    point_of_view_character: str | None = optional("1 to 300 characters on one line.")
    target_word_count: int | None = optional("1 to 1,000,000 words.")
    text: str | None = optional("Its first version, as Markdown, not blank: at most 2,000,000 bytes of UTF-8.")


@strawberry.input(description="Changes to a chapter. A field that is left out stays as it is; null clears what can be empty. For editors.")
class UpdateChapterInput:
    id: ID = required("The chapter.")
    title: str | None = optional("1 to 300 characters on one line. Cannot be null.")
    brief: str | None = optional("At most 20,000 characters. Cannot be null.")
    point_of_view_character: str | None = optional("1 to 300 characters on one line.")
    target_word_count: int | None = optional("1 to 1,000,000 words.")
    status: ChapterStatus | None = optional("How far it is. Cannot be null.")
    summary: str | None = optional("What later chapters are to be told of it: at most 20,000 characters.")


@strawberry.input(description="Where to move a chapter. For editors.")
class MoveChapterInput:
    id: ID = required("The chapter.")
    position: int = required("Its new place, from 1 to the number of chapters; the chapters between make room.")


@strawberry.input(
    description="A text to save as a chapter's new current version. For editors. A text that is current already adds no version."
)
class SaveChapterTextInput:
    chapter_id: ID = required("The chapter.")
    text: str = required("Markdown, not blank: at most 2,000,000 bytes of UTF-8. Line ends become LF; nothing else is changed.")
    base_version_id: ID | None = optional(
        "The version the edit began from. If another is current by now, nothing is saved and a VersionConflictError shows it. Without it, the text is saved whatever is current."
    )


@strawberry.input(description="Which version to make current again, by a new version with its text. For editors.")
class RestoreChapterVersionInput:
    version_id: ID = required("The version.")
