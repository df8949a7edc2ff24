"""A user's side of the job rows: starting, cancelling, retrying and reading jobs."""

import asyncio
from contextlib import suppress
from decimal import Decimal
from uuid import uuid4

import pytest

from domain.access import Role
from domain.errors import JobConflict, NotFound
from domain.jobs.events import Finished, StatusChanged, StepFinished
from domain.jobs.job import JobKind, JobStatus
from domain.paging import PageRequest
from domain.spending import Usage
from tests.claiming import claim_job
from tests.persistence.job_world import NOW, RESERVE, build_world, ending, later, prompt


@pytest.fixture
async def world(database):
    return await build_world(database)


async def test_a_created_job_is_stored_as_it_is_with_its_event_its_reservation_and_its_message(world):
    job = await world.queued()

    seen = await world.look(job.id)
    assert (seen.request, seen.estimate, seen.cost_limit, seen.created_at) == (job.request, job.estimate, job.cost_limit, NOW)
    assert [(event.sequence, event.at, event.event) for event in await world.log(job.id)] == [(1, NOW, StatusChanged(JobStatus.QUEUED))]
    assert seen.last_sequence == 1
    assert await world.reserved() == RESERVE
    assert await world.messages(job.id) == 1


async def test_a_job_whose_transaction_fails_leaves_nothing_behind(world):
    job = world.job()
    with suppress(ZeroDivisionError):
        async with world.library.writing(world.author) as records:
            await records.jobs.create(job, reserve=RESERVE)
            raise ZeroDivisionError

    assert await world.reserved() == 0
    assert await world.messages(job.id) == 0


async def test_of_many_jobs_for_one_chapter_at_once_one_is_accepted(world):
    outcomes = await asyncio.gather(*(world.create(world.job()) for _ in range(10)), return_exceptions=True)

    accepted = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, JobConflict)]
    assert (len(accepted), len(refused)) == (1, 9)
    assert {refusal.job_id for refusal in refused} == {accepted[0].id}
    assert await world.reserved() == RESERVE


async def test_a_chapter_whose_job_is_over_takes_another(world):
    await world.desk.finish(await world.claimed(), ending())

    job = await world.queued()

    async with world.library.reading(world.author) as records:
        assert (await records.jobs.active_on(world.chapter_ids[0])).id == job.id
        assert await records.jobs.active_on(world.chapter_ids[1]) is None
        assert await records.jobs.active_count() == 1


async def test_fifty_requests_at_once_under_one_key_start_one_job(world):
    async def start():
        job = world.job()
        async with world.library.writing(world.author) as records:
            if (known := await records.jobs.recall_key("k", since=later(-86400))) is not None:
                return known[0]
            await records.jobs.create(job, reserve=RESERVE)
            await records.jobs.remember_key("k", request_hash="h", job_id=job.id, at=NOW)
            return job.id

    async def start_at_leisure(turns):
        async with turns:  # no more than there are connections
            return await start()

    turns = asyncio.Semaphore(10)
    async with asyncio.timeout(30):
        started = await asyncio.gather(*(start_at_leisure(turns) for _ in range(50)))

    assert len(set(started)) == 1
    assert await world.reserved() == RESERVE


async def test_a_key_is_known_for_as_long_as_asked_and_to_its_own_user_only(world):
    job = await world.queued()
    async with world.library.writing(world.author) as records:
        await records.jobs.remember_key("k", request_hash="h", job_id=job.id, at=NOW)
    async with world.library.writing(world.author) as records:
        assert await records.jobs.recall_key("k", since=later(-1)) == (job.id, "h")
        assert await records.jobs.recall_key("k", since=NOW) is None
        assert await records.jobs.recall_key("other", since=later(-1)) is None
        other = await world.queued(1)
        await records.jobs.remember_key("k", request_hash="i", job_id=other.id, at=later(9))
        assert await records.jobs.recall_key("k", since=NOW) == (other.id, "i")
    async with world.library.writing(world.stranger) as records:
        assert await records.jobs.recall_key("k", since=later(-1)) is None


async def test_cancelling_a_queued_job_ends_it_at_once(world):
    job = await world.queued()

    async with world.library.writing(world.author) as records:
        await records.jobs.request_cancel(job.id, at=later(5))

    seen = await world.look(job.id)
    assert (seen.status, seen.finished_at) == (JobStatus.CANCELLED, later(5))
    assert (await world.events(job.id))[1:] == [StatusChanged(JobStatus.CANCELLED), Finished()]
    assert await world.reserved() == 0
    assert await claim_job(world.database, job.id) is None


