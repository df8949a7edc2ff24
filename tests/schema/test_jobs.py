"""Jobs: read, cancelled, retried; their logs, steps, results and costs."""

from decimal import Decimal
from uuid import uuid4

import pytest

from domain.chapters import ChapterVersion, NewVersion, VersionOrigin
from domain.jobs.events import Progressed, TextAppended, TextReplaced
from domain.jobs.job import CallIntent, CallResult, Ending, JobFailure, JobStage, JobStatus
from domain.llm.model import TokenUsage
from domain.prompting.index.saved_text import NewText
from schema.ids import encode
from tests.api import uuid_of

STATE = (
    "query($id: ID!) { job(id: $id) { status stage progress attempt text lastEventCursor finishedAt failure { code message retryable } } }"
)
EVENTS = """query($id: ID!, $after: String, $first: Int) { job(id: $id) { lastEventCursor events(after: $after, first: $first) {
    totalCount edges { cursor node { __typename cursor sequence jobId at } } pageInfo { hasNextPage hasPreviousPage } } } }"""
USED = TokenUsage(prompt_tokens=1000, cached_prompt_tokens=200, completion_tokens=300, estimated=False)


@pytest.fixture
async def book(api):
    project = await api.project(budgetLimit=1)
    return project, await api.chapter(project, brief="A storm.")


async def state(api, job):
    return (await api.ask(STATE, id=job))["job"]


async def pay(api, claim, step="draft/1", *, cost="0.012345"):
    intent = CallIntent(
        call_id=uuid4(), step=step, model="gpt-4.1", request_hash="a", expected=USED, expected_cost=Decimal("0.03"), at=api.clock()
    )
    assert await api.desk.intend(claim, intent) is None
    result = CallResult(text="It rained.", finish="stop", usage=USED, cost=None if cost is None else Decimal(cost))
    await api.desk.record(claim, intent, result, at=api.clock())


async def test_text_and_cursor_are_of_the_same_moment(api, book):
    job = await api.job(book[1])
    await api.work(
        job, TextAppended("draft/1", 0, "It was 😀 night."), TextReplaced("draft/1", 7, "day."), Progressed(JobStage.DRAFTING, 0.4, "On.")
    )
    found = await state(api, job)
    assert (found["text"], found["status"], found["stage"], found["progress"], found["attempt"]) == (
        "It was day.",
        "RUNNING",
        "DRAFTING",
        0.4,
        1,
    )
    rest = await api.ask(EVENTS, id=job, after=found["lastEventCursor"])
    assert rest["job"]["events"]["edges"] == []


async def test_the_log_is_read_in_pages_without_a_gap(api, book):
    job = await api.job(book[1])
    await api.work(job, *(TextAppended("draft/1", number, "x") for number in range(5)))
    met, after, more = [], None, True
    while more:
        events = (await api.ask(EVENTS, id=job, first=2, **({"after": after} if after else {})))["job"]["events"]
        met += [edge["node"]["sequence"] for edge in events["edges"]]
        assert all(edge["cursor"] == edge["node"]["cursor"] and edge["node"]["jobId"] == job for edge in events["edges"])
        after, more = events["edges"][-1]["cursor"], events["pageInfo"]["hasNextPage"]
    assert met == [*range(1, 8)]
    assert events["totalCount"] == 7


async def test_a_queued_job_is_cancelled_at_once_and_its_money_released(api, book):
    project, chapter = book
    job = await api.job(chapter)
    cancelled = await api.mutate("cancelJob", "status finishedAt", jobId=job)
    assert cancelled == {"status": "CANCELLED", "finishedAt": "2026-03-01T12:00:00.000000Z"}
    budget = await api.ask("query($id: ID!) { project(id: $id) { budget { reserved } } }", id=project)
    assert budget["project"]["budget"]["reserved"] == "0.000000"


async def test_a_running_job_is_asked_to_stop(api, book):
    job = await api.job(book[1])
    await api.work(job)
    assert (await api.mutate("cancelJob", "status", jobId=job))["status"] == "CANCELLING"


