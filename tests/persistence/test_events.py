"""The event log: numbered 1..n without a gap whoever writes, and followed from any cut without loss or repetition."""

import asyncio

import pytest

from domain.jobs.events import Finished, Progressed, StatusChanged, StepFinished, TextAppended, TextReplaced
from domain.jobs.job import JobFailure, JobStage, JobStatus
from domain.paging import PageRequest
from domain.spending import Usage
from persistence.documents import from_document, to_document
from persistence.events import to_event
from tests.persistence.job_world import COST, NOW, build_world, text_of

EVERY_KIND = (
    StatusChanged(JobStatus.RUNNING),
    StatusChanged(JobStatus.FAILED, JobFailure(code="X", message="y", retryable=True)),
    Progressed(JobStage.DRAFTING, 0.25, "Ein Viertel: ¼"),
    TextAppended("draft/1", 0, 'Er sagte: „Ja.“\n\t"\\ 😀 龍'),
    TextReplaced("draft/1", 3, ""),
    StepFinished("draft/1", Usage(calls=1, prompt_tokens=2, cached_prompt_tokens=1, completion_tokens=3, cost=COST, unpriced_calls=0)),
    Finished(),
)


@pytest.fixture
async def world(database):
    return await build_world(database)


@pytest.mark.parametrize("event", EVERY_KIND, ids=lambda event: type(event).__name__)
def test_every_kind_of_event_is_a_document_and_back(event):
    document = to_document(event)

    assert to_event(type(event).__name__, document) == event
    assert from_document(type(event), document) == event


async def test_events_come_back_as_they_were_written(world):
    claim = await world.claimed()

    assert await world.desk.append([(claim, EVERY_KIND)], at=NOW) == set()

    assert tuple((await world.events(claim.job_id))[2:]) == EVERY_KIND


async def test_several_jobs_are_appended_to_at_once_and_the_lost_ones_named(world):
    lost, one, other = [await world.claimed(chapter) for chapter in range(3)]
    await world.taken_over(lost)

    answer = await world.desk.append([(one, [text_of("a")]), (lost, [text_of("b")]), (other, [text_of("c"), text_of("d")])], at=NOW)

    assert answer == {lost.job_id}
    assert (await world.events(one.job_id))[2:] == [text_of("a")]
    assert (await world.events(other.job_id))[2:] == [text_of("c"), text_of("d")]
    assert text_of("b") not in await world.events(lost.job_id)


async def test_an_append_of_nothing_loses_nothing(world):
    claim = await world.claimed()

    assert await world.desk.append([(claim, [])], at=NOW) == set()
    assert await world.desk.append([], at=NOW) == set()


async def test_two_writers_at_once_leave_no_gap(world):
    claim = await world.claimed()

    async def write():
        for _ in range(40):
            assert not await world.desk.append([(claim, [text_of("a"), text_of("b"), text_of("c")])], at=NOW)

    await asyncio.gather(write(), write())

    log = await world.log(claim.job_id)
    assert [event.sequence for event in log] == list(range(1, 243))
    assert (await world.look(claim.job_id)).last_sequence == 242


async def test_a_takeover_in_the_middle_of_writing_leaves_no_gap_and_no_line_of_the_old_owner_after_it(world):
    zombie = await world.claimed()
    taken = asyncio.Event()

    async def write_as_zombie():
        for number in range(200):
            if await world.desk.append([(zombie, [text_of("zombie")])], at=NOW):
                return
            if number == 5:
                taken.set()

    async def take_over():
        await taken.wait()
        owner = await world.taken_over(zombie)
        await world.desk.append([(owner, [text_of("owner")])], at=NOW)

    await asyncio.gather(write_as_zombie(), take_over())

    log = await world.log(zombie.job_id)
    assert [event.sequence for event in log] == list(range(1, len(log) + 1))
    takeover = [event.event for event in log].index(StatusChanged(JobStatus.RUNNING), 2)
    assert [event.event for event in log[takeover + 1 :]] == [text_of("owner")]


async def test_following_from_every_cut_gives_exactly_the_rest(world):
    claim = await world.claimed()
    await world.desk.append([(claim, [text_of(str(number), offset=number) for number in range(18)])], at=NOW)
    whole = await world.log(claim.job_id)

    async with world.library.reading(world.author) as records:
        for cut in range(21):
            assert await records.jobs.events_after(claim.job_id, sequence=cut, limit=100) == whole[cut:]
            assert await records.jobs.events_after(claim.job_id, sequence=cut, limit=3) == whole[cut : cut + 3]
            page = (await records.jobs.event_pages([claim.job_id], PageRequest(limit=100, after=(cut,))))[claim.job_id]
            assert list(page.items) == whole[cut:]


async def test_stage_and_progress_follow_the_log_and_progress_never_falls(world):
    claim = await world.claimed()

    await world.desk.append([(claim, [Progressed(JobStage.DRAFTING, 0.6, ""), Progressed(JobStage.CHECKING, 0.4, "")])], at=NOW)
    await world.desk.append([(claim, [text_of("a")])], at=NOW)

    job = await world.look(claim.job_id)
    assert (job.stage, job.progress) == (JobStage.CHECKING, 0.6)


async def test_the_text_so_far_comes_with_the_last_sequence_of_the_same_moment(world):
    claim, silent = await world.claimed(0), await world.queued(1)
    await world.desk.append(
        [(claim, [text_of("It was 龍 a dark"), TextReplaced("draft/1", 7, "a bright"), text_of(" day.", offset=15)])], at=NOW
    )

    async with world.library.reading(world.author) as records:
        texts = await records.jobs.texts([claim.job_id, silent.id])

    assert texts == {claim.job_id: ("It was a bright day.", 5), silent.id: ("", 1)}


async def test_text_and_sequence_agree_while_somebody_writes(world):
    claim = await world.claimed()
    writing = asyncio.create_task(write_letters(world, claim))

    while not writing.done():
        async with world.library.reading(world.author) as records:
            shown, sequence = (await records.jobs.texts([claim.job_id]))[claim.job_id]
        assert len(shown) == sequence - 2
    await writing


async def write_letters(world, claim):
    for number in range(100):
        await world.desk.append([(claim, [text_of("x", offset=number)])], at=NOW)
