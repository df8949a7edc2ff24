"""How a chapter is written: context, draft, save. Each step is recorded; a run that begins again continues behind the last record.

Whatever ends a job early, text that has been written is kept as a PARTIAL version.
"""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from domain.access import Role
from domain.chapters import Chapter, ChapterStatus, NewVersion, VersionOrigin
from domain.errors import Forbidden, LimitExceeded, NotFound, PromptTooSmall, Refusal
from domain.jobs.drafting import SHARE_BEFORE, Drafting
from domain.jobs.events import Progressed, StepFinished
from domain.jobs.job import CallsLost, Ending, GenerationRequest, Job, JobFailure, JobStage, JobStatus
from domain.jobs.model_calls import ModelCalls
from domain.jobs.ports import JobDesk
from domain.jobs.run import Interrupted, JobRun, OutOfFunds, StopReason
from domain.llm.failures import ModelFailure, ModelMisconfigured
from domain.ports import Clock, Ids, Library, Records, Tokens
from domain.prompting.index.saved_text import NewText
from domain.prompting.lengths import words_wanted
from domain.prompting.loading import load_material
from domain.prompting.material import PromptWish
from domain.prompting.memory import PromptMemory
from domain.prompting.optimizer import build_prompt
from domain.prompting.receipts import Prompt
from domain.spending import Usage
from domain.writing.words import count_words

MAXIMUM_STUMBLES = 10
CALLS_LOST = (
    "Twice the same call to the model was lost with the process that had made it, and both may have been billed. "
    "Before a third is made, somebody should look: retry the job to go on behind what is recorded."
)
WRONG_MODEL = "Since this job was started, the server has changed between rehearsing and a real model. Start it anew."
REFUSAL_CODES: dict[type[Refusal], str] = {
    PromptTooSmall: "PROMPT_TOO_SMALL",
    NotFound: "NOT_FOUND",
    Forbidden: "FORBIDDEN",
    LimitExceeded: "TOO_MANY_ATTEMPTS",
}


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a run needs to know of its job once the prompt is there."""

    job: Job
    chapter: Chapter
    target_words: int
    receipt_id: UUID
    prompt: Prompt
    shown: str


class ChapterGeneration:
    def __init__(
        self,
        *,
        library: Library,
        desk: JobDesk,
        calls: ModelCalls,
        tokens: Tokens,
        memory: PromptMemory,
        clock: Clock,
        ids: Ids,
        rehearsal: bool,
    ) -> None:
        self._library = library
        self._desk = desk
        self._calls = calls
        self._tokens = tokens
        self._memory = memory
        self._clock = clock
        self._ids = ids
        self._rehearsal = rehearsal

    async def __call__(self, run: JobRun) -> None:
        """Carry the job to its end. Raises LeaseLost when it is somebody else's by now."""
        try:
            await self._write(run)
        except Interrupted as stop:
            await run.log.flush()
            if stop.reason is StopReason.CANCELLED:
                await self._end_early(run, JobStatus.CANCELLED)
            else:
                await self._desk.release(run.claim)
        except OutOfFunds as stop:
            await run.log.flush()
            if not await self._desk.wait(run.claim, stop.waiting):
                await self._end_early(run, JobStatus.CANCELLED)
        except (ModelFailure, CallsLost, Refusal) as failure:
            await self._end_early(run, JobStatus.FAILED, failure=_explain(failure))

    async def _write(self, run: JobRun) -> None:
        run.checkpoint()
        if run.claim.stumbles > MAXIMUM_STUMBLES:
            raise LimitExceeded(
                limit_name="jobStumbles", limit=MAXIMUM_STUMBLES, message="Too many workers have vanished while they ran this job."
            )
        assignment = await self._context(run)
        text = await self._drafting(run, assignment).write()
        run.checkpoint()
        await self._save(run, assignment, text)

    async def _context(self, run: JobRun) -> Assignment:
        """Build the prompt, or take the one an earlier attempt has built, so that what was begun is what is continued."""
        began = self._clock()
        async with self._library.reading(run.claim.user_id) as records:
            job, chapter = await _load(records, run)
            if job.rehearsal != self._rehearsal:
                raise ModelMisconfigured(WRONG_MODEL)
            loaded = await load_material(records, chapter, self._memory)
            built = None if run.claim.attempt == 1 else await records.jobs.prompt_of(job.id)
            shown = "" if run.claim.attempt == 1 else (await records.jobs.texts([job.id]))[job.id][0]
        material = await asyncio.to_thread(loaded.material)
        target_words = words_wanted(material)
        if built is not None:
            run.log.emit(self._drafting_begins(run))
            return Assignment(job, chapter, target_words, *built, shown)
        prompt = await asyncio.to_thread(build_prompt, material, _wish(job.request), tokens=self._tokens)
        receipt_id, at = self._ids(), self._clock()
        async with self._library.writing(run.claim.user_id) as records:
            await records.jobs.add_prompt(prompt, receipt_id=receipt_id, job_id=job.id, chapter_id=chapter.id, at=at)
            if chapter.status is ChapterStatus.PLANNED:
                await records.chapters.update(chapter.id, {"status": ChapterStatus.DRAFTING})
            chosen = run.progressed(JobStage.CONTEXT, SHARE_BEFORE, f"{prompt.receipt.tokens_used:,} tokens of context chosen.")
            events = (chosen, StepFinished("context", Usage()), self._drafting_begins(run))
            await records.jobs.complete_step(run.claim, "context", started_at=began, at=at, events=events)
        return Assignment(job, chapter, target_words, receipt_id, prompt, shown)

    def _drafting_begins(self, run: JobRun) -> Progressed:
        waiting = "Rehearsing: no language model is called." if self._rehearsal else "Waiting for the model's first words."
        return run.progressed(JobStage.DRAFTING, SHARE_BEFORE, waiting)

    def _drafting(self, run: JobRun, assignment: Assignment) -> Drafting:
        return Drafting(
            desk=self._desk,
            calls=self._calls,
            run=run,
            prompt=assignment.prompt,
            request=assignment.job.request,
            target_words=assignment.target_words,
            shown=assignment.shown,
        )

    async def _save(self, run: JobRun, assignment: Assignment, text: str) -> None:
        """The version and the job's end commit together. A text the author saved meanwhile stays the current one."""
        began = self._clock()
        run.progress(JobStage.SETTLING, 0.97, "Saving the chapter.")
        await run.log.flush()
        saved = await asyncio.to_thread(NewText.of, text)
        version = self._version(assignment.job, saved, VersionOrigin.DRAFT, receipt_id=assignment.receipt_id)
        async with self._library.writing(run.claim.user_id) as records:
            job, _ = await _load(records, run)
            chapter = await records.chapters.lock(assignment.chapter.id)
            is_untouched = chapter is not None and chapter.current_version_id == job.request.base_version_id
            await records.versions.add(version, make_current=is_untouched)
            at = self._clock()
            progress = run.progressed(JobStage.DONE, 1.0, f"{version.word_count:,} words saved.")
            await records.jobs.complete_step(run.claim, "save", started_at=began, at=at, events=(StepFinished("save", Usage()), progress))
            await records.jobs.finish(run.claim, Ending(status=JobStatus.SUCCEEDED, at=at, result_version_id=version.id))

    async def _end_early(self, run: JobRun, status: JobStatus, *, failure: JobFailure | None = None) -> None:
        """Keep what has been written, if anything has, and end the job."""
        await run.log.flush()
        await self._desk.write_off(run.claim, at=self._clock())
        results = await self._desk.results(run.claim)
        text = "".join(result.text for result in results.values())
        partial = await asyncio.to_thread(NewText.of, text) if text.strip() else None
        try:
            async with self._library.writing(run.claim.user_id) as records:
                job, chapter = await _load(records, run)
                version_id = await self._keep_partial(records, job, partial) if partial else None
                if chapter.status is ChapterStatus.DRAFTING:
                    await records.chapters.update(chapter.id, {"status": ChapterStatus.PLANNED})
                await records.jobs.finish(run.claim, Ending(status=status, at=self._clock(), failure=failure, result_version_id=version_id))
        except Refusal:  # the author may no longer write here; the job ends all the same, its text stays in its recorded steps
            await self._desk.finish(run.claim, Ending(status=status, at=self._clock(), failure=failure))

    async def _keep_partial(self, records: Records, job: Job, text: NewText) -> UUID:
        built = await records.jobs.prompt_of(job.id)
        version = self._version(job, text, VersionOrigin.PARTIAL, receipt_id=built[0] if built else None)
        await records.versions.add(version, make_current=False)
        return version.id

    def _version(self, job: Job, text: NewText, origin: VersionOrigin, *, receipt_id: UUID | None) -> NewVersion:
        assert job.chapter_id is not None
        return NewVersion(
            id=self._ids(),
            chapter_id=job.chapter_id,
            text=text,
            word_count=count_words(text.text),
            token_count=self._tokens.count(text.text, model=job.request.model),
            origin=origin,
            created_at=self._clock(),
            rehearsal=job.rehearsal,
            job_id=job.id,
            parent_id=job.request.base_version_id,
            receipt_id=receipt_id,
        )


