"""Starting revisions: which findings of a version are to be seen to, and what that may cost."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final
from uuid import UUID

from domain.access import Role
from domain.assessing.assessment import Finding
from domain.assessing.judging.messages import assignment
from domain.assessing.revising.messages import revision_calls
from domain.assessing.revising.plan import RevisionPlan
from domain.assessing.revising.planning import plan_revision
from domain.chapters import Chapter, ChapterVersion
from domain.errors import InvalidInput, NotFound
from domain.jobs.job import Job, JobKind, RevisionRequest
from domain.ports import Records
from domain.projects import Project
from domain.prompting.loading import load_material
from domain.prompting.material import PromptMaterial
from domain.spending import LONG_DRAFT, CostEstimate, add_estimates, estimate_calls
from resolvers.access import find_chapter, find_version
from resolvers.assessments import VERSION, estimate_judging, text_of
from resolvers.context import RequestContext
from resolvers.models import judging_model, writing_model
from resolvers.starting import Start, Terms, start, started_before

FINDINGS: Final = ("input", "findingIds")

COMPARISONS: Final = 2
COMPARISON_RULES_TOKENS: Final = 1_000
"""Of one comparison of two texts, besides the texts and what the chapter was to be."""
COMPARISON_ANSWER_TOKENS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionStart:
    version_id: UUID
    finding_ids: tuple[UUID, ...]
    instructions: str
    terms: Terms

    @property
    def fingerprint(self) -> str:
        finding_ids = [str(each) for each in self.finding_ids]
        return self.terms.fingerprint(JobKind.REVISION.name, str(self.version_id), finding_ids, self.instructions)


async def start_chapter_revision(context: RequestContext, request: RevisionStart) -> Job:
    """The edits are planned before the transaction that starts the job; the job plans its own when it runs.

    Any version can be revised. Whether what comes out takes the place of the current one is for the worker to see.
    """
    async with context.reading() as records:
        version = await find_version(records, request.version_id, Role.EDITOR)
        if (started := await started_before(context, records, request.terms, request.fingerprint)) is not None:
            return started
        findings = await _chosen(records, version, request)
        text = await text_of(records, version)
        chapter = await find_chapter(records, version.chapter_id, Role.EDITOR, VERSION)
        loaded = await load_material(records, chapter, context.prompt_memory)
    settings = loaded.project.settings
    model, judge = writing_model(context, settings), judging_model(context, settings)
    chosen = [(finding.id, finding.issue) for finding in findings]

    def plan() -> CostEstimate:
        planned = plan_revision(text, chosen, request.instructions, language=loaded.project.language)
        return _estimate(context, planned, loaded.material(), model=model, judge=judge)

    estimate = await asyncio.to_thread(plan)

    def asked(project: Project, _: Chapter) -> RevisionRequest:
        return RevisionRequest(
            version_id=version.id,
            finding_ids=tuple(finding.id for finding in findings),
            instructions=request.instructions,
            model=model,
            assessor_model=judge,
            temperature=project.settings.temperature,
        )

    return await start(
        context,
        Start(
            kind=JobKind.REVISION,
            chapter=chapter,
            path=VERSION,
            terms=request.terms,
            fingerprint=request.fingerprint,
            estimate=estimate,
            request=asked,
        ),
    )


async def _chosen(records: Records, version: ChapterVersion, request: RevisionStart) -> Sequence[Finding]:
    """The findings in the order asked for, each once. Raises NotFound for one that is not of this version, InvalidInput for a dismissed one."""
    if not request.finding_ids and not request.instructions.strip():
        raise InvalidInput("Say what to revise: choose findings, or give instructions.", FINDINGS)
    found = await records.assessments.get_findings(request.finding_ids)
    assessments = await records.assessments.get_many([finding.assessment_id for finding in found.values()])
    chosen: dict[UUID, Finding] = {}
    for index, finding_id in enumerate(request.finding_ids):
        path = (*FINDINGS, str(index))
        finding = found.get(finding_id)
        assessment = None if finding is None else assessments.get(finding.assessment_id)
        if finding is None or assessment is None or assessment.version_id != version.id:
            raise NotFound(finding_id, path=path)
        if finding.dismissed:
            raise InvalidInput("This finding has been dismissed.", path)
        chosen[finding_id] = finding
    return tuple(chosen.values())


def _estimate(context: RequestContext, plan: RevisionPlan, material: PromptMaterial, *, model: str, judge: str) -> CostEstimate:
    """Of the calls that revise, of comparing both texts in both orders, and of assessing what comes out. CPU-bound.

    The calls that revise are planned and counted, and so are those of an assessment, of the text as it is now: a revision hardly changes
    its length. An answer of a call that revises is expected to have two thirds of what it may have at most. Each of the two comparisons
    is taken to show both texts whole: 2 x text + what the chapter was to be + 1,000 tokens, answered in 300. So the highest estimate is
    above what the calls will use, unless answers have to be asked for again.
    """
    calls = revision_calls(plan, material, count=lambda part: context.tokens.count(part, model=model))
    revising = estimate_calls(
        model,
        prompt_tokens=sum(context.tokens.count_messages(call.messages, model=model) for call in calls),
        completion_tokens=ceil(sum(call.max_tokens for call in calls) / LONG_DRAFT),
        cost=context.prices.cost,
    )
    compared = 2 * context.tokens.count(plan.text, model=judge) + context.tokens.count(assignment(material), model=judge)
    comparing = estimate_calls(
        judge,
        prompt_tokens=COMPARISONS * (compared + COMPARISON_RULES_TOKENS),
        completion_tokens=COMPARISONS * COMPARISON_ANSWER_TOKENS,
        cost=context.prices.cost,
    )
    return add_estimates(model, revising, comparing, estimate_judging(context, plan.text, material, model=judge))
