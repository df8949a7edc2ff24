"""What one user has on their shelf: a small book with one of everything that has an id."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from domain.assessing.assessment import Assessment, Finding
from domain.assessing.keeping import keep_assessment
from domain.identifiers import uuid7
from schema.ids import encode
from tests.api import uuid_of
from tests.factories import an_assessment, an_issue
from tests.server import story
from tests.server.caller import Caller
from tests.server.running import MODEL, Running

BUDGET = 5
CHAPTERS = 3
TEXT = "The tide went out, and the causeway lay bare."


@dataclass(frozen=True, slots=True)
class Shelf:
    """`ids` are by the names of the entities' types. The chapter has a text, the job has succeeded with another chapter."""

    ids: Mapping[str, str]

    @property
    def project(self) -> str:
        return self.ids["Project"]

    @property
    def chapter(self) -> str:
        return self.ids["Chapter"]

    @property
    def version(self) -> str:
        return self.ids["ChapterVersion"]

    @property
    def reference_file(self) -> str:
        return self.ids["ReferenceFile"]

    @property
    def job(self) -> str:
        return self.ids["Job"]


async def fill_shelf(app: Running, user: str) -> Shelf:
    async with app.client(user) as client:
        caller = Caller(client)
        project = await caller.change(
            "createProject", title="The Lighthouse", genre="MYSTERY", budgetLimit=BUDGET, settings={"maxRevisions": 0}
        )
        chapters = [await caller.change("createChapter", projectId=project, title=f"Chapter {number + 1}") for number in range(CHAPTERS)]
        await caller.change("saveChapterText", chapterId=chapters[0], text=TEXT)
        job = await story.start(client, chapters[1])
        await story.watch(client, job)
        person = (await client.ask("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
        version = (await story.chapter(client, chapters[0]))["currentVersion"]["id"]
        assessment, finding = await assess(app, uuid_of(person), uuid_of(version))
        return Shelf(
            {
                "User": person,
                "Project": project,
                "Chapter": chapters[0],
                "ChapterVersion": version,
                "Assessment": assessment,
                "Finding": finding,
                "ReferenceFile": await caller.change(
                    "createReferenceFile", projectId=project, name="Mara", kind="CHARACTER", content="Mara keeps the light."
                ),
                "Job": job,
            }
        )


async def assess(app: Running, user_id: UUID, version_id: UUID) -> tuple[str, str]:
    """The ids of a judge's assessment of this version, and of what it found."""
    library = app.scriptorium.library
    async with library.writing(user_id) as records:
        version = (await records.versions.get_many([version_id]))[version_id]
        made = an_assessment(version, judge=MODEL)
        await keep_assessment(records, made, [an_issue(quote="The tide went out", start=0, end=17)], ids=uuid7)
    async with library.reading(user_id) as records:
        (found,) = (await records.assessments.findings([made.id]))[made.id]
    return encode(Assessment, made.id), encode(Finding, found.id)
