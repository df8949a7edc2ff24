"""The log of a job that is long over, as the API shows it: few entries, the same text, and every old cursor still leads on."""

import asyncio

import pytest

from domain.jobs.events import Progressed, StepFinished, TextAppended, TextReplaced
from domain.jobs.job import JobStage, JobStatus
from domain.spending import Usage
from persistence.job_archive import PostgresJobArchive
from schema.paging import write_sequence
from tests.api import uuid_of

FOLLOW = """subscription($id: ID!, $after: String) { jobEvents(jobId: $id, after: $after) { __typename cursor firstSequence sequence
    ... on TextAppended { offset text } ... on TextReplaced { step offset text } } }"""
LOG = """query($id: ID!, $first: Int, $after: String) { job(id: $id) { text lastEventCursor events(first: $first, after: $after) {
    totalCount nodes { __typename firstSequence sequence } pageInfo { hasNextPage hasPreviousPage endCursor } } } }"""
WAIT_SECONDS = 10


@pytest.fixture
async def job(api):
    """Failed in its second step; 14 events."""
    project = await api.project()
    job = await api.job(await api.chapter(project, brief="A storm."))
    claim = await api.work(
        job,
        StepFinished("context", Usage()),
        TextAppended("draft/1", 0, "It was 😀"),
        Progressed(JobStage.DRAFTING, 0.1, "Writing."),
        TextReplaced("draft/1", 7, "a dark"),
        TextAppended("draft/1", 13, " night."),
        StepFinished("draft/1", Usage(calls=1)),
        TextAppended("draft/2", 20, " Then"),
        TextAppended("draft/2", 25, " the"),
        TextReplaced("draft/2", 20, " And"),
        Progressed(JobStage.DRAFTING, 0.2, "Writing."),
    )
    await api.finish(claim, JobStatus.FAILED)
    return job


WHOLE = "It was a dark night. And"
COMPACTED = [
    ("StepFinished", 1, 3),
    ("TextReplaced", 4, 8),
    ("TextReplaced", 9, 11),
    ("JobStatusChanged", 12, 13),
    ("JobFinished", 14, 14),
]


async def compact(api, job):
    await PostgresJobArchive(api.database).compact_log(uuid_of(job))


async def follow(api, job, **arguments):
    async with asyncio.timeout(WAIT_SECONDS):
        return [data["jobEvents"] async for data in api.follow(FOLLOW, id=job, **arguments)]


def shown_after(events, shown=""):
    """What a frontend shows that does what the schema says."""
    for event in events:
        if "text" in event:
            shown = shown[: event["offset"]] + event["text"]
    return shown


def places(events):
    return [(event["__typename"], event["firstSequence"], event["sequence"]) for event in events]


async def test_in_a_live_log_every_event_stands_for_itself(api, job):
    events = await follow(api, job)
    assert [event["firstSequence"] for event in events] == [event["sequence"] for event in events] == list(range(1, 15))


async def test_a_compacted_log_has_an_event_for_each_step_and_the_same_text(api, job):
    before = (await api.ask(LOG, id=job))["job"]
    await compact(api, job)
    after = (await api.ask(LOG, id=job))["job"]

    assert (before["text"], before["events"]["totalCount"]) == (WHOLE, 14)
    assert (after["text"], after["events"]["totalCount"]) == (WHOLE, 5)
    assert after["lastEventCursor"] == before["lastEventCursor"]
    assert places(after["events"]["nodes"]) == COMPACTED


async def test_whoever_had_come_to_any_cursor_before_goes_on_to_the_same_text(api, job):
    seen = await follow(api, job)
    await compact(api, job)

    for cut in range(len(seen) + 1):
        after = seen[cut - 1]["cursor"] if cut else None
        rest = await follow(api, job, after=after)

        assert shown_after(rest, shown_after(seen[:cut])) == WHOLE
        assert places(rest) == [place for place in COMPACTED if place[2] > cut]


async def test_pages_of_a_compacted_log_follow_each_other_from_any_cursor(api, job):
    await compact(api, job)

    for cut in range(15):
        found, cursor = [], write_sequence(cut) if cut else None
        for _ in COMPACTED:
            page = (await api.ask(LOG, id=job, first=2, after=cursor))["job"]["events"]
            found += places(page["nodes"])
            cursor = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert found == [place for place in COMPACTED if place[2] > cut]


async def test_a_follower_is_carried_over_the_compaction_and_the_retry_behind_it(api, job):
    stream = api.follow(FOLLOW, id=job)
    async with asyncio.timeout(WAIT_SECONDS):
        seen = [(await anext(stream))["jobEvents"] for _ in range(5)]
        await stream.aclose()
        await compact(api, job)
        await api.mutate("retryJob", "id", jobId=job)
        claim = await api.work(job, TextAppended("draft/2", 24, " on."))
        await api.finish(claim)

    rest = await follow(api, job, after=seen[-1]["cursor"])

    assert shown_after(rest, shown_after(seen)) == f"{WHOLE} on."
    assert [event["sequence"] for event in rest] == [8, 11, 13, 14, 15, 16, 17, 18, 19]
