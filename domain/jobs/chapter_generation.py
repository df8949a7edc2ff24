"""How a chapter is written: context, draft, save; then it is assessed and revised as often as its project wants. Each step is recorded; a
run that begins again continues behind the last record.

Whatever ends a job before its draft is whole, text that has been written is kept as a PARTIAL version. A draft that is whole is saved
before anybody judges it.
"""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from domain.assessing.keeping import Surroundings, keep_measurement
from domain.chapters import Chapter, ChapterStatus, VersionOrigin
from domain.errors import Refusal
from domain.jobs.drafting import SHARE_BEFORE, Drafting
from domain.jobs.events import Progressed, StepFinished
from domain.jobs.job import Ending, GenerationRequest, Job, JobFailure, JobStage, JobStatus
from domain.jobs.means import Means
from domain.jobs.polishing import Polishing
from domain.jobs.run import JobRun
from domain.ports import Records
from domain.prompting.lengths import words_wanted
from domain.prompting.material import PromptWish
from domain.prompting.optimizer import build_prompt
from domain.prompting.receipts import Prompt
from domain.spending import Usage

SAVED_AT = 0.97
DRAFTED_AT, WRITTEN_AT = 0.55, 0.95
"""The progress of a job whose draft is whole, with and without revisions to come."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a run needs to know of its job once the prompt is there."""

    job: Job
    request: GenerationRequest
    chapter: Chapter
    surroundings: Surroundings
    target_words: int
    receipt_id: UUID
    prompt: Prompt
    shown: str

    @property
    def polished(self) -> bool:
        return self.request.max_revisions > 0