async def test_cancelling_a_queued_job_that_was_begun_leaves_its_end_to_a_worker_which_keeps_the_text(world):
    claim = await world.claimed()
    await world.desk.release(claim)
    await world.drop_messages()

    async with world.library.writing(world.author) as records:
        await records.jobs.request_cancel(claim.job_id, at=later(5))

    assert (await world.look(claim.job_id)).status is JobStatus.CANCELLING
    assert (await world.events(claim.job_id))[-1] == StatusChanged(JobStatus.CANCELLING)
    assert await world.messages(claim.job_id) == 1
    ending_it = await world.desk.claim_next(lease_seconds=30)
    assert (ending_it.job_id, ending_it.cancel_requested, ending_it.stumbles) == (claim.job_id, True, 0)


async def test_cancelling_a_running_job_asks_its_worker_once(world):
    claim = await world.claimed()

    for _ in range(2):
        async with world.library.writing(world.author) as records:
            await records.jobs.request_cancel(claim.job_id, at=later(5))

    assert (await world.events(claim.job_id))[2:] == [StatusChanged(JobStatus.CANCELLING)]
    assert await world.desk.renew([claim], lease_seconds=30) == {claim.job_id: True}
    await world.desk.finish(claim, ending(JobStatus.CANCELLED))
    assert (await world.look(claim.job_id)).status is JobStatus.CANCELLED


async def test_cancelling_a_finished_job_changes_nothing(world):
    claim = await world.claimed()
    await world.desk.finish(claim, ending())
    before = await world.look(claim.job_id)

    async with world.library.writing(world.author) as records:
        await records.jobs.request_cancel(claim.job_id, at=later(99))

    assert await world.look(claim.job_id) == before


async def test_a_cancel_and_the_end_at_the_same_moment_leave_one_legal_story(world):
    for chapter in range(3):
        claim = await world.claimed(chapter)

        async def cancel(job_id=claim.job_id):
            async with world.library.writing(world.author) as records:
                await records.jobs.request_cancel(job_id, at=later(5))

        await asyncio.gather(cancel(), world.desk.finish(claim, ending()))

        events = await world.events(claim.job_id)
        assert events[-2:] == [StatusChanged(JobStatus.SUCCEEDED), Finished()]
        assert events.count(Finished()) == 1


async def test_a_failed_job_is_queued_again_and_its_log_continues(world):
    claim = await world.claimed()
    await world.desk.finish(claim, ending(JobStatus.FAILED))
    await world.drop_messages()

    async with world.library.writing(world.author) as records:
        await records.jobs.retry(claim.job_id, reserve=Decimal("0.25"), at=later(99))

    job = await world.look(claim.job_id)
    assert (job.status, job.finished_at, job.failure, job.attempt) == (JobStatus.QUEUED, None, None, 1)
    assert [event.sequence for event in await world.log(job.id)] == [1, 2, 3, 4, 5]
    assert await world.reserved() == Decimal("0.25")
    assert await world.messages(job.id) == 1
    assert (await world.claim(job.id)).attempt == 2


@pytest.mark.parametrize("status", [JobStatus.SUCCEEDED, None])
async def test_only_a_failed_or_cancelled_job_is_queued_again(world, status):
    claim = await world.claimed()
    if status:
        await world.desk.finish(claim, ending(status))
    before = await world.look(claim.job_id)

    async with world.library.writing(world.author) as records:
        await records.jobs.retry(claim.job_id, reserve=RESERVE, at=later(99))

    assert await world.look(claim.job_id) == before


async def test_a_job_is_not_queued_again_beside_another_of_its_chapter(world):
    claim = await world.claimed()
    await world.desk.finish(claim, ending(JobStatus.FAILED))
    other = await world.queued()

    with pytest.raises(JobConflict) as refused:
        async with world.library.writing(world.author) as records:
            await records.jobs.retry(claim.job_id, reserve=RESERVE, at=later(99))

    assert refused.value.job_id == other.id
    assert (await world.look(claim.job_id)).status is JobStatus.FAILED


