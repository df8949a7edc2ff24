"""Jobs that revise a version: what an author has chosen of its findings, and what they ask for beside them."""

from dataclasses import dataclass
from uuid import UUID

from domain.assessing.assessment import FoundIssue
from domain.assessing.keeping import Surroundings
from domain.assessing.revising.plan import ChosenFinding
from domain.errors import NotFound, Refusal
from domain.jobs.assessing import Assessor, Subject, subject_of, text_of
from domain.jobs.job import Ending, Job, JobFailure, JobStage, JobStatus, RevisionRequest
from domain.jobs.means import Means
from domain.jobs.questions import Questions
from domain.jobs.revising import Order, Reviser, make_current, revisions_of
from domain.jobs.run import JobRun
from domain.jobs.showing import show
from domain.ports import Records

BEGUN_AT, REVISED_AT = 0.05, 0.95
KEPT_BESIDE = "The revision is kept as a version, and the text before it stays the current one. "
NOT_CURRENT = "The revision is kept as a version of its own: another text is the chapter's current one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What a run needs to know of its job."""

    job: Job
    request: RevisionRequest
    subject: Subject
    surroundings: Surroundings
    chosen: tuple[ChosenFinding, ...]
    known: tuple[FoundIssue, ...] | None
    shown: str


class RevisionWork:
    def __init__(self, means: Means) -> None:
        self._means = means

    async def carry_out(self, run: JobRun) -> None:
        work = await self._context(run)
        request = work.request
        questions = Questions(self._means, run)
        assessor = Assessor(self._means, run, questions, judge=request.assessor_model)
        reviser = Reviser(
            self._means,
            run,
            questions,
            assessor,
            writer=request.model,
            judge=request.assessor_model,
            temperature=request.temperature,
        )
        order = Order(number=1, chosen=work.chosen, instructions=request.instructions, known=work.known, begin=BEGUN_AT, end=REVISED_AT)
        revision = await reviser.revise(
            work.subject, work.surroundings, order, on_saved=lambda new: show(run, order.name, new.text, shown=work.shown)
        )
        run.checkpoint()
        await self._means.settle(run)
        run.progress(JobStage.SETTLING, REVISED_AT, "Keeping the revision.")
        await run.log.flush()
        async with self._means.library.writing(run.claim.user_id) as records:
            await self._means.hold(records, run)
            at, remark = self._means.clock(), None
            if not revision.kept:
                remark = KEPT_BESIDE + " ".join(revision.reasons)
            elif not await make_current(records, revision.subject.version_id, in_place_of=request.version_id, at=at):
                remark = NOT_CURRENT
            ending = Ending(status=JobStatus.SUCCEEDED, at=at, result_version_id=revision.subject.version_id, remark=remark)
            await records.jobs.finish(run.claim, ending)

    async def end_early(self, run: JobRun, status: JobStatus, failure: JobFailure | None) -> None:
        """A revision that is saved already stays a version of its chapter, and does not become the current one."""
        ending = Ending(status=status, at=self._means.clock(), failure=failure)
        try:
            async with self._means.library.writing(run.claim.user_id) as records:
                job, _ = await self._means.hold(records, run)
                saved = await revisions_of(records, job.id)
                result = saved[-1].id if saved else None
                await records.jobs.finish(run.claim, Ending(status=status, at=ending.at, failure=failure, result_version_id=result))
        except Refusal:  # the author may no longer write here; the job ends all the same
            await self._means.desk.finish(run.claim, ending)

    async def _context(self, run: JobRun) -> Assignment:
        async with self._means.library.reading(run.claim.user_id) as records:
            job, chapter = await self._means.find(records, run)
            self._means.require_same_model(job)
            assert isinstance(job.request, RevisionRequest)
            request = job.request
            text = await text_of(records, request.version_id)
            chosen = await _chosen(records, request)
            known = await _known(records, request.version_id)
            surroundings = await Surroundings.of(records, chapter, self._means.memory)
            shown = "" if run.claim.attempt == 1 else (await records.jobs.texts([job.id]))[job.id][0]
        subject = await subject_of(job, request.version_id, text, surroundings)
        return Assignment(job=job, request=request, subject=subject, surroundings=surroundings, chosen=chosen, known=known, shown=shown)


async def _chosen(records: Records, request: RevisionRequest) -> tuple[ChosenFinding, ...]:
    found = await records.assessments.get_findings(request.finding_ids)
    if missing := [each for each in request.finding_ids if each not in found]:
        raise NotFound(missing[0])
    return tuple((each, found[each].issue) for each in request.finding_ids)


async def _known(records: Records, version_id: UUID) -> tuple[FoundIssue, ...] | None:
    """What was found in the version when it was assessed last; None if no judge has read it."""
    latest = (await records.assessments.of_versions([version_id])).get(version_id)
    if latest is None or latest.judge is None:
        return None
    return tuple(each.issue for each in (await records.assessments.findings([latest.id])).get(latest.id, ()))
