"""Starting chapter generations: refused early and for free, or queued with the money for it held."""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from domain.access import Role
from domain.chapters import Chapter
from domain.errors import BudgetExceeded, IdempotencyConflict, JobConflict, UnpricedModel
from domain.jobs.job import GenerationRequest, Job, JobKind, JobPriority, JobStage, JobStatus
from domain.llm.model import REHEARSAL
from domain.ports import Records
from domain.projects import Project
from domain.spending import ZERO, CostEstimate, LimitName
from domain.writing import checks
from resolvers.access import find_chapter, find_job, lock_project
from resolvers.context import RequestContext
from resolvers.prompts import Preview, PromptRequest, build, gather

KEY_LIFETIME: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    prompt: PromptRequest
    priority: JobPriority
    cost_limit: Decimal | None
    idempotency_key: str | None

    @property
    def fingerprint(self) -> str:
        """sha256 of what was asked, as it was asked: a project's settings may change between two attempts to send it."""
        prompt = self.prompt
        asked = [
            str(prompt.chapter_id),
            prompt.instructions,
            [str(pin) for pin in prompt.include],
            [str(pin) for pin in prompt.exclude],
            prompt.model,
            prompt.token_budget,
            None if self.cost_limit is None else f"{self.cost_limit:.6f}",
            self.priority.name,
        ]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


async def start_chapter_generation(context: RequestContext, request: StartRequest) -> Job:
    """The prompt is built before the transaction that starts the job, for it takes a while; the job builds its own when it runs."""
    async with context.reading() as records:
        chapter = await find_chapter(records, request.prompt.chapter_id, Role.EDITOR)
        if (started := await _started_before(context, records, request)) is not None:
            return started
        loaded, wish = await gather(context, records, chapter, request.prompt)
    preview = await build(context, loaded, wish)
    async with context.writing() as records:
        chapter = await find_chapter(records, chapter.id, Role.EDITOR)
        if (started := await _started_before(context, records, request)) is not None:
            return started
        project = await lock_project(records, chapter.project_id, Role.EDITOR, ("input", "chapterId"))
        await require_idle(records, chapter.id)
        await _check_unfinished(records)
        await require_money(records, project, preview.estimate, cost_limit=request.cost_limit, monthly_limit=context.monthly_limit)
        chapter = await find_chapter(records, chapter.id, Role.EDITOR)
        job = _new_job(context, chapter, request, preview, temperature=project.settings.temperature)
        await records.jobs.create(job, reserve=preview.estimate.high or ZERO)
        if request.idempotency_key is not None:
            await records.jobs.remember_key(request.idempotency_key, request_hash=request.fingerprint, job_id=job.id, at=job.created_at)
        return await find_job(records, job.id, Role.EDITOR)


async def require_idle(records: Records, chapter_id: UUID, path: tuple[str, ...] = ("input", "chapterId")) -> None:
    """Raises JobConflict. Under the project's lock, so that nobody else starts a job meanwhile."""
    active = await records.jobs.active_on(chapter_id)
    if active is not None:
        raise JobConflict(active.id, path=path)


async def require_money(
    records: Records, project: Project, estimate: CostEstimate, *, cost_limit: Decimal | None, monthly_limit: Decimal | None
) -> None:
    """Raises BudgetExceeded, or UnpricedModel. From here on nobody else holds this money until the transaction ends."""
    if estimate.high is None:
        if not project.settings.allow_unpriced_models:
            raise UnpricedModel(estimate.model)
        return
    if cost_limit is not None and estimate.high > cost_limit:
        raise BudgetExceeded(cost_limit, estimate.high, LimitName.COST_LIMIT, path=("input", "costLimit"))
    for allowance in await records.spending.allowances(project.id, monthly_limit=monthly_limit):
        if estimate.high > allowance.left:
            raise BudgetExceeded(max(ZERO, allowance.left), estimate.high, allowance.name)


async def _started_before(context: RequestContext, records: Records, request: StartRequest) -> Job | None:
    """The job of an earlier request under the same key, if the viewer may still see it. Raises IdempotencyConflict."""
    if request.idempotency_key is None:
        return None
    remembered = await records.jobs.recall_key(request.idempotency_key, since=context.clock() - KEY_LIFETIME)
    if remembered is None:
        return None
    job_id, fingerprint = remembered
    job = (await records.jobs.get_many([job_id])).get(job_id)
    if job is not None and fingerprint != request.fingerprint:
        raise IdempotencyConflict(job_id)
    return job


async def _check_unfinished(records: Records) -> None:
    checks.at_most(await records.jobs.active_count() + 1, limit_name="unfinishedJobs", limit=checks.UNFINISHED_JOBS, path=("input",))


def _new_job(context: RequestContext, chapter: Chapter, request: StartRequest, preview: Preview, *, temperature: float) -> Job:
    receipt = preview.prompt.receipt
    return Job(
        id=context.ids(),
        project_id=chapter.project_id,
        chapter_id=chapter.id,
        kind=JobKind.CHAPTER,
        status=JobStatus.QUEUED,
        stage=JobStage.QUEUED,
        progress=0.0,
        started_by=context.viewer.id,
        attempt=0,
        request=GenerationRequest(
            instructions=request.prompt.instructions,
            include=request.prompt.include,
            exclude=request.prompt.exclude,
            model=receipt.model,
            token_budget=receipt.token_budget,
            temperature=temperature,
            base_version_id=chapter.current_version_id,
        ),
        rehearsal=receipt.model == REHEARSAL,
        cost_limit=request.cost_limit,
        estimate=preview.estimate,
        result_version_id=None,
        failure=None,
        last_sequence=0,
        created_at=context.clock(),
        started_at=None,
        finished_at=None,
        priority=request.priority,
    )
