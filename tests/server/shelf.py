"""What one user has on their shelf: a small book with one of everything that has an id."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.server import story
from tests.server.caller import Caller
from tests.server.running import Running

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
        project = await caller.change("createProject", title="The Lighthouse", genre="MYSTERY", budgetLimit=BUDGET)
        chapters = [await caller.change("createChapter", projectId=project, title=f"Chapter {number + 1}") for number in range(CHAPTERS)]
        await caller.change("saveChapterText", chapterId=chapters[0], text=TEXT)
        job = await story.start(client, chapters[1])
        await story.watch(client, job)
        return Shelf(
            {
                "User": (await client.ask("{ viewer { user { id } } }"))["viewer"]["user"]["id"],
                "Project": project,
                "Chapter": chapters[0],
                "ChapterVersion": (await story.chapter(client, chapters[0]))["currentVersion"]["id"],
                "ReferenceFile": await caller.change(
                    "createReferenceFile", projectId=project, name="Mara", kind="CHARACTER", content="Mara keeps the light."
                ),
                "Job": job,
            }
        )
