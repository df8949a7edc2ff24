"""An author has a version revised: the whole application and a scripted model."""

import asyncio
from typing import Any

import pytest

from commands.demo.client import Client
from tests.fakes.judge import Judge
from tests.fakes.model_server import Call, ScriptedModelServer, hold
from tests.server import judging
from tests.server.caller import Caller
from tests.server.judging import CONCERNS, FIRST, JUDGEMENT, PREFERENCE, PROSE, REVISION, SECOND, finding, scored

JUDGED = [JUDGEMENT] * CONCERNS
BETTER = "The back was blank, and the wax whole."
REVISED = PROSE.replace(SECOND, BETTER)
BESIDE = "The revision is kept as a version, and the text before it stays the current one. "
SLOP = (
    "“No,” she whispered softly. “No,” she breathed sadly. “No,” she murmured quietly. “No,” she sighed slowly. “No,” she hissed angrily. "
    "A shiver ran down her spine. A wave of sadness and longing washed over her. Time seemed to stand still."
)


@pytest.fixture
def judge() -> Judge:
    change = {JUDGEMENT: scored(50, finding(SECOND)), REVISION: judging.rewrites(BETTER), PREFERENCE: judging.prefers(BETTER)}
    return Judge(prose=PROSE, change=change)


async def assessed(client: Client, judge: Judge) -> tuple[str, str, list[str]]:
    """A chapter, its version, and the ids of what the judge has found in it; what it was asked for that is forgotten."""
    chapter = await judging.new_chapter(client, text=PROSE)
    version = (await judging.look(client, chapter))["currentVersion"]["id"]
    assessment = await judging.assessment_of(client, await judging.assess(client, version))
    judge.asked.clear()
    return chapter, version, [each["id"] for each in assessment["findings"] if each["metric"] is None]


async def revised(client: Client, judge: Judge) -> tuple[str, dict[str, Any]]:
    """The chapter, and the job that has revised it for what the judge had found."""
    chapter, version, findings = await assessed(client, judge)
    return chapter, await judging.revise(client, version, findingIds=findings)


async def test_what_was_found_is_seen_to_and_the_rest_stays_as_it_is(client: Client, judge: Judge):
    chapter, job = await revised(client, judge)
    assert judge.asked == [REVISION, PREFERENCE, PREFERENCE, *JUDGED]
    assert (job["status"], job["remark"], job["text"]) == ("SUCCEEDED", None, REVISED)
    current = (await judging.look(client, chapter))["currentVersion"]
    assert (current["id"], current["origin"], current["text"]) == (job["result"]["id"], "REVISION", REVISED)
    assert current["assessment"]["judge"] is not None
    assert job["result"]["receipt"]["tokensUsed"] > 0


async def test_instructions_alone_are_reason_enough(client: Client, judge: Judge):
    proposal = {"quote": FIRST, "before": "", "after": "", "replacement": "She let it lie."}
    judging.changed(
        judge,
        **{
            REVISION: lambda *_: {"edits": [], "insertions": [], "proposals": [proposal]},
            PREFERENCE: judging.prefers("She let it lie."),
        },
    )
    chapter = await judging.new_chapter(client, text=PROSE)
    version = (await judging.look(client, chapter))["currentVersion"]["id"]
    job = await judging.revise(client, version, instructions="Fewer words.")
    assert (job["status"], job["text"]) == ("SUCCEEDED", PROSE.replace(FIRST, "She let it lie."))
    assert (await judging.look(client, chapter))["currentVersion"]["text"] == job["text"]


async def test_one_that_reads_worse_in_both_orders_is_kept_and_not_current(client: Client, judge: Judge):
    judging.changed(judge, **{PREFERENCE: judging.prefers(SECOND)})
    chapter, job = await revised(client, judge)
    assert judge.asked == [REVISION, PREFERENCE, PREFERENCE]
    assert (job["status"], job["result"]["text"]) == ("SUCCEEDED", REVISED)
    assert job["remark"] == BESIDE + "Read side by side, the text reads worse than before."
    assert (await judging.look(client, chapter))["currentVersion"]["text"] == PROSE