async def test_jobs_are_listed_newest_first_page_by_page_with_their_counts(world):
    jobs = [await world.create(world.job(chapter, at=later(chapter))) for chapter in range(3)]
    newest_first = [job.id for job in reversed(jobs)]
    await world.desk.finish(await world.claim(jobs[0].id), ending(JobStatus.FAILED))

    async with world.library.reading(world.author) as records:
        first = (await records.jobs.pages_of_projects([world.project_id], PageRequest(limit=2), status=None, kind=None))[world.project_id]
        assert ([job.id for job in first.items], first.has_next) == (newest_first[:2], True)
        rest = await records.jobs.page_of_user(PageRequest(limit=2, after=first.cursors[-1]), status=None)
        assert ([job.id for job in rest.items], rest.has_next, rest.has_previous) == (newest_first[2:], False, True)

        chapter = world.chapter_ids[1]
        assert [job.id for job in (await records.jobs.pages_of_chapters([chapter], PageRequest()))[chapter].items] == [jobs[1].id]
        assert await records.jobs.counts_of_chapters([chapter]) == {chapter: 1}
        failed = await records.jobs.page_of_user(PageRequest(), status=[JobStatus.FAILED])
        assert [job.id for job in failed.items] == [jobs[0].id]
        assert await records.jobs.count_of_user(status=[JobStatus.QUEUED]) == 2
        counts = await records.jobs.counts_of_projects([world.project_id], status=[JobStatus.QUEUED], kind=[JobKind.CHAPTER])
        assert counts == {world.project_id: 2}
        assert await records.jobs.counts_of_projects([world.project_id], status=[], kind=None) == {world.project_id: 0}


async def test_a_step_without_a_call_is_recorded_with_its_events(world):
    claim = await world.claimed()
    finished = StepFinished("context", Usage())

    async with world.library.writing(world.author) as records:
        await records.jobs.complete_step(claim, "context", started_at=NOW, at=later(1), events=(finished,))

    async with world.library.reading(world.author) as records:
        (step,) = (await records.jobs.steps([claim.job_id]))[claim.job_id]
    assert (step.name, step.status, step.model, step.usage) == ("context", JobStatus.SUCCEEDED, None, Usage())
    assert (step.started_at, step.finished_at) == (NOW, later(1))
    assert (await world.events(claim.job_id))[-1] == finished


async def test_a_jobs_result_and_its_end_are_committed_together_or_not_at_all(world):
    claim = await world.claimed()
    with suppress(ZeroDivisionError):
        async with world.library.writing(world.author) as records:
            await records.jobs.finish(claim, ending())
            raise ZeroDivisionError
    assert (await world.look(claim.job_id)).status is JobStatus.RUNNING

    async with world.library.writing(world.author) as records:
        await records.jobs.finish(claim, ending())
    assert (await world.look(claim.job_id)).status is JobStatus.SUCCEEDED


async def test_a_prompt_comes_back_to_the_byte_with_its_receipt(world):
    first, second = await world.claimed(0), await world.claimed(1)
    receipt_id, built = uuid4(), prompt()
    async with world.library.writing(world.author) as records:
        await records.jobs.add_prompt(built, receipt_id=receipt_id, job_id=first.job_id, chapter_id=world.chapter_ids[0], at=NOW)

    async with world.library.reading(world.author) as records:
        assert await records.jobs.prompt_of(first.job_id) == (receipt_id, built)
        assert await records.jobs.prompt_of(second.job_id) is None
        assert await records.jobs.receipts([receipt_id, uuid4()]) == {receipt_id: built.receipt}
        assert tuple(await records.jobs.last_messages(world.chapter_ids[0])) == built.messages
        assert tuple(await records.jobs.last_messages(world.chapter_ids[1])) == ()


async def test_the_last_messages_of_a_chapter_are_those_of_its_newest_prompt(world):
    for number, words in enumerate(("Older.", "Newer.")):
        claim = await world.claimed()
        async with world.library.writing(world.author) as records:
            await records.jobs.add_prompt(
                prompt(words), receipt_id=uuid4(), job_id=claim.job_id, chapter_id=world.chapter_ids[0], at=later(number)
            )
        await world.desk.finish(claim, ending())

    async with world.library.reading(world.author) as records:
        assert tuple(await records.jobs.last_messages(world.chapter_ids[0])) == prompt("Newer.").messages


@pytest.mark.parametrize("role", [Role.COMMENTER, Role.VIEWER])
async def test_who_may_only_read_starts_cancels_and_retries_nothing(world, role):
    await world.add_member(world.stranger, role)
    job = await world.queued()

    for attempt in (
        lambda jobs: jobs.create(world.job(1), reserve=RESERVE),
        lambda jobs: jobs.request_cancel(job.id, at=NOW),
        lambda jobs: jobs.retry(job.id, reserve=RESERVE, at=NOW),
    ):
        with pytest.raises(NotFound):
            async with world.library.writing(world.stranger) as records:
                await attempt(records.jobs)

    assert (await world.look(job.id)).status is JobStatus.QUEUED
    async with world.library.reading(world.stranger) as records:
        assert set(await records.jobs.get_many([job.id])) == {job.id}
