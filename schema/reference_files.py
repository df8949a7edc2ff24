"""Reference files as the API shows them."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import ID

from domain import reference_files as domain
from schema.enums import InclusionPolicy, ReferenceKind
from schema.fields import attribute, defaulted, loaded, optional, required
from schema.node import Node

if TYPE_CHECKING:
    from schema.projects import Project


# A text is as long as a list of objects, and it is read by a statement of its own.
WHOLE_TEXT = 10


@strawberry.type(description="Something the author knows about the book and wants the model to know.")
class ReferenceFile(Node):
    shows = domain.ReferenceFile

    name: str = attribute("What it is called; texts that use the name mention it.")
    kind: ReferenceKind = attribute("What it is about.")
    aliases: list[str] = attribute("Other names that texts may use for it.")
    inclusion: InclusionPolicy = attribute("When it goes into a prompt.")
    valid_from_chapter: int | None = attribute("Story time: chapters at lower positions are not told of it. Null: from the beginning.")
    valid_until_chapter: int | None = attribute("Story time: chapters at higher positions are not told of it. Null: to the end.")
    media_type: str = attribute("The media type of `content`: `text/markdown` for what was written here.")
    size_bytes: int = attribute("How long `content` is, in bytes of UTF-8.")
    token_count: int = attribute("How long `content` is, in tokens of the model the project wrote with when it was saved.")
    sha256: str = attribute("The SHA-256 of `content` in UTF-8, in hexadecimal.")
    created_at: datetime = attribute("When it was created.")
    updated_at: datetime = attribute("When it was last changed.")

    project = loaded(
        Annotated["Project", strawberry.lazy("schema.projects")],
        "The project it belongs to.",
        lambda loaders: loaders.projects,
        by="project_id",
    )

    content = loaded(str, "The text, whole.", lambda loaders: loaders.reference_contents, weight=WHOLE_TEXT)


@strawberry.input(description="A new reference file. For editors; at most 10,000 in a project.")
class CreateReferenceFileInput:
    project_id: ID = required("The project.")
    name: str = required("1 to 300 characters on one line, white space around them aside.")
    kind: ReferenceKind = required("What it is about.")
    content: str = required("Markdown or plain text, not blank: at most 1,000,000 bytes of UTF-8.")
    aliases: list[str] | None = defaulted([], "At most 50 names, each 1 to 200 characters on one line.")
    inclusion: InclusionPolicy | None = defaulted(InclusionPolicy.WHEN_RELEVANT, "When it goes into a prompt.")
    valid_from_chapter: int | None = optional("The first chapter that may know of it: 1 to 1,000.")
    valid_until_chapter: int | None = optional("The last chapter that may know of it: 1 to 1,000, not before `validFromChapter`.")


@strawberry.input(
    description="Changes to a reference file. A field that is left out stays as it is; null clears what can be empty. For editors."
)
class UpdateReferenceFileInput:
    id: ID = required("The reference file.")
    name: str | None = optional("1 to 300 characters on one line. Cannot be null.")
    kind: ReferenceKind | None = optional("What it is about. Cannot be null.")
    content: str | None = optional("Not blank: at most 1,000,000 bytes of UTF-8. Cannot be null.")
    aliases: list[str] | None = optional("All aliases from now on: at most 50, each 1 to 200 characters. Cannot be null.")
    inclusion: InclusionPolicy | None = optional("When it goes into a prompt. Cannot be null.")
    valid_from_chapter: int | None = optional("The first chapter that may know of it: 1 to 1,000. Null: from the beginning.")
    valid_until_chapter: int | None = optional("The last chapter that may know of it: 1 to 1,000. Null: to the end.")