class ChapterGeneration:
    def __init__(self, means: Means) -> None:
        self._means = means

    async def carry_out(self, run: JobRun) -> None:
        assignment = await self._context(run)
        text = await self._drafting(run, assignment).write()
        run.checkpoint()
        if not assignment.polished:
            await self._save(run, assignment, text)
            return
        version_id = await self._draft_saved_before(run) or await self._save(run, assignment, text)
        polishing = Polishing(self._means, run, assignment.job, assignment.request, assignment.surroundings)
        polished = await polishing.polish(version_id, text, begin=DRAFTED_AT, end=SAVED_AT)
        run.checkpoint()
        await self._means.settle(run)
        await run.log.flush()
        async with self._means.library.writing(run.claim.user_id) as records:
            await self._means.hold(records, run)
            ending = Ending(
                status=JobStatus.SUCCEEDED, at=self._means.clock(), result_version_id=polished.version_id, remark=polished.remark
            )
            await records.jobs.finish(run.claim, ending)

    async def _context(self, run: JobRun) -> Assignment:
        """Build the prompt, or take the one an earlier attempt has built, so that what was begun is what is continued."""
        means = self._means
        began = means.clock()
        async with means.library.reading(run.claim.user_id) as records:
            job, chapter = await means.find(records, run)
            means.require_same_model(job)
            request = job.request
            assert isinstance(request, GenerationRequest)
            surroundings = await Surroundings.of(records, chapter, means.memory)
            built = None if run.claim.attempt == 1 else await records.jobs.prompt_of(job.id)
            shown = "" if run.claim.attempt == 1 else (await records.jobs.texts([job.id]))[job.id][0]
        material = await asyncio.to_thread(surroundings.loaded.material)
        target_words = words_wanted(material)
        if built is not None:
            run.log.emit(self._drafting_begins(run))
            return Assignment(job, request, chapter, surroundings, target_words, *built, shown)
        prompt = await asyncio.to_thread(build_prompt, material, _wish(request), tokens=means.tokens)
        receipt_id, at = means.ids(), means.clock()
        async with means.library.writing(run.claim.user_id) as records:
            chosen = run.progressed(JobStage.CONTEXT, SHARE_BEFORE, f"{prompt.receipt.tokens_used:,} tokens of context chosen.")
            events = (chosen, StepFinished("context", Usage()), self._drafting_begins(run))
            # The job first, as who deletes its project has it.
            await records.jobs.complete_step(run.claim, "context", started_at=began, at=at, events=events)
            await records.jobs.add_prompt(prompt, receipt_id=receipt_id, job_id=job.id, chapter_id=chapter.id, at=at)
            if chapter.status is ChapterStatus.PLANNED:
                await records.chapters.update(chapter.id, {"status": ChapterStatus.DRAFTING})
        return Assignment(job, request, chapter, surroundings, target_words, receipt_id, prompt, shown)

    def _drafting_begins(self, run: JobRun) -> Progressed:
        waiting = "Rehearsing: no language model is called." if self._means.rehearsal else "Waiting for the model's first words."
        return run.progressed(JobStage.DRAFTING, SHARE_BEFORE, waiting)

    def _drafting(self, run: JobRun, assignment: Assignment) -> Drafting:
        return Drafting(
            desk=self._means.desk,
            calls=self._means.calls,
            run=run,
            prompt=assignment.prompt,
            request=assignment.request,
            target_words=assignment.target_words,
            shown=assignment.shown,
            written_at=DRAFTED_AT if assignment.polished else WRITTEN_AT,
        )

    async def _save(self, run: JobRun, assignment: Assignment, text: str) -> UUID:
        """The version, its metrics and, where nothing is to follow, the job's end commit together.

        A text the author saved meanwhile stays the current one.
        """
        means, began = self._means, self._means.clock()
        run.progress(JobStage.SETTLING, DRAFTED_AT if assignment.polished else SAVED_AT, "Saving the chapter.")
        await run.log.flush()
        version = await means.version(
            assignment.job, text, VersionOrigin.DRAFT, parent_id=assignment.request.base_version_id, receipt_id=assignment.receipt_id
        )
        measurement = await assignment.surroundings.measure(text)
        async with means.library.writing(run.claim.user_id) as records:
            _, chapter = await means.hold(records, run)
            is_untouched = chapter.current_version_id == assignment.request.base_version_id
            added = await records.versions.add(version, make_current=is_untouched)
            at = means.clock()
            await keep_measurement(records, added, measurement, ids=means.ids, at=at, job_id=run.claim.job_id)
            progress = self._saved(run, assignment, words=version.word_count)
            await records.jobs.complete_step(run.claim, "save", started_at=began, at=at, events=(StepFinished("save", Usage()), progress))
            if not assignment.polished:
                await records.jobs.finish(run.claim, Ending(status=JobStatus.SUCCEEDED, at=at, result_version_id=version.id))
        return version.id

    def _saved(self, run: JobRun, assignment: Assignment, *, words: int) -> Progressed:
        if assignment.polished:
            return run.progressed(JobStage.CHECKING, DRAFTED_AT, f"{words:,} words saved.")
        return run.progressed(JobStage.DONE, 1.0, f"{words:,} words saved.")

    async def _draft_saved_before(self, run: JobRun) -> UUID | None:
        """By an earlier worker, which had come further than the draft."""
        if run.claim.attempt == 1:
            return None
        async with self._means.library.reading(run.claim.user_id) as records:
            return await _saved_draft(records, run.claim.job_id)

    async def end_early(self, run: JobRun, status: JobStatus, failure: JobFailure | None) -> None:
        """Keep what has been written, if anything has: as a PARTIAL version, unless the draft is saved already."""
        means = self._means
        results = await means.desk.results(run.claim)
        text = "".join(result.text for step, result in results.items() if step.startswith("draft/"))
        try:
            async with means.library.reading(run.claim.user_id) as records:
                job, chapter = await means.find(records, run)
                built = await records.jobs.prompt_of(job.id)
                saved = await _saved(records, job.id, chapter)
                begun = bool(text.strip()) and saved is None
                surroundings = await Surroundings.of(records, chapter, means.memory) if begun else None
            receipt_id = built[0] if built else None
            assert isinstance(job.request, GenerationRequest)
            partial = measurement = None
            if surroundings is not None:
                parent_id = job.request.base_version_id
                partial = await means.version(job, text, VersionOrigin.PARTIAL, parent_id=parent_id, receipt_id=receipt_id)
                measurement = await surroundings.measure(text)
            async with means.library.writing(run.claim.user_id) as records:
                _, chapter = await means.hold(records, run)
                if partial is not None:
                    added = await records.versions.add(partial, make_current=False)
                    await keep_measurement(records, added, measurement, ids=means.ids, at=means.clock(), job_id=run.claim.job_id)
                if chapter.status is ChapterStatus.DRAFTING:
                    await records.chapters.update(chapter.id, {"status": ChapterStatus.PLANNED})
                result = partial.id if partial else saved
                await records.jobs.finish(run.claim, Ending(status=status, at=means.clock(), failure=failure, result_version_id=result))
        except Refusal:  # the author may no longer write here; the job ends all the same, its text stays in its recorded steps
            await means.desk.finish(run.claim, Ending(status=status, at=means.clock(), failure=failure))


async def _saved_draft(records: Records, job_id: UUID) -> UUID | None:
    drafts = (version.id for version in await records.versions.of_job(job_id) if version.origin is VersionOrigin.DRAFT)
    return next(drafts, None)


async def _saved(records: Records, job_id: UUID, chapter: Chapter) -> UUID | None:
    """What the job has come to: the revision that is the chapter's text by now, else the draft."""
    made = [version.id for version in await records.versions.of_job(job_id)]
    return chapter.current_version_id if chapter.current_version_id in made else await _saved_draft(records, job_id)


def _wish(request: GenerationRequest) -> PromptWish:
    return PromptWish(
        model=request.model,
        token_budget=request.token_budget,
        instructions=request.instructions,
        include=request.include,
        exclude=request.exclude,
    )
