"""One key, one job: however often, at once and through whichever server a request is sent, for as long as its key is good."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from server import utc_now
from tests.conftest import APPLICATION_LOGIN
from tests.factories import Cluster, ManualClock
from tests.server import story
from tests.server.caller import Caller
from tests.server.running import Running, running, token_for

AT_ONCE = 50
ROUNDS = 20
SECONDS = 20
DAY, SECOND = timedelta(hours=24), timedelta(seconds=1)

PROJECT = """
query($id: ID!) { project(id: $id) { budget { reserved spent } jobs(first: 100) { totalCount nodes { id estimate { high } } } } }
"""


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock(utc_now())


@pytest.fixture(scope="module")
async def servers(cluster: Cluster, shared_database: str, clock: ManualClock) -> AsyncIterator[Sequence[Running]]:
    """Two applications on one database. Neither works: what is started stays as it was started."""
    address = cluster.url(shared_database, login=APPLICATION_LOGIN)
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(running(address, clock=clock, workers_in_process=0)) for _ in range(2)]


@pytest.fixture(scope="module")
async def callers(servers: Sequence[Running], clock: ManualClock) -> AsyncIterator[Sequence[Caller]]:
    """Ada, at either server."""
    async with AsyncExitStack() as stack:
        token = token_for("ada", ttl=timedelta(days=7), clock=clock)
        yield [Caller(await stack.enter_async_context(server.client(token=token))) for server in servers]


async def new_project(ada: Caller) -> str:
    return await ada.change("createProject", title="The Lighthouse", genre="MYSTERY", settings={"maxRevisions": 0})


async def new_chapter(ada: Caller, project: str) -> str:
    return await ada.change("createChapter", projectId=project, title="Low water", brief="The tide.", targetWordCount=60)


async def send_at_once(callers: Sequence[Caller], **start: object) -> set[str]:
    """The jobs that are answered."""
    async with asyncio.timeout(SECONDS):
        requests = (callers[number % len(callers)].change("startChapterGeneration", **start) for number in range(AT_ONCE))
        return set(await asyncio.gather(*requests))


async def look_at(ada: Caller, project: str) -> dict[str, Any]:
    return dict((await ada.send(PROJECT, id=project)).data["project"])


async def test_a_key_sent_by_many_at_once_to_two_servers_is_one_job_with_one_reservation(callers: Sequence[Caller]):
    ada = callers[0]
    project = await new_project(ada)
    started: set[str] = set()
    for number in range(ROUNDS):
        answered = await send_at_once(callers, chapterId=await new_chapter(ada, project), idempotencyKey=f"round {number}")
        assert len(answered) == 1, f"round {number}"
        started |= answered
    seen = await look_at(ada, project)
    assert {job["id"] for job in seen["jobs"]["nodes"]} == started
    assert seen["jobs"]["totalCount"] == len(started) == ROUNDS
    assert Decimal(seen["budget"]["reserved"]) == sum(Decimal(job["estimate"]["high"]) for job in seen["jobs"]["nodes"])


async def test_a_key_is_good_for_a_day_and_then_starts_a_new_job(callers: Sequence[Caller], clock: ManualClock):
    ada = callers[0]
    chapter = await new_chapter(ada, await new_project(ada))
    request = {"chapterId": chapter, "idempotencyKey": "good for a day"}
    job = await ada.change("startChapterGeneration", **request)
    await ada.change("cancelJob", jobId=job)

    clock.now += DAY - SECOND
    assert await send_at_once(callers, **request) == {job}
    clock.now += 2 * SECOND
    (new,) = await send_at_once(callers, **request)

    assert new != job
    assert (await story.job(ada.client, job))["status"] == "CANCELLED"
    # The day begins anew, with the job that is there now.
    clock.now += DAY - SECOND
    assert await send_at_once(callers, **request) == {new}


async def test_a_key_that_is_over_may_be_used_for_another_request(callers: Sequence[Caller], clock: ManualClock):
    ada = callers[0]
    project = await new_project(ada)
    first, second = await new_chapter(ada, project), await new_chapter(ada, project)
    job = await ada.change("startChapterGeneration", chapterId=first, idempotencyKey="used twice")
    refused = await ada.refusal("startChapterGeneration", chapterId=second, idempotencyKey="used twice")
    assert (refused["__typename"], refused["job"]) == ("IdempotencyConflictError", {"id": job})

    clock.now += DAY
    assert await ada.change("startChapterGeneration", chapterId=second, idempotencyKey="used twice") != job


async def test_users_who_send_the_same_key_at_once_get_a_job_each(
    callers: Sequence[Caller], servers: Sequence[Running], clock: ManualClock
):
    ada = callers[0]
    async with servers[1].client(token=token_for("ben", clock=clock)) as client:
        ben = Caller(client)
        chapters = [await new_chapter(each, await new_project(each)) for each in (ada, ben)]
        async with asyncio.timeout(SECONDS):
            jobs = await asyncio.gather(
                *(
                    caller.change("startChapterGeneration", chapterId=chapter, idempotencyKey="everybody's")
                    for _ in range(AT_ONCE // 2)
                    for caller, chapter in zip((ada, ben), chapters, strict=True)
                )
            )
    assert len(set(jobs[::2])) == len(set(jobs[1::2])) == 1
    assert jobs[0] != jobs[1]


async def test_a_key_whose_project_is_gone_is_free_again(callers: Sequence[Caller]):
    ada = callers[0]
    project = await new_project(ada)
    chapter = await new_chapter(ada, project)
    job = await ada.change("startChapterGeneration", chapterId=chapter, idempotencyKey="of a lost book")
    await ada.change("deleteProject", id=project)

    gone = await ada.refusal("startChapterGeneration", chapterId=chapter, idempotencyKey="of a lost book")
    assert (gone["__typename"], gone["id"]) == ("NotFoundError", chapter)
    other = await new_chapter(ada, await new_project(ada))
    (new,) = await send_at_once(callers, chapterId=other, idempotencyKey="of a lost book")
    assert new != job


async def test_a_key_does_not_answer_a_job_that_its_user_may_not_see_any_more(
    callers: Sequence[Caller], servers: Sequence[Running], clock: ManualClock
):
    """Nor is another request under that key refused for the sake of a job that cannot be named."""
    ada = callers[0]
    project = await new_project(ada)
    chapter = await new_chapter(ada, project)
    async with servers[1].client(token=token_for("ben", clock=clock)) as client:
        ben = Caller(client)
        viewer = (await client.ask("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
        await ada.change("addProjectMember", projectId=project, email="ben@example.com", role="EDITOR")
        job = await ben.change("startChapterGeneration", chapterId=chapter, idempotencyKey="of a guest")
        await ada.change("removeProjectMember", projectId=project, userId=viewer)
        refused = await ben.refusal("startChapterGeneration", chapterId=chapter, idempotencyKey="of a guest")
        assert refused["__typename"] == "NotFoundError"
        own = await new_chapter(ben, await new_project(ben))
        assert await ben.change("startChapterGeneration", chapterId=own, idempotencyKey="of a guest") != job
    assert (await story.job(ada.client, job))["status"] == "QUEUED"