async def test_cancelling_a_finished_job_leaves_it_as_it_is(api, book):
    job = await api.job(book[1])
    await api.finish(await api.work(job))
    assert (await api.mutate("cancelJob", "status", jobId=job))["status"] == "SUCCEEDED"


async def test_a_failed_job_says_why_and_is_queued_again_behind_what_it_has_paid_for(api, book):
    project, chapter = book
    job = await api.job(chapter)
    claim = await api.work(job)
    await pay(api, claim)
    failure = JobFailure(code="MODEL_UNAVAILABLE", message="Try again.", retryable=True)
    await api.desk.finish(claim, Ending(status=JobStatus.FAILED, at=api.clock(), failure=failure))
    found = await state(api, job)
    assert (found["status"], found["failure"]) == ("FAILED", {"code": "MODEL_UNAVAILABLE", "message": "Try again.", "retryable": True})

    retried = await api.mutate("retryJob", "status failure { code } finishedAt estimate { high } steps { name status }", jobId=job)
    assert (retried["status"], retried["failure"], retried["finishedAt"]) == ("QUEUED", None, None)
    assert retried["steps"] == [{"name": "draft/1", "status": "SUCCEEDED"}]
    budget = (await api.ask("query($id: ID!) { project(id: $id) { budget { spent reserved } } }", id=project))["project"]["budget"]
    assert budget == {"spent": "0.012345", "reserved": retried["estimate"]["high"]}


@pytest.mark.parametrize("finished", [False, True])
async def test_only_a_failed_or_cancelled_job_is_retried(api, book, finished):
    job = await api.job(book[1])
    if finished:
        await api.finish(await api.work(job))
    error = await api.refusal("retryJob", jobId=job)
    assert (error["__typename"], error["path"]) == ("InvalidInputError", ["input", "jobId"])


async def test_a_job_is_not_retried_while_another_writes_the_chapter(api, book):
    _, chapter = book
    first = await api.job(chapter)
    await api.mutate("cancelJob", "id", jobId=first)
    second = await api.job(chapter)
    error = await api.refusal("retryJob", jobId=first)
    assert (error["__typename"], error["path"], error["job"]["id"]) == ("JobConflictError", ["input", "jobId"], second)


async def test_a_job_is_not_retried_without_the_money(api, book):
    project, chapter = book
    job = await api.job(chapter)
    await api.mutate("cancelJob", "id", jobId=job)
    await api.mutate("updateProject", "id", id=project, budgetLimit="0.000001")
    error = await api.refusal("retryJob", jobId=job)
    assert (error["__typename"], error["limitName"]) == ("BudgetExceededError", "budgetLimit")
    assert (await state(api, job))["status"] == "CANCELLED"


async def test_a_paid_call_is_shown_by_job_by_step_by_project_and_by_viewer(api, book):
    project, chapter = book
    job = await api.job(chapter)
    claim = await api.work(job)
    await pay(api, claim)
    await pay(api, claim, "draft/2", cost=None)
    usage = "usage { calls promptTokens cachedPromptTokens completionTokens cost unpricedCalls }"
    report = (
        f"usage(from: $from, to: $to) {{ total: {usage.replace('usage', 'total', 1)} byDay {{ day {usage} }} byModel {{ model {usage} }} }}"
    )
    document = f"""query($job: ID!, $project: ID!, $from: DateTime, $to: DateTime) {{ job(id: $job) {{ {usage} steps {{ name model uncertain {usage} }} }}
        project(id: $project) {{ {report} }} viewer {{ {report} }} }}"""
    both = {"calls": 2, "promptTokens": 2000, "cachedPromptTokens": 400, "completionTokens": 600, "cost": "0.012345", "unpricedCalls": 1}
    one = {"calls": 1, "promptTokens": 1000, "cachedPromptTokens": 200, "completionTokens": 300, "cost": "0.012345", "unpricedCalls": 0}
    data = await api.ask(document, job=job, project=project)
    assert data["job"]["usage"] == both
    assert data["job"]["steps"][0] == {"name": "draft/1", "model": "gpt-4.1", "uncertain": False, "usage": one}
    whole = {"total": both, "byDay": [{"day": "2026-03-01", "usage": both}], "byModel": [{"model": "gpt-4.1", "usage": both}]}
    assert data["project"]["usage"] == data["viewer"]["usage"] == whole
    later = await api.ask(document, job=job, project=project, **{"from": "2026-03-01T12:00:00.000001Z"})
    until = await api.ask(document, job=job, project=project, to="2026-03-01T12:00:00Z")
    assert later["project"]["usage"]["total"]["calls"] == until["viewer"]["usage"]["total"]["calls"] == 0
    assert later["project"]["usage"]["byDay"] == []


