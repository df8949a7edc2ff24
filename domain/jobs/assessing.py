"""Assessing a version: measured at once, then read by a judge, one concern after the other."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from domain.assessing.assessment import Assessment, Finding, FoundIssue, Measurement
from domain.assessing.judging.answer import Broken, Judgement, read_answer, repair_call
from domain.assessing.judging.plan import JudgementCall, JudgingPlan, judgements
from domain.assessing.judging.verdict import combine
from domain.assessing.keeping import Surroundings, keep_assessment, keep_measurement
from domain.errors import NotFound, Refusal
from domain.jobs.events import StepFinished
from domain.jobs.job import AssessmentRequest, Ending, Job, JobFailure, JobStage, JobStatus
from domain.jobs.means import Means
from domain.jobs.questions import Questions
from domain.jobs.run import JobRun
from domain.llm.failures import ModelFailure
from domain.ports import Records
from domain.prompting.material import PromptMaterial
from domain.spending import Usage

MEASURED_AT: Final = 0.1
JUDGED_AT: Final = 0.95


class NotMeasured(ModelFailure):
    """The metrics of this text cannot be taken: that is for whoever runs the server to look into."""

    code = "MEASURING_FAILED"
    retryable = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A version's text, what it was measured to be, and what it is judged against."""

    job: Job
    version_id: UUID
    text: str
    measurement: Measurement
    material: PromptMaterial

    def of(self, version_id: UUID, text: str, measurement: Measurement) -> "Subject":
        """Another version of the same chapter."""
        return replace(self, version_id=version_id, text=text, measurement=measurement)


class Assessor:
    """Within one run. What is assessed once is not assessed again, whatever happens to the worker."""

    def __init__(self, means: Means, run: JobRun, questions: Questions, *, judge: str) -> None:
        self._means = means
        self._run = run
        self._questions = questions
        self._judge = judge

    async def assess(self, subject: Subject, *, name: str, begin: float, end: float) -> tuple[Assessment, Sequence[Finding]]:
        """As it is kept, with its findings. `name` begins its steps' names; `begin` and `end` are the job's progress around it."""
        if (known := await self._known(subject)) is not None:
            return known
        self._questions.progress(JobStage.ASSESSING, begin, "Reading the chapter as a judge.")
        plan = await asyncio.to_thread(
            judgements, subject.text, subject.material, model=self._judge, tokens=self._means.tokens, version_id=subject.version_id
        )
        given: list[Judgement] = []
        for number, call in enumerate(plan.calls):
            given.append(await self._ask(f"{name}/{call.name}", call, plan))
            share = begin + (end - begin) * (number + 1) / len(plan.calls)
            self._questions.progress(JobStage.ASSESSING, share, f"{number + 1} of {len(plan.calls)} readings done.")
        verdict = combine(given, subject.measurement)
        assessment = Assessment(
            id=self._means.ids(),
            project_id=subject.job.project_id,
            chapter_id=subject.material.chapter.id,
            version_id=subject.version_id,
            job_id=subject.job.id,
            score=verdict.score,
            score_low=verdict.low,
            score_high=verdict.high,
            dimensions=verdict.dimensions,
            metrics=subject.measurement.metrics,
            notes=(*subject.measurement.notes, *_notes(given)),
            judge=self._judge,
            rubric=plan.version,
            rehearsal=subject.job.rehearsal,
            usage=await self._questions.usage_of(f"{name}/"),
            created_at=self._means.clock(),
        )
        await self._keep(assessment, verdict.findings, name)
        known = await self._known(subject)
        if known is None:
            raise NotFound(subject.version_id)
        return known

    async def _ask(self, step: str, call: JudgementCall, plan: JudgingPlan) -> Judgement:
        return await self._questions.ask(
            step,
            call.request,
            read=lambda answer: read_answer(call, answer, plan),
            broken=Broken,
            repair=lambda answer, broken: repair_call(call, answer, broken),
        )

    async def _keep(self, assessment: Assessment, issues: Sequence[FoundIssue], name: str) -> None:
        async with self._means.library.writing(self._run.claim.user_id) as records:
            await self._means.hold(records, self._run)
            await keep_assessment(records, assessment, issues, ids=self._means.ids)
            at = assessment.created_at
            await records.jobs.complete_step(self._run.claim, name, started_at=at, at=at, events=(StepFinished(name, Usage()),))

    async def _known(self, subject: Subject) -> tuple[Assessment, Sequence[Finding]] | None:
        """What this job has said of the version already."""
        async with self._means.library.reading(self._run.claim.user_id) as records:
            made = await records.assessments.of_job(subject.job.id)
            for each in made:
                if each.version_id == subject.version_id and each.judge is not None:
                    return each, (await records.assessments.findings([each.id])).get(each.id, ())
        return None


