"""A draft is assessed and revised while its author watches, and is never lost for it: the whole application and a scripted model."""

import asyncio
from typing import Any

import pytest

from commands.demo import documents
from commands.demo.client import Client
from tests.fakes.judge import Answer, Judge
from tests.fakes.model_server import Call, ScriptedModelServer, hold, reply
from tests.server import judging, story
from tests.server.caller import Caller
from tests.server.judging import CONCERNS, JUDGEMENT, PREFERENCE, PROSE, REVISION, SECOND, finding, scored
from tests.server.running import MODEL

JUDGED = [JUDGEMENT] * CONCERNS
BETTER = "The back was blank, and the wax whole."
REVISED = PROSE.replace(SECOND, BETTER)
BELOW, ABOVE = 50, 100


@pytest.fixture
def judge() -> Judge:
    """Finds the second passage wanting, and likes it better when it has been rewritten."""
    change = {JUDGEMENT: scored(BELOW, finding(SECOND)), REVISION: judging.rewrites(BETTER), PREFERENCE: judging.prefers(BETTER)}
    return Judge(prose=PROSE, change=change)


async def polished(client: Client, *, revisions: int = 1, **settings: Any) -> tuple[str, dict[str, Any]]:
    """A new chapter, and the job that has drafted it, at its end."""
    chapter = await judging.new_chapter(client, settings={"maxRevisions": revisions, **settings})
    return chapter, await judging.draft(client, chapter)


async def test_a_draft_below_the_target_is_assessed_and_revised(client: Client, judge: Judge):
    chapter, job = await polished(client)
    assert judge.asked == ["", *JUDGED, REVISION, PREFERENCE, PREFERENCE, *JUDGED]
    assert (job["status"], job["remark"], job["progress"], job["text"]) == ("SUCCEEDED", None, 1.0, REVISED)
    made = await judging.look(client, chapter)
    assert (made["currentVersion"]["origin"], made["currentVersion"]["text"]) == ("REVISION", REVISED)
    assert job["result"]["id"] == made["currentVersion"]["id"]
    assert (await judging.version(client, chapter, "DRAFT"))["text"] == PROSE
    assert [each["assessment"]["judge"] for each in made["versions"]["nodes"]] == [MODEL, MODEL]
    steps = [step["name"] for step in job["steps"]]
    assert len(set(steps)) == len(steps)
    assert {"save", "assess/1", "revise/1", "assess/2"} <= set(steps)


async def test_a_draft_that_reaches_the_target_is_left_alone(client: Client, judge: Judge):
    judging.changed(judge, **{JUDGEMENT: scored(ABOVE, finding(SECOND))})
    chapter, job = await polished(client)
    assert judge.asked == ["", *JUDGED]
    assert (job["status"], job["remark"], job["result"]["origin"]) == ("SUCCEEDED", None, "DRAFT")
    assert (await judging.look(client, chapter))["currentVersion"]["assessment"]["score"] > 70


async def test_a_blocking_finding_is_seen_to_whatever_the_score(client: Client, judge: Judge):
    blocking = finding(SECOND, category="PLOT", severity="BLOCKING")
    judging.changed(judge, **{JUDGEMENT: judging.about("Facts", scored(ABOVE, blocking), scored(ABOVE))})
    _, job = await polished(client)
    assert judge.asked.count(REVISION) == 1
    assert job["text"] == REVISED


@pytest.mark.parametrize(("consented", "asked"), [(False, []), (True, JUDGED)])
async def test_a_judge_without_a_price_is_asked_by_consent_only(client: Client, judge: Judge, consented: bool, asked: list[str]):
    judging.changed(judge, **{JUDGEMENT: scored(ABOVE)})
    _, job = await polished(client, assessorModel="llama-of-my-own", allowUnpricedModels=consented)
    assert judge.asked == ["", *asked]
    assert (job["status"], job["result"]["origin"]) == ("SUCCEEDED", "DRAFT")
    assert ("nobody knows what the model that judges costs" in (job["remark"] or "")) is not consented


async def test_two_revisions_build_on_each_other(client: Client, judge: Judge):
    best = "Blank, and sealed."

    def edit(answer: Answer, call: Call) -> Answer:
        return judging.rewrites(best if BETTER in call.prompt else BETTER)(answer, call)

    def prefer(answer: Answer, call: Call) -> Answer | str:
        return judging.prefers(best if best in call.prompt else BETTER)(answer, call)

    judging.changed(judge, **{JUDGEMENT: scored(BELOW, finding(SECOND), finding(BETTER)), REVISION: edit, PREFERENCE: prefer})
    chapter, job = await polished(client, revisions=2)
    once = [REVISION, PREFERENCE, PREFERENCE, *JUDGED]
    assert judge.asked == ["", *JUDGED, *once, *once]
    texts = [PROSE, REVISED, PROSE.replace(SECOND, best)]
    versions = sorted((await judging.look(client, chapter))["versions"]["nodes"], key=lambda version: version["number"])
    assert [version["text"] for version in versions] == texts
    assert (job["text"], job["result"]["id"]) == (texts[-1], versions[-1]["id"])


