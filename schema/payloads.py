"""What mutations answer: the changed entity, or the reasons why nothing was changed."""

import strawberry
from strawberry import ID

from schema.assessments import Finding
from schema.chapters import Chapter
from schema.failures import UserError
from schema.fields import attribute
from schema.jobs import Job
from schema.projects import Project
from schema.reference_files import ReferenceFile

_ERRORS = "Why nothing was changed; empty if it was."


@strawberry.type(description="A project after a mutation.")
class ProjectPayload:
    result: Project | None = attribute(
        "The project as it is now. Null if the mutation was refused, and for who has just left the project.", name="project"
    )
    errors: list[UserError] = attribute(_ERRORS, most=1)


@strawberry.type(description="A reference file after a mutation.")
class ReferenceFilePayload:
    result: ReferenceFile | None = attribute("The reference file as it is now; null if the mutation was refused.", name="referenceFile")
    errors: list[UserError] = attribute(_ERRORS, most=1)


@strawberry.type(description="A chapter after a mutation.")
class ChapterPayload:
    result: Chapter | None = attribute("The chapter as it is now; null if the mutation was refused.", name="chapter")
    errors: list[UserError] = attribute(_ERRORS, most=1)


@strawberry.type(description="A job after a mutation.")
class JobPayload:
    result: Job | None = attribute("The job as it is now; null if the mutation was refused.", name="job")
    errors: list[UserError] = attribute(_ERRORS, most=1)


@strawberry.type(description="A finding after a mutation.")
class FindingPayload:
    result: Finding | None = attribute("The finding as it is now; null if the mutation was refused.", name="finding")
    errors: list[UserError] = attribute(_ERRORS, most=1)


@strawberry.type(description="What is left of something that was deleted.")
class DeletePayload:
    result: ID | None = attribute("The id that was sent; null if the mutation was refused.", name="deletedId")
    errors: list[UserError] = attribute(_ERRORS, most=1)


@strawberry.input(description="What to delete, with all that belongs to it. There is no way back.")
class DeleteInput:
    id: ID = attribute("The entity.")