async def test_one_that_brings_a_blocking_finding_is_kept_and_not_current(client: Client, judge: Judge):
    chapter, version, findings = await assessed(client, judge)
    blocking = finding(BETTER, category="PLOT", severity="BLOCKING", message="There was a name on the back.")
    judging.changed(judge, **{JUDGEMENT: judging.about("Facts", scored(50, blocking), scored(50))})
    job = await judging.revise(client, version, findingIds=findings)
    assert judge.asked == [REVISION, PREFERENCE, PREFERENCE, *JUDGED]
    assert job["remark"] == BESIDE + "Something new stands in the way: There was a name on the back."
    assert (await judging.look(client, chapter))["currentVersion"]["text"] == PROSE
    assert job["result"]["text"] == REVISED


async def test_what_was_blocking_before_is_no_reason_against_it(client: Client, judge: Judge):
    blocking = finding(FIRST, category="PLOT", severity="BLOCKING")
    judging.changed(judge, **{JUDGEMENT: judging.about("Facts", scored(50, blocking), scored(50, finding(SECOND)))})
    chapter, version, findings = await assessed(client, judge)
    assert len(findings) == 2
    about_second = findings[1:]
    job = await judging.revise(client, version, findingIds=about_second)
    assert (job["remark"], (await judging.look(client, chapter))["currentVersion"]["text"]) == (None, REVISED)


@pytest.mark.parametrize(
    ("found", "remark"),
    [(FIRST, None), (BETTER, BESIDE + "Something new stands in the way: Nobody may know.")],
    ids=["stood before", "is new"],
)
async def test_of_a_text_that_no_judge_had_read_what_stood_in_it_is_no_reason(client: Client, judge: Judge, found: str, remark: str | None):
    blocking = finding(found, category="PLOT", severity="BLOCKING", message="Nobody may know.")
    proposal = {"quote": SECOND, "before": "", "after": "", "replacement": BETTER}
    judging.changed(
        judge,
        **{
            REVISION: lambda *_: {"edits": [], "insertions": [], "proposals": [proposal]},
            JUDGEMENT: judging.about("Facts", scored(50, blocking), scored(50)),
        },
    )
    chapter = await judging.new_chapter(client, text=PROSE)
    version = (await judging.look(client, chapter))["currentVersion"]["id"]
    job = await judging.revise(client, version, instructions="Fewer words.")
    assert (job["remark"], job["result"]["text"]) == (remark, REVISED)
    assert (await judging.look(client, chapter))["currentVersion"]["text"] == (PROSE if remark else REVISED)


@pytest.mark.parametrize("first_impression", ["A", "B"])
async def test_a_judge_that_changes_its_mind_with_the_order_has_seen_no_difference(client: Client, judge: Judge, first_impression: str):
    judging.changed(judge, **{PREFERENCE: judging.always(first_impression)})
    chapter, job = await revised(client, judge)
    assert job["remark"] is None
    assert (await judging.look(client, chapter))["currentVersion"]["text"] == REVISED


async def test_one_that_measures_worse_is_not_even_compared(client: Client, judge: Judge):
    judging.changed(judge, **{REVISION: judging.rewrites(SLOP)})
    chapter, job = await revised(client, judge)
    assert judge.asked == [REVISION]
    assert (job["status"], job["result"]["text"]) == ("SUCCEEDED", PROSE.replace(SECOND, SLOP))
    assert job["remark"].startswith(BESIDE + "More ")
    assert (await judging.look(client, chapter))["currentVersion"]["text"] == PROSE


async def test_a_text_that_the_author_saves_meanwhile_stays_the_current_one(client: Client, judge: Judge, model: ScriptedModelServer):
    chapter, version, findings = await assessed(client, judge)
    go_on, so_far = asyncio.Event(), len(model.calls)

    def prefer(call: Call) -> Any:
        return hold(go_on, "", '{"reason": "Less is more.", "better": "TIE"}')(call)

    model.script(judge, prefer)
    started = await Caller(client).payload("startChapterRevision", versionId=version, findingIds=findings)
    await model.wait_for_calls(so_far + 2)
    mine = await judging.save(client, chapter, "My own words.")
    go_on.set()
    job = await judging.ended(client, started["job"]["id"])
    assert (job["status"], job["result"]["text"]) == ("SUCCEEDED", REVISED)
    assert job["remark"] == "The revision is kept as a version of its own: another text is the chapter's current one."
    assert (await judging.look(client, chapter))["currentVersion"]["id"] == mine