class AssessmentWork:
    """Jobs that assess a version and change no text."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def carry_out(self, run: JobRun) -> None:
        job, subject = await self._context(run)
        request = job.request
        assert isinstance(request, AssessmentRequest)
        run.progress(JobStage.CHECKING, MEASURED_AT, f"{len(subject.measurement.metrics)} metrics taken.")
        if request.metrics_only:
            await self._finish(run, subject, Ending(status=JobStatus.SUCCEEDED, at=self._means.clock()))
            return
        self._means.require_same_model(job)
        assessor = Assessor(self._means, run, Questions(self._means, run), judge=request.model)
        assessment, _ = await assessor.assess(subject, name="assess", begin=MEASURED_AT, end=JUDGED_AT)
        run.checkpoint()
        await self._means.settle(run)
        await run.log.flush()
        ending = Ending(status=JobStatus.SUCCEEDED, at=self._means.clock(), result_assessment_id=assessment.id)
        async with self._means.library.writing(run.claim.user_id) as records:
            await records.jobs.finish(run.claim, ending)

    async def end_early(self, run: JobRun, status: JobStatus, failure: JobFailure | None) -> None:
        """What was measured is kept whatever the model does."""
        ending = Ending(status=status, at=self._means.clock(), failure=failure)
        if status is not JobStatus.FAILED:
            await self._means.desk.finish(run.claim, ending)
            return
        try:
            _, subject = await self._context(run)
            await self._finish(run, subject, ending)
        except (NotMeasured, Refusal):
            await self._means.desk.finish(run.claim, ending)

    async def _finish(self, run: JobRun, subject: Subject, ending: Ending) -> None:
        """With an assessment by the metrics alone."""
        await run.log.flush()
        async with self._means.library.writing(run.claim.user_id) as records:
            await self._means.hold(records, run)
            (version,) = (await records.versions.get_many([subject.version_id])).values()
            kept = await keep_measurement(records, version, subject.measurement, ids=self._means.ids, at=ending.at, job_id=run.claim.job_id)
            await records.jobs.finish(run.claim, replace(ending, result_assessment_id=kept))

    async def _context(self, run: JobRun) -> tuple[Job, Subject]:
        async with self._means.library.reading(run.claim.user_id) as records:
            job, chapter = await self._means.find(records, run)
            assert isinstance(job.request, AssessmentRequest)
            text = await text_of(records, job.request.version_id)
            surroundings = await Surroundings.of(records, chapter, self._means.memory)
        return job, await subject_of(job, job.request.version_id, text, surroundings)


async def text_of(records: Records, version_id: UUID) -> str:
    """Raises NotFound."""
    text = (await records.versions.texts([version_id])).get(version_id)
    if text is None:
        raise NotFound(version_id)
    return text


async def subject_of(job: Job, version_id: UUID, text: str, surroundings: Surroundings) -> Subject:
    """Raises NotMeasured."""
    measurement = await surroundings.measure(text)
    if measurement is None:
        raise NotMeasured("This text could not be measured. The server's log says why.")
    material = await asyncio.to_thread(surroundings.loaded.material)
    return Subject(job=job, version_id=version_id, text=text, measurement=measurement, material=material)


def _notes(given: Sequence[Judgement]) -> tuple[str, ...]:
    """How much of what the judge said was not believed."""
    rejected = sum(each.rejected.misquoted + each.rejected.unsupported + each.rejected.malformed for each in given)
    if not rejected:
        return ()
    return (f"{rejected} of the judge's findings were left out: they quote what is not there, or are not well-formed.",)