async def test_a_judge_that_talks_of_something_else_costs_no_draft(client: Client, judge: Judge):
    judging.changed(judge, **{JUDGEMENT: judging.garbage})
    chapter, job = await polished(client)
    assert judge.asked == ["", JUDGEMENT, JUDGEMENT]
    assert (job["status"], job["result"]["origin"], job["failure"]) == ("SUCCEEDED", "DRAFT", None)
    assert "could not be assessed or revised" in job["remark"]
    assert "no complete JSON object" in job["remark"]
    assert (await judging.look(client, chapter))["currentVersion"]["assessment"]["judge"] is None


async def most_of_a_draft(client: Client, chapter: str) -> str:
    """What it may cost at most by the estimate."""
    return str((await client.ask(documents.PREVIEW, input={"chapterId": chapter}))["promptPreview"]["estimate"]["high"])


async def test_a_budget_that_covers_the_draft_alone_brings_a_draft(client: Client, judge: Judge):
    made = await client.change(documents.CREATE_PROJECT, title="The Lighthouse", genre="MYSTERY", settings={"maxRevisions": 1})
    project = made["project"]["id"]
    chapter = await Caller(client).change("createChapter", projectId=project, title="Low water", targetWordCount=60)
    await Caller(client).change("updateProject", id=project, budgetLimit=await most_of_a_draft(client, chapter))
    job = await judging.draft(client, chapter)
    assert judge.asked == [""]
    assert (job["status"], job["waiting"], job["result"]["origin"]) == ("SUCCEEDED", None, "DRAFT")
    assert job["remark"] == "The draft is saved. To assess or revise it further would exceed the project's budget."


async def test_a_job_that_may_cost_no_more_than_its_draft_brings_a_draft(client: Client, judge: Judge):
    chapter = await judging.new_chapter(client, settings={"maxRevisions": 1})
    job = await judging.draft(client, chapter, costLimit=await most_of_a_draft(client, chapter))
    assert judge.asked == [""]
    assert (job["status"], job["waiting"]) == ("SUCCEEDED", None)
    assert job["remark"] == "The draft is saved. To assess or revise it further would cost more than the job may."


async def test_a_cancel_while_it_is_assessed_leaves_the_draft_and_a_retry_goes_on_behind_it(
    client: Client, judge: Judge, model: ScriptedModelServer
):
    model.script(reply(PROSE), hold(asyncio.Event(), '{"findings": ['))
    chapter = await judging.new_chapter(client, settings={"maxRevisions": 1})
    job_id = await story.start(client, chapter)
    await model.wait_for_calls(2)
    await Caller(client).change("cancelJob", jobId=job_id)
    job = await judging.ended(client, job_id)
    assert (job["status"], job["result"]["origin"], job["result"]["text"]) == ("CANCELLED", "DRAFT", PROSE)
    assert (await judging.look(client, chapter))["currentVersion"]["id"] == job["result"]["id"]
    await Caller(client).change("retryJob", jobId=job_id)
    job = await judging.ended(client, job_id)
    assert (job["status"], job["text"]) == ("SUCCEEDED", REVISED)
    assert "" not in judge.asked


async def test_a_revision_that_reads_worse_in_both_orders_is_kept_beside_the_draft(client: Client, judge: Judge):
    judging.changed(judge, **{PREFERENCE: judging.prefers(SECOND)})
    chapter, job = await polished(client, revisions=2)
    assert judge.asked == ["", *JUDGED, REVISION, PREFERENCE, PREFERENCE]
    assert (job["status"], job["result"]["origin"], job["text"]) == ("SUCCEEDED", "DRAFT", PROSE)
    assert job["remark"] == "A revision is kept as a version of its own. Read side by side, the text reads worse than before."
    assert (await judging.look(client, chapter))["currentVersion"]["origin"] == "DRAFT"
    assert (await judging.version(client, chapter, "REVISION"))["text"] == REVISED


async def test_a_text_that_the_author_saves_meanwhile_stays_the_current_one(client: Client, judge: Judge, model: ScriptedModelServer):
    go_on = asyncio.Event()

    def prefer(call: Call) -> Any:
        return hold(go_on, "", '{"reason": "Less is more.", "better": "TIE"}')(call)

    model.script(*[judge] * (1 + CONCERNS + 1), prefer)
    chapter = await judging.new_chapter(client, settings={"maxRevisions": 1})
    job_id = await story.start(client, chapter)
    await model.wait_for_calls(1 + CONCERNS + 2)
    mine = await judging.save(client, chapter, "My own words.")
    go_on.set()
    job = await judging.ended(client, job_id)
    assert (job["status"], job["result"]["origin"]) == ("SUCCEEDED", "DRAFT")
    assert job["remark"] == "A revision is kept as a version of its own. Another text has become the chapter's current one."
    assert (await judging.look(client, chapter))["currentVersion"]["id"] == mine


async def test_the_judge_may_be_another_model_than_the_writer(client: Client, model: ScriptedModelServer):
    _, job = await polished(client, assessorModel="gpt-4.1")
    assert job["status"] == "SUCCEEDED"
    asked = [(call.body.get("response_format", {}).get("json_schema", {}).get("name", ""), call.body["model"]) for call in model.calls]
    assert set(asked) == {("", MODEL), (REVISION, MODEL), (JUDGEMENT, "gpt-4.1"), (PREFERENCE, "gpt-4.1")}