async def test_an_older_version_can_be_revised_and_takes_nobodys_place(client: Client, judge: Judge):
    chapter, version, findings = await assessed(client, judge)
    mine = await judging.save(client, chapter, "My own words.")
    job = await judging.revise(client, version, findingIds=findings)
    assert (job["status"], job["result"]["text"]) == ("SUCCEEDED", REVISED)
    assert job["remark"] == "The revision is kept as a version of its own: another text is the chapter's current one."
    assert (await judging.look(client, chapter))["currentVersion"]["id"] == mine


async def test_ready_replacements_need_no_call_that_revises(client: Client, judge: Judge):
    judging.changed(judge, **{JUDGEMENT: scored(50, finding(SECOND, replacement=BETTER))})
    chapter, job = await revised(client, judge)
    assert judge.asked == [PREFERENCE, PREFERENCE, *JUDGED]
    assert (job["remark"], job["text"]) == (None, REVISED)
    assert (await judging.look(client, chapter))["currentVersion"]["text"] == REVISED
    assert job["result"]["receipt"] is None


async def test_an_editor_whose_answers_are_of_no_use_fails_the_job_until_it_is_retried(client: Client, judge: Judge):
    judging.changed(judge, **{REVISION: judging.garbage})
    chapter, job = await revised(client, judge)
    assert judge.asked == [REVISION, REVISION]
    assert (job["status"], job["failure"]["code"], job["failure"]["retryable"]) == ("FAILED", "MODEL_ANSWER_UNUSABLE", True)
    assert (job["result"], job["text"]) == (None, "")
    judging.changed(judge, **{REVISION: judging.rewrites(BETTER)})
    await Caller(client).change("retryJob", jobId=job["id"])
    job = await judging.ended(client, job["id"])
    assert judge.asked == [*[REVISION] * 3, PREFERENCE, PREFERENCE, *JUDGED]
    assert (job["status"], (await judging.look(client, chapter))["currentVersion"]["text"]) == ("SUCCEEDED", REVISED)


async def test_a_judge_whose_answers_are_of_no_use_leaves_the_revision_beside_until_the_job_is_retried(client: Client, judge: Judge):
    judging.changed(judge, **{PREFERENCE: judging.garbage})
    chapter, job = await revised(client, judge)
    assert judge.asked == [REVISION, PREFERENCE, PREFERENCE]
    assert (job["status"], job["failure"]["code"], job["result"]["text"]) == ("FAILED", "MODEL_ANSWER_UNUSABLE", REVISED)
    assert (await judging.look(client, chapter))["currentVersion"]["text"] == PROSE
    judging.changed(judge, **{PREFERENCE: judging.prefers(BETTER)})
    await Caller(client).change("retryJob", jobId=job["id"])
    again = await judging.ended(client, job["id"])
    assert judge.asked == [REVISION, *[PREFERENCE] * 4, *JUDGED]
    assert (again["status"], again["result"]["id"]) == ("SUCCEEDED", job["result"]["id"])
    assert (await judging.look(client, chapter))["currentVersion"]["text"] == REVISED


async def test_a_cancel_while_it_is_compared_leaves_the_revision_beside(client: Client, judge: Judge, model: ScriptedModelServer):
    chapter, version, findings = await assessed(client, judge)
    so_far = len(model.calls)
    model.script(judge, hold(asyncio.Event(), '{"reason": '))
    started = await Caller(client).payload("startChapterRevision", versionId=version, findingIds=findings)
    await model.wait_for_calls(so_far + 2)
    await Caller(client).change("cancelJob", jobId=started["job"]["id"])
    job = await judging.ended(client, started["job"]["id"])
    assert (job["status"], job["result"]["text"], job["text"]) == ("CANCELLED", REVISED, REVISED)
    assert (await judging.look(client, chapter))["currentVersion"]["id"] == version
