"""Jobs: listing, cancelling, retrying, following."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.access import Role
from domain.assessing.assessment import Assessment
from domain.chapters import ChapterVersion
from domain.errors import InvalidInput, NotFound
from domain.jobs.events import RecordedEvent
from domain.jobs.job import ACTIVE_STATUSES, Job, JobKind, JobStatus
from domain.paging import MAXIMUM_PAGE_SIZE, PageRequest
from domain.ports import Records
from domain.spending import ZERO
from domain.writing import checks
from resolvers.access import find_job, lock_project
from resolvers.context import RequestContext
from resolvers.listing import Listing, listings_of, same
from resolvers.starting import require_idle, require_money

RETRYABLE = frozenset({JobStatus.FAILED, JobStatus.CANCELLED})
EVENTS_AT_ONCE = 200


async def list_own_jobs(context: RequestContext, request: PageRequest, *, status: tuple[JobStatus, ...] | None) -> Listing[Job]:
    async with context.reading() as records:
        page = await records.jobs.page_of_user(request, status=status)

    async def count() -> int:
        async with context.reading() as records:
            return await records.jobs.count_of_user(status=status)

    return Listing(page, count)


async def events_of(context: RequestContext, jobs: Sequence[Job], request: PageRequest) -> list[Listing[RecordedEvent]]:
    return await listings_of(jobs, context.loaders.events_of_job, request, context.loaders.event_counts, same)


async def text_of(context: RequestContext, job: Job) -> tuple[str, int]:
    """What the job has written, and the sequence of the last event in it: fields that ask in one tick are answered from one moment."""
    return await context.loaders.job_texts.load(job.id) or ("", 0)


async def result_of(context: RequestContext, job: Job) -> ChapterVersion | Assessment | None:
    if job.result_version_id is not None:
        return await context.loaders.versions.load(job.result_version_id)
    return None if job.result_assessment_id is None else await context.loaders.assessments.load(job.result_assessment_id)


async def cancel_job(context: RequestContext, job_id: UUID) -> Job:
    """A finished job is answered as it is: it could not be stopped any more."""
    async with context.writing() as records:
        await find_job(records, job_id, Role.EDITOR)
        await records.jobs.request_cancel(job_id, at=context.clock())
        return await find_job(records, job_id, Role.EDITOR)


async def change_cost_limit(context: RequestContext, job_id: UUID, values: Mapping[str, Any]) -> Job:
    """A job that waits because of its limit goes on by itself when the new one allows it."""
    accepted = checks.checked(values, checks.COST_LIMIT)
    async with context.writing() as records:
        job = await find_job(records, job_id, Role.EDITOR)
        if not accepted:
            raise InvalidInput("Say what the limit is to be, or null for none.", ("input", "costLimit"))
        if job.status.is_final:
            raise InvalidInput("This job has ended: its limit means nothing any more.", ("input", "jobId"))
        await records.jobs.change_cost_limit(job_id, accepted["cost_limit"])
        return await find_job(records, job_id, Role.EDITOR)


async def retry_job(context: RequestContext, job_id: UUID) -> Job:
    """What has been paid for already is not bought again; the whole estimate is held all the same.

    Money is its starter's, whoever retries it. What somebody else may still spend this month is for workers to see, not for the viewer:
    then nothing is held here, and the job's next call asks for it.
    """
    path = ("input", "jobId")
    async with context.writing() as records:
        job = await find_job(records, job_id, Role.EDITOR)
        project = await lock_project(records, job.project_id, Role.EDITOR, path)
        job = await find_job(records, job_id, Role.EDITOR)
        if job.status not in RETRYABLE or job.chapter_id is None:
            raise InvalidInput("Only a job that has failed or was cancelled can be retried.", path)
        await require_idle(records, job, path)
        monthly_limit = context.monthly_limit if job.started_by == context.viewer.id else None
        await require_money(records, project, job.estimate, cost_limit=job.cost_limit, monthly_limit=monthly_limit)
        is_checked = monthly_limit == context.monthly_limit
        reserve = (job.estimate.high or ZERO) if is_checked else ZERO
        await records.jobs.retry(job_id, reserve=reserve, at=context.clock())
        return await find_job(records, job_id, Role.EDITOR)


async def cancel_all(
    records: Records, project_id: UUID, *, kind: JobKind | None = None, chapter_id: UUID | None = None, at: datetime
) -> None:
    """Stop what is under way in a project, of one kind or for one chapter if these are given. The project must be locked.

    The workers of what is deleted would notice by themselves, but pay for a model's words until then.
    """
    unstopped, kinds = tuple(ACTIVE_STATUSES - {JobStatus.CANCELLING}), None if kind is None else (kind,)
    after = None
    while True:
        request = PageRequest(limit=MAXIMUM_PAGE_SIZE, after=after)
        page = (await records.jobs.pages_of_projects([project_id], request, status=unstopped, kind=kinds))[project_id]
        for job in page.items:
            if chapter_id in {None, job.chapter_id}:
                await records.jobs.request_cancel(job.id, at=at)
        if not page.has_next:
            return
        after = page.cursors[-1]


async def follow(context: RequestContext, job_id: UUID, *, after: int) -> AsyncGenerator[RecordedEvent, None]:
    """Every event after sequence `after`, old and new, until the job is final and its log read to the end.

    A retried job's log goes on behind an earlier end, so an event alone never ends the stream. Raises NotFound when the viewer may
    not, or not any longer, see the job; InvalidInput when the log has not come as far as `after`.
    """
    async with context.wakeups.job_changed(job_id) as wakeups:
        async for _ in wakeups:
            while True:
                async with context.reading() as records:
                    events = await records.jobs.events_after(job_id, sequence=after, limit=EVENTS_AT_ONCE)
                    job = (await records.jobs.get_many([job_id])).get(job_id)
                if job is None:
                    raise NotFound(job_id, path=("jobId",))
                if after > job.last_sequence:
                    raise InvalidInput("This cursor is not of this job's log.", ("after",))
                for event in events:
                    yield event
                    after = event.sequence
                # The job was read after its events: it may have got further, and then there is more to read at once.
                if after < job.last_sequence:
                    continue
                if job.status.is_final:
                    return
                break
