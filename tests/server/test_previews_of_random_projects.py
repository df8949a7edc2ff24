"""A preview is what a job sends, whatever the project holds: projects by chance through one server, and their jobs through another."""

import re
from typing import Any

import pytest

from domain.llm.model import Message, Role
from domain.prompting.digest import prompt_digest
from tests.domain.prompting.random_projects import RandomProject, random_project
from tests.fakes.model_server import ScriptedModelServer, reply
from tests.server import story
from tests.server.caller import Caller
from tests.server.running import running

PREVIEW = "query($input: PromptPreviewInput!) { promptPreview(input: $input) { receipt { digest tokensUsed tokenBudget } messages { role text } } }"
REFUSED_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
BATCH = 8


def typed(text: str) -> str:
    """As a client may send it."""
    return REFUSED_CHARACTERS.sub("", text)


async def shelve(caller: Caller, made: RandomProject) -> tuple[str, dict[str, Any]]:
    """The id of the chapter to be written, and the wish as inputs say it."""
    material, wish = made.material, made.wish
    project = await caller.change(
        "createProject",
        title=typed(material.project.title),
        genre=material.project.genre.value,
        premise=typed(material.project.premise),
        styleNotes=typed(material.project.style_notes),
        settings={"maxRevisions": 0},
    )
    ids = {}
    for number, earlier in enumerate(material.earlier, start=1):
        ids[earlier.chapter.id] = await caller.change(
            "createChapter",
            projectId=project,
            title=earlier.chapter.title or f"Part {number}",
            brief=typed(earlier.chapter.brief),
            text=typed(earlier.content.text).strip() or "Rain.",
        )
    chapter = await caller.change(
        "createChapter",
        projectId=project,
        title=material.chapter.title or "Now",
        brief=typed(material.chapter.brief),
        pointOfViewCharacter=material.chapter.point_of_view_character,
        targetWordCount=60,
    )
    for reference in material.references:
        file = reference.file
        first, last = file.valid_from_chapter, file.valid_until_chapter
        ids[file.id] = await caller.change(
            "createReferenceFile",
            projectId=project,
            name=file.name,
            kind=file.kind.value,
            content=typed(reference.content.text).strip() or "Nothing yet.",
            aliases=list(file.aliases),
            inclusion=file.inclusion.value,
            validFromChapter=first,
            validUntilChapter=max(first or 1, last) if last else None,
        )
    options = {
        "include": [ids[source] for source in wish.include if source not in wish.exclude],
        "exclude": [ids[source] for source in wish.exclude],
        "tokenBudget": max(500, wish.token_budget),
        "model": "gpt-4o" if wish.model == "gpt-4o" else "gpt-4.1-mini",
    }
    return chapter, options


@pytest.mark.parametrize("batch", range(3))
async def test_a_job_sends_the_bytes_that_the_preview_in_another_process_showed(database_url: str, batch: int):
    compared = refused = 0
    async with (
        ScriptedModelServer(default=reply("She went down to the slip.")) as model,
        running(database_url, model_url=model.url, workers_in_process=0) as serving,
        running(database_url, model_url=model.url, prompt_memory_mb=batch) as working,
        serving.client() as ada,
    ):
        assert working.scriptorium is not serving.scriptorium
        caller = Caller(ada)
        for number in range(batch * BATCH, (batch + 1) * BATCH):
            chapter, options = await shelve(caller, random_project(number))
            await caller.send(PREVIEW, input={"chapterId": chapter, "brief": "Joren and the astrolabe.", "tokenBudget": 20_000})
            answer = (await caller.send(PREVIEW, input={"chapterId": chapter, **options})).body
            if "errors" in answer:
                refusal = await caller.refusal("startChapterGeneration", chapterId=chapter, **options)
                assert refusal["code"] == "PROMPT_TOO_SMALL"
                needed = f"It takes {refusal['tokensRequired']:,} tokens; the budget is {options['tokenBudget']:,}."
                assert answer["errors"][0]["message"].startswith(f"{refusal['message']} {needed} Most of it is ")
                refused += 1
                continue
            preview = answer["data"]["promptPreview"]
            await story.watch(ada, await story.start(ada, chapter, **options))
            version = (await story.chapter(ada, chapter))["currentVersion"]
            sent = [Message(Role(message["role"]), message["content"]) for message in model.calls[-1].body["messages"]]
            assert version["receipt"]["digest"] == preview["receipt"]["digest"] == prompt_digest(sent)
            assert version["receipt"]["tokensUsed"] == preview["receipt"]["tokensUsed"] <= options["tokenBudget"]
            assert [{"role": message.role.value, "text": message.text} for message in sent] == preview["messages"]
            compared += 1
    assert compared + refused == BATCH
    assert compared > BATCH / 2
