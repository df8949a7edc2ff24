"""Fairness, as two authors feel it: one who queues a shelf of books does not keep the other waiting."""

import asyncio

import psycopg

from tests.fakes.judge import Judge
from tests.fakes.model_server import Call, Script, ScriptedModelServer, hold, reply
from tests.server import judging, story
from tests.server.caller import Caller
from tests.server.running import running

MANY = 12


def has_waited_for(owner_url: str, *, seconds: int) -> None:
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE job SET queued_at = queued_at - make_interval(secs => %s) WHERE status = 'QUEUED'", (seconds,))


async def test_another_users_first_job_begins_when_the_step_in_hand_has_ended(database_url: str, owner_url: str):
    """One slot for all. The step that has begun is ended, then the newcomer is next, and the job that stepped aside goes on behind it."""
    go_on = asyncio.Event()

    def answer(call: Call) -> Script:
        if "Ben's" in call.prompt:
            return reply("Ben waited for nobody.")(call)
        return (hold(go_on, "One. ", finish="length") if "One." not in call.prompt else reply("Two."))(call)

    async with (
        ScriptedModelServer(default=answer) as model,
        running(database_url, model_url=model.url, workers_in_process=1) as app,
        app.client("ada") as ada,
        app.client("ben") as ben,
    ):
        mine = [await story.start(ada, await story.new_chapter(ada, brief="Ada's tale.")) for _ in range(MANY)]
        await model.wait_for_calls(1)
        theirs = await story.start(ben, await story.new_chapter(ben, brief="Ben's tale."))
        has_waited_for(owner_url, seconds=2)  # one that has waited for less than a second is about to be taken up anyway
        go_on.set()
        async with asyncio.timeout(20):
            await story.watch(ben, theirs)
            for job_id in mine:
                await story.watch(ada, job_id)
        first = await story.job(ada, mine[0])

    prompts = [call.prompt for call in model.calls]
    assert "Ada's" in prompts[0]
    assert "Ben's" in prompts[1]
    assert (first["status"], first["attempt"], first["text"]) == ("SUCCEEDED", 2, "One. Two.")
    assert len(model.calls) == 2 * MANY + 1


async def test_an_assessment_makes_way_between_its_readings_and_not_before_the_first(database_url: str, owner_url: str):
    """Whoever takes a job up brings it on by a step, also where a third author is waiting."""
    go_on = asyncio.Event()
    judge = Judge()
    async with (
        ScriptedModelServer(hold(go_on, "Ada's turn."), default=judge) as model,
        running(database_url, model_url=model.url, workers_in_process=1) as app,
        app.client("ada") as ada,
        app.client("ben") as ben,
        app.client("cleo") as cleo,
    ):
        chapter = await judging.new_chapter(ben, text=judging.PROSE)
        version = (await judging.look(ben, chapter))["currentVersion"]["id"]
        theirs = await story.new_chapter(cleo)
        first = await story.start(ada, await story.new_chapter(ada))
        await model.wait_for_calls(1)
        assessment = (await Caller(ben).payload("startAssessment", versionId=version))["job"]["id"]
        has_waited_for(owner_url, seconds=1)
        third = await story.start(cleo, theirs)
        has_waited_for(owner_url, seconds=2)
        go_on.set()
        async with asyncio.timeout(20):
            for client, job_id in ((ada, first), (ben, assessment), (cleo, third)):
                await story.watch(client, job_id)
        judged = await story.job(ben, assessment)
    assert judge.asked == [judging.JUDGEMENT, "", *[judging.JUDGEMENT] * (judging.CONCERNS - 1)]
    assert (judged["status"], judged["attempt"]) == ("SUCCEEDED", 2)


async def test_no_user_has_more_running_than_they_may(database_url: str):
    release = asyncio.Event()
    async with (
        ScriptedModelServer(default=hold(release, "Once. ", "More.")) as model,
        running(database_url, model_url=model.url, workers_in_process=8, jobs_per_user=2) as app,
        app.client() as ada,
    ):
        jobs = [await story.start(ada, await story.new_chapter(ada)) for _ in range(5)]
        await model.wait_for_calls(2)
        statuses = [(await story.job(ada, job_id))["status"] for job_id in jobs]
        assert sorted(statuses) == ["QUEUED"] * 3 + ["RUNNING"] * 2
        assert len(model.calls) == 2
        release.set()
        async with asyncio.timeout(20):
            for job_id in jobs:
                await story.watch(ada, job_id)
    assert len(model.calls) == 5