async def _load(records: Records, run: JobRun) -> tuple[Job, Chapter]:
    """The job and its chapter, as somebody who may still write in the project. Raises NotFound or Forbidden otherwise."""
    job = (await records.jobs.get_many([run.claim.job_id])).get(run.claim.job_id)
    if job is None or job.chapter_id is None:
        raise NotFound(run.claim.job_id)
    chapter = (await records.chapters.get_many([job.chapter_id])).get(job.chapter_id)
    role = (await records.projects.roles([job.project_id])).get(job.project_id)
    if chapter is None or role is None:
        raise NotFound(job.chapter_id)
    if not role.includes(Role.EDITOR):
        raise Forbidden(Role.EDITOR)
    return job, chapter


def _wish(request: GenerationRequest) -> PromptWish:
    return PromptWish(
        model=request.model,
        token_budget=request.token_budget,
        instructions=request.instructions,
        include=request.include,
        exclude=request.exclude,
    )


def _explain(failure: ModelFailure | CallsLost | Refusal) -> JobFailure:
    if isinstance(failure, CallsLost):
        return JobFailure(code="CALLS_LOST", message=CALLS_LOST, retryable=True)
    if isinstance(failure, ModelFailure):
        return JobFailure(code=failure.code, message=str(failure), retryable=failure.retryable)
    return JobFailure(code=REFUSAL_CODES.get(type(failure), "REFUSED"), message=failure.message, retryable=False)