async def test_a_result_is_the_version_that_was_written_with_its_receipt(api, book):
    from tests.persistence.job_world import prompt

    _, chapter = book
    job = await api.job(chapter)
    claim = await api.work(job)
    version_id, receipt_id = api.services.ids(), api.services.ids()
    async with api.services.library.writing(api.user.id) as records:
        await records.jobs.add_prompt(prompt(), receipt_id=receipt_id, job_id=claim.job_id, chapter_id=uuid_of(chapter), at=api.clock())
        version = NewVersion(
            id=version_id,
            chapter_id=uuid_of(chapter),
            text=NewText.of("It rained."),
            word_count=2,
            token_count=3,
            origin=VersionOrigin.DRAFT,
            created_at=api.clock(),
            rehearsal=True,
            job_id=claim.job_id,
            receipt_id=receipt_id,
        )
        await records.versions.add(version, make_current=True)
        await records.jobs.finish(claim, Ending(status=JobStatus.SUCCEEDED, at=api.clock(), result_version_id=version_id))
    document = """query($id: ID!) { job(id: $id) { progress result { __typename ... on ChapterVersion {
        id text origin rehearsal author { name } job { id } receipt { digest items { label source { id } } } } } } }"""
    found = (await api.ask(document, id=job))["job"]
    assert found["progress"] == 1.0
    assert found["result"] == {
        "__typename": "ChapterVersion",
        "id": encode(ChapterVersion, version_id),
        "text": "It rained.",
        "origin": "DRAFT",
        "rehearsal": True,
        "author": None,
        "job": {"id": job},
        # The file this receipt names has never existed here: what is gone is null, the rest of the receipt stays.
        "receipt": {"digest": "d" * 64, "items": [{"label": "The Captain", "source": None}]},
    }


async def test_jobs_are_listed_newest_first_by_state_and_kind(api, book):
    project, chapter = book
    first = await api.job(chapter)
    await api.mutate("cancelJob", "id", jobId=first)
    api.clock.advance(seconds=1)
    second = await api.job(chapter)
    document = """query($project: ID!, $chapter: ID!, $status: [JobStatus!], $kind: [JobKind!]) {
        viewer { jobs(status: $status) { totalCount nodes { id } } } chapter(id: $chapter) { jobs { totalCount nodes { id } } }
        project(id: $project) { jobs(status: $status, kind: $kind) { totalCount nodes { id } } } }"""

    async def listed(**filters):
        data = await api.ask(document, project=project, chapter=chapter, **filters)
        connections = [data["viewer"]["jobs"], data["project"]["jobs"], data["chapter"]["jobs"]]
        assert all(connection["totalCount"] == len(connection["nodes"]) for connection in connections)
        return [[node["id"] for node in connection["nodes"]] for connection in connections]

    both = [second, first]
    assert await listed() == [both, both, both]
    assert await listed(status=["CANCELLED", "FAILED"]) == [[first], [first], both]
    assert await listed(kind=["CHAPTER", "EXPORT"]) == [both, both, both]
    assert await listed(kind=["EXPORT"]) == [both, [], both]


async def test_only_ones_own_jobs_are_the_viewers(api, book):
    project, chapter = book
    other = await api.member(project, "EDITOR")
    await other.job(chapter)
    document = "{ viewer { jobs { totalCount } usage { total { calls } } } }"
    assert (await api.ask(document))["viewer"]["jobs"]["totalCount"] == 0
    assert (await other.ask(document))["viewer"]["jobs"]["totalCount"] == 1
