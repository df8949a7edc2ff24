"""The subscription to a job's log: everything once, in order, live, until the job has ended."""

import asyncio

import pytest

from domain.errors import InvalidInput, NotFound
from domain.jobs.events import Progressed, StepFinished, TextAppended, TextReplaced
from domain.jobs.job import JobStage, JobStatus
from domain.spending import Usage
from schema.edge.errors import RequestError
from schema.paging import write_sequence
from tests.api import Refused

FOLLOW = """subscription($id: ID!, $after: String) { jobEvents(jobId: $id, after: $after) { __typename cursor sequence jobId at
    ... on JobStatusChanged { status failure { code } } ... on JobProgressed { stage progress message }
    ... on TextAppended { step offset text } ... on TextReplaced { step offset text } ... on StepFinished { step usage { calls } }
    ... on JobFinished { job { id status progress } } } }"""
WAIT_SECONDS = 10


@pytest.fixture
async def job(api):
    project = await api.project()
    return await api.job(await api.chapter(project, brief="A storm."))


def follow(api, job, **arguments):
    return api.follow(FOLLOW, id=job, **arguments)


async def collect(stream):
    async with asyncio.timeout(WAIT_SECONDS):
        return [data["jobEvents"] async for data in stream]


async def take(stream, number):
    async with asyncio.timeout(WAIT_SECONDS):
        return [(await anext(stream))["jobEvents"] for _ in range(number)]


async def test_every_event_comes_once_in_order_and_the_stream_completes(api, job):
    await api.finish(
        await api.work(
            job,
            Progressed(JobStage.DRAFTING, 0.1, "Writing."),
            TextAppended("draft/1", 0, "It was 😀"),
            TextReplaced("draft/1", 7, "night."),
            StepFinished("draft/1", Usage(calls=1)),
        )
    )
    events = await collect(follow(api, job))
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert {event["jobId"] for event in events} == {job}
    assert [{name: event[name] for name in event if name not in {"cursor", "sequence", "jobId", "at"}} for event in events] == [
        {"__typename": "JobStatusChanged", "status": "QUEUED", "failure": None},
        {"__typename": "JobStatusChanged", "status": "RUNNING", "failure": None},
        {"__typename": "JobProgressed", "stage": "DRAFTING", "progress": 0.1, "message": "Writing."},
        {"__typename": "TextAppended", "step": "draft/1", "offset": 0, "text": "It was 😀"},
        {"__typename": "TextReplaced", "step": "draft/1", "offset": 7, "text": "night."},
        {"__typename": "StepFinished", "step": "draft/1", "usage": {"calls": 1}},
        {"__typename": "JobStatusChanged", "status": "SUCCEEDED", "failure": None},
        {"__typename": "JobFinished", "job": {"id": job, "status": "SUCCEEDED", "progress": 1.0}},
    ]


async def test_from_any_cursor_exactly_the_rest_follows(api, job):
    await api.finish(await api.work(job, TextAppended("draft/1", 0, "a"), TextAppended("draft/1", 1, "b")))
    events = await collect(follow(api, job))
    for position, event in enumerate(events, start=1):
        assert await collect(follow(api, job, after=event["cursor"])) == events[position:]


async def test_what_happens_while_following_comes_as_it_happens(api, job):
    stream = follow(api, job)
    assert [event["status"] for event in await take(stream, 1)] == ["QUEUED"]
    claim = await api.work(job, TextAppended("draft/1", 0, "a"))
    assert [event["__typename"] for event in await take(stream, 2)] == ["JobStatusChanged", "TextAppended"]
    await api.log(claim, TextAppended("draft/1", 1, "b"))
    assert [event["text"] for event in await take(stream, 1)] == ["b"]
    await api.finish(claim)
    assert [event["__typename"] for event in await collect(stream)] == ["JobStatusChanged", "JobFinished"]


async def test_text_and_cursor_of_a_query_continue_in_the_stream(api, job):
    claim = await api.work(job, TextAppended("draft/1", 0, "It was "))
    snapshot = (await api.ask("query($id: ID!) { job(id: $id) { text lastEventCursor } }", id=job))["job"]
    await api.log(claim, TextAppended("draft/1", 7, "night."))
    await api.finish(claim)
    events = await collect(follow(api, job, after=snapshot["lastEventCursor"]))
    assert snapshot["text"] + "".join(event.get("text", "") for event in events) == "It was night."


async def test_a_log_longer_than_one_reading_comes_whole(api, job):
    await api.finish(await api.work(job, *(TextAppended("draft/1", number, "x") for number in range(450))))
    events = await collect(follow(api, job))
    assert [event["sequence"] for event in events] == list(range(1, 455))


async def test_a_retried_job_is_followed_past_its_earlier_end(api, job):
    await api.finish(await api.work(job), JobStatus.FAILED)
    await api.mutate("retryJob", "id", jobId=job)
    stream = follow(api, job)
    before = await take(stream, 5)
    assert [event["__typename"] for event in before].count("JobFinished") == 1
    await api.finish(await api.work(job))
    assert [event["__typename"] for event in await collect(stream)][-1] == "JobFinished"


async def test_who_has_seen_everything_of_a_finished_job_gets_a_completed_stream(api, job):
    await api.finish(await api.work(job))
    last = (await collect(follow(api, job)))[-1]
    assert await collect(follow(api, job, after=last["cursor"])) == []


async def test_many_may_follow_one_job(api, job):
    claim = await api.work(job, TextAppended("draft/1", 0, "a"))
    following = [asyncio.create_task(collect(follow(api, job))) for _ in range(5)]
    await api.finish(claim)
    first, *others = await asyncio.gather(*following)
    assert all(events == first for events in others)


async def test_who_is_removed_from_the_project_hears_no_more(api):
    project = await api.project()
    job = await api.job(await api.chapter(project, brief="A storm."))
    ben = await api.member(project, "VIEWER")
    stream = follow(ben, job)
    await take(stream, 1)
    me = await ben.ask("{ viewer { user { id } } }")
    await api.mutate("removeProjectMember", "id", projectId=project, userId=me["viewer"]["user"]["id"])
    await api.work(job, TextAppended("draft/1", 0, "a secret"))
    with pytest.raises(Refused) as refused:
        await collect(stream)
    assert isinstance(refused.value.errors[0].original_error, NotFound)


async def test_a_job_that_is_not_there_or_not_ones_own_cannot_be_followed(api, job):
    stranger = await api.newcomer()
    told = []
    for viewer, wanted in ((api, "nonsense"), (api, "job_" + "0" * 26), (stranger, job)):
        with pytest.raises(Refused) as refused:
            await collect(follow(viewer, wanted))
        told.append(str(refused.value.errors[0].original_error))
    assert len(set(told)) == 1


@pytest.mark.parametrize("cursor", ["", "x", "WyJhIl0"])
async def test_what_is_no_cursor_is_refused(api, job, cursor):
    with pytest.raises(Refused) as refused:
        await collect(follow(api, job, after=cursor))
    assert isinstance(refused.value.errors[0].original_error, RequestError)


async def test_a_cursor_the_log_has_not_reached_is_refused(api, job):
    with pytest.raises(Refused) as refused:
        await collect(follow(api, job, after=write_sequence(100)))
    assert isinstance(refused.value.errors[0].original_error, InvalidInput)
