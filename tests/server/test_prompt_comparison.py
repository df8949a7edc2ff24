"""A chapter is drafted twice with another brief in between: the comparison tells what the second prompt brought in, and why."""

from commands.demo.client import Client
from tests.server import story
from tests.server.caller import Caller
from tests.server.running import running

COMPARISON = """query($before: ID!, $after: ID!) { promptComparison(before: $before, after: $after) {
    identical tokens unchanged
    before { digest tokensUsed } after { digest tokensUsed items { label decision evidence source { id } } }
    cameIn { ...Change } wentOut { ...Change } longer { ...Change } shorter { ...Change } } }
fragment Change on PromptChange { label why tokens source { id } before { decision evidence score tokens } after { decision evidence score tokens } }"""
PREVIEW = """query($chapter: ID!, $version: ID!) { promptPreview(input: {chapterId: $chapter}) {
    receipt { digest } comparedTo(versionId: $version) { identical cameIn { label } wentOut { label } longer { label } shorter { label } } } }"""


async def drafted(client: Client, chapter: str) -> str:
    """The id of the version that a job has written, from its first event to its last."""
    await story.watch(client, await story.start(client, chapter))
    return str((await story.chapter(client, chapter))["currentVersion"]["id"])


async def test_a_chapter_drafted_again_with_another_brief_tells_what_came_in_and_why(database_url: str):
    rehearsing = running(database_url, rehearsal=True, model=None, openai_api_key=None)
    async with rehearsing as served, served.client() as client:
        ada = Caller(client)
        project = await ada.change("createProject", title="The Lighthouse", genre="MYSTERY", settings={"maxRevisions": 0})
        earlier = await ada.change("createChapter", projectId=project, title="Fog", text="The fog came in. Nobody saw the boat.")
        chapter = await ada.change("createChapter", projectId=project, title="Low water", brief="Mara waits.", targetWordCount=60)
        mara, tobias, captain = [
            await ada.change("createReferenceFile", projectId=project, name=name, kind="CHARACTER", content=content, aliases=aliases)
            for name, content, aliases in (
                ("Mara", "Mara keeps the light.", []),
                ("Tobias", "Tobias bakes, and limps when he lies.", []),
                ("Joren Hale", "He commands the brig.", ["the Captain"]),
            )
        ]
        first = await drafted(client, chapter)
        await ada.change("updateChapter", id=chapter, brief="Tobias confesses to the Captain what he did on the night of the fog.")
        await ada.change("saveChapterText", chapterId=earlier, text="The fog came in. Nobody saw the boat. The bell rang twice that night.")
        preview = (await client.ask(PREVIEW, chapter=chapter, version=first))["promptPreview"]
        second = await drafted(client, chapter)
        told = (await client.ask(COMPARISON, before=first, after=second))["promptComparison"]
        back = (await client.ask(COMPARISON, before=second, after=first))["promptComparison"]

    came = {change["source"]["id"]: change for change in told["cameIn"]}
    assert came.keys() == {tobias, captain}
    assert came[captain]["why"].startswith('new evidence: "the Captain" in the brief; its score rose from 0.00 to 0.')
    assert came[tobias]["why"].startswith('new evidence: "Tobias" in the brief; its score rose from 0.00 to 0.')
    for change in came.values():
        assert (change["before"]["decision"], change["before"]["evidence"]) == ("LEFT_OUT", [])
        assert change["tokens"] == change["after"]["tokens"] > 0
    (went,) = told["wentOut"]
    assert went["source"]["id"] == mara
    assert went["why"].startswith('no longer in evidence: "Mara" in the brief; its score fell from 0.')
    longer = {change["label"]: change["why"] for change in told["longer"]}
    assert longer.keys() == {"Brief", "Chapter 1, “Fog” (text)"}
    assert all(why.startswith("its text changed (") for why in longer.values())
    assert (told["shorter"], told["identical"]) == ([], False)
    assert told["tokens"] == told["after"]["tokensUsed"] - told["before"]["tokensUsed"]
    assert {change["source"]["id"] for change in back["wentOut"]} == {tobias, captain}
    assert {change["source"]["id"] for change in back["cameIn"]} == {mara}

    # What the preview announced is what was then sent.
    assert preview["receipt"]["digest"] == told["after"]["digest"]
    announced = {name: [change["label"] for change in preview["comparedTo"][name]] for name in ("cameIn", "wentOut", "longer", "shorter")}
    assert announced == {name: [change["label"] for change in told[name]] for name in announced}
