"""Assessing a draft and revising it, for as long as it is below its project's target and there are revisions and money left.

None of this may cost the draft: it is saved already. A judge that cannot be had, a limit on spending or a revision that makes nothing
better end the polishing, and the job says so; what is left over stays in the findings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.assessing.assessment import Assessment, Finding, FindingSeverity
from domain.assessing.keeping import Surroundings
from domain.assessing.revising.choosing import worth_revising
from domain.jobs.assessing import Assessor, subject_of
from domain.jobs.job import CallsLost, GenerationRequest, Job
from domain.jobs.means import Means
from domain.jobs.questions import Questions
from domain.jobs.revising import Order, Reviser, Revision, make_current, revisions_of
from domain.jobs.run import JobRun, OutOfFunds
from domain.jobs.showing import show
from domain.llm.failures import ModelFailure
from domain.spending import LimitName

ASSESSED_SHARE = 0.25
UNPRICED = (
    "The draft is saved. It was not assessed: nobody knows what the model that judges costs, and the project has not consented to that."
)
EXCEEDED: Mapping[LimitName, str] = {
    LimitName.COST_LIMIT: "To assess or revise it further would cost more than the job may.",
    LimitName.BUDGET_LIMIT: "To assess or revise it further would exceed the project's budget.",
    LimitName.MONTHLY_LIMIT: "To assess or revise it further would exceed what you may spend this month.",
}
"""In other words than those of a job that waits: this one has ended, and does not go on when a limit is raised."""
BESIDE = "A revision is kept as a version of its own. "


@dataclass(frozen=True, slots=True)
class Polished:
    """The version that the job comes to, and what should be known of it."""

    version_id: UUID
    remark: str | None = None


class Polishing:
    def __init__(self, means: Means, run: JobRun, job: Job, request: GenerationRequest, surroundings: Surroundings) -> None:
        self._means = means
        self._run = run
        self._job = job
        self._request = request
        self._best = UUID(int=0)
        self._surroundings = surroundings
        self._questions = Questions(means, run)
        self._assessor = Assessor(means, run, self._questions, judge=request.assessor_model)
        self._reviser = Reviser(
            means,
            run,
            self._questions,
            self._assessor,
            writer=request.model,
            judge=request.assessor_model,
            temperature=request.temperature,
        )

    async def polish(self, version_id: UUID, text: str, *, begin: float, end: float) -> Polished:
        """`begin` and `end` are the job's progress around all of it. Raises Interrupted and LeaseLost."""
        self._best = version_id
        consented = self._surroundings.loaded.project.settings.allow_unpriced_models
        if not consented and not self._means.calls.has_price(self._request.assessor_model):
            return Polished(version_id, UNPRICED)
        try:
            remark = await self._polish(text, begin=begin, end=end)
        except OutOfFunds as stop:
            remark = f"The draft is saved. {EXCEEDED[LimitName(stop.waiting.limit_name)]}"
        except ModelFailure as failure:
            remark = f"The draft is saved. It could not be assessed or revised further. {failure}"
        except CallsLost:
            remark = "The draft is saved. It was not assessed or revised further: twice the same call was lost with its worker."
        return Polished(self._best, remark)

    async def _polish(self, text: str, *, begin: float, end: float) -> str | None:
        subject = await subject_of(self._job, self._best, text, self._surroundings)
        assessed = begin + ASSESSED_SHARE * (end - begin)
        assessment, findings = await self._assessor.assess(subject, name="assess/1", begin=begin, end=assessed)
        share = (end - assessed) / self._request.max_revisions
        for number in range(1, self._request.max_revisions + 1):
            chosen = worth_revising(findings)
            if not chosen or self._is_good_enough(assessment, findings):
                return None
            order = Order(
                number=number,
                chosen=[(finding.id, finding.issue) for finding in chosen],
                instructions="",
                known=[finding.issue for finding in findings],
                begin=assessed + share * (number - 1),
                end=assessed + share * number,
            )
            revision = await self._reviser.revise(subject, self._surroundings, order)
            if not revision.kept:
                return BESIDE + " ".join(revision.reasons)
            if not await self._take(revision):
                return BESIDE + "Another text has become the chapter's current one."
            show(self._run, order.name, revision.subject.text, shown=subject.text)
            self._best, subject = revision.subject.version_id, revision.subject
            assessment, findings = await self._assessor.assess(subject, name=order.assessment, begin=order.end, end=order.end)
        return None

    def _is_good_enough(self, assessment: Assessment, findings: Sequence[Finding]) -> bool:
        blocking = any(finding.issue.severity is FindingSeverity.BLOCKING for finding in findings)
        return assessment.score >= self._request.quality_target and not blocking

    async def _take(self, revision: Revision) -> bool:
        """Whether it is the chapter's text by now, or was until a later revision of this job took its place: an earlier worker had come
        further.
        """
        version_id = revision.subject.version_id
        async with self._means.library.writing(self._run.claim.user_id) as records:
            await self._means.hold(records, self._run)
            if await make_current(records, version_id, in_place_of=self._best, at=self._means.clock()):
                return True
            _, chapter = await self._means.find(records, self._run)
            saved = [version.id for version in await revisions_of(records, self._job.id)]
            return chapter.current_version_id in saved[saved.index(version_id) :]
