"""Starting jobs, whatever they do: answered by an earlier start, refused early and for free, or queued with the money for it held."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from domain.access import Role
from domain.chapters import Chapter
from domain.errors import BudgetExceeded, IdempotencyConflict, JobConflict, UnpricedModel
from domain.jobs.job import Job, JobKind, JobPriority, JobRequest, JobStage, JobStatus
from domain.llm.model import REHEARSAL
from domain.ports import Records
from domain.projects import Project
from domain.spending import ZERO, CostEstimate, LimitName
from domain.writing import checks
from resolvers.access import Path, find_chapter, find_job, lock_project
from resolvers.context import RequestContext

KEY_LIFETIME: Final = timedelta(hours=24)

BEING_WRITTEN = "This chapter is being written already."
BEING_ASSESSED = "This version is being assessed already."


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What can be asked of every job, whatever it does."""

    priority: JobPriority
    cost_limit: Decimal | None
    idempotency_key: str | None

    def fingerprint(self, *asked: Any) -> str:
        """sha256 of what was asked, as it was asked: a project's settings may change between two attempts to send it."""
        limit = None if self.cost_limit is None else f"{self.cost_limit:.6f}"
        return hashlib.sha256(json.dumps([*asked, limit, self.priority.name]).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A job to be started for a chapter. `path` is where the caller has named what it is about.

    `request` makes what the worker is told, of the project and the chapter as they are when nobody else can change them.
    """

    kind: JobKind
    chapter: Chapter
    path: Path
    terms: Terms
    fingerprint: str
    estimate: CostEstimate
    request: Callable[[Project, Chapter], JobRequest]


async def start(context: RequestContext, new: Start) -> Job:
    """Raises JobConflict, LimitExceeded, BudgetExceeded, UnpricedModel or IdempotencyConflict, and has started nothing then."""
    async with context.writing() as records:
        await find_chapter(records, new.chapter.id, Role.EDITOR, new.path)
        if (started := await started_before(context, records, new.terms, new.fingerprint)) is not None:
            return started
        project = await lock_project(records, new.chapter.project_id, Role.EDITOR, new.path)
        chapter = await find_chapter(records, new.chapter.id, Role.EDITOR, new.path)
        job = _job(context, new, new.request(project, chapter))
        await require_idle(records, job, new.path)
        await _check_unfinished(records)
        await require_money(records, project, new.estimate, cost_limit=new.terms.cost_limit, monthly_limit=context.monthly_limit)
        await records.jobs.create(job, reserve=new.estimate.high or ZERO)
        if new.terms.idempotency_key is not None:
            await records.jobs.remember_key(new.terms.idempotency_key, request_hash=new.fingerprint, job_id=job.id, at=job.created_at)
        return await find_job(records, job.id, Role.EDITOR)


async def started_before(context: RequestContext, records: Records, terms: Terms, fingerprint: str) -> Job | None:
    """The job of an earlier request under the same key, if the viewer may still see it. Raises IdempotencyConflict."""
    if terms.idempotency_key is None:
        return None
    remembered = await records.jobs.recall_key(terms.idempotency_key, since=context.clock() - KEY_LIFETIME)
    if remembered is None:
        return None
    job_id, known = remembered
    job = (await records.jobs.get_many([job_id])).get(job_id)
    if job is not None and known != fingerprint:
        raise IdempotencyConflict(job_id)
    return job


async def require_idle(records: Records, job: Job, path: Path) -> None:
    """Raises JobConflict where another job writes the same chapter, or assesses the same version.

    Under the project's lock, so that nobody else starts a job meanwhile.
    """
    if job.chapter_id is None:
        return
    active = await records.jobs.active_on(job.chapter_id, version_id=job.assessed_version_id)
    if active is not None:
        raise JobConflict(active.id, path=path, message=BEING_WRITTEN if job.assessed_version_id is None else BEING_ASSESSED)


async def require_money(
    records: Records, project: Project, estimate: CostEstimate, *, cost_limit: Decimal | None, monthly_limit: Decimal | None
) -> None:
    """Raises BudgetExceeded, or UnpricedModel. From here on nobody else holds this money until the transaction ends."""
    if estimate.high is None:
        if not project.settings.allow_unpriced_models:
            raise UnpricedModel(estimate.model)
        return
    if not estimate.high:
        return  # what costs nothing is started also where a limit has been lowered below what was spent
    if cost_limit is not None and estimate.high > cost_limit:
        raise BudgetExceeded(cost_limit, estimate.high, LimitName.COST_LIMIT, path=("input", "costLimit"))
    for allowance in await records.spending.allowances(project.id, monthly_limit=monthly_limit):
        if estimate.high > allowance.left:
            raise BudgetExceeded(max(ZERO, allowance.left), estimate.high, allowance.name)


async def _check_unfinished(records: Records) -> None:
    checks.at_most(await records.jobs.active_count() + 1, limit_name="unfinishedJobs", limit=checks.UNFINISHED_JOBS, path=("input",))


def _job(context: RequestContext, new: Start, request: JobRequest) -> Job:
    return Job(
        id=context.ids(),
        project_id=new.chapter.project_id,
        chapter_id=new.chapter.id,
        kind=new.kind,
        status=JobStatus.QUEUED,
        stage=JobStage.QUEUED,
        progress=0.0,
        started_by=context.viewer.id,
        attempt=0,
        request=request,
        rehearsal=new.estimate.model == REHEARSAL,
        cost_limit=new.terms.cost_limit,
        estimate=new.estimate,
        result_version_id=None,
        failure=None,
        last_sequence=0,
        created_at=context.clock(),
        started_at=None,
        finished_at=None,
        priority=new.terms.priority,
    )
