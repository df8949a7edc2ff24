"""Revising a version by patches, and finding out whether the result may take its place.

The result is saved before anything is said about it: it has been paid for. What costs nothing is looked at first, so that no judge is
asked about a text that is not kept anyway.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.assessing.assessment import FoundIssue
from domain.assessing.judging.answer import Broken
from domain.assessing.judging.pairwise import Choice, ComparisonCall, comparison_calls, preference, read_preference, repair_preference
from domain.assessing.keeping import Surroundings, keep_measurement
from domain.assessing.metrics.measuring import METRICS
from domain.assessing.preference import Preference
from domain.assessing.revising.acceptance import Acceptance, judge_revision, newly_blocking
from domain.assessing.revising.answer_format import ANSWER_NAME, ANSWER_SCHEMA
from domain.assessing.revising.answers import BrokenEdits, Edits, all_edits
from domain.assessing.revising.applying import apply_edits
from domain.assessing.revising.edit_reading import read_edits
from domain.assessing.revising.messages import RevisionCall, repair_messages, revision_calls
from domain.assessing.revising.plan import ChosenFinding, RevisionPlan
from domain.assessing.revising.planning import plan_revision
from domain.assessing.revising.receipts import revision_prompt
from domain.chapters import ChapterVersion, VersionOrigin
from domain.errors import NotFound
from domain.jobs.assessing import Assessor, NotMeasured, Subject, text_of
from domain.jobs.events import StepFinished
from domain.jobs.job import JobStage
from domain.jobs.means import Means
from domain.jobs.questions import Questions
from domain.jobs.run import JobRun
from domain.llm.failures import ModelFailure
from domain.llm.model import CompletionRequest
from domain.ports import Records
from domain.spending import Usage
from domain.writing.words import count_words

REVISED_SHARE: Final = 0.3
"""Of the progress that a revision is: the edits; the rest goes to finding out whether they are to be kept."""
METRICS_BY_NAME: Final = {metric.name: metric for metric in METRICS}


class NothingChanged(ModelFailure):
    """The model's edits leave the text as it was, or nothing of it."""

    code = "NOTHING_CHANGED"
    retryable = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """`subject` is the revised version; `kept` says whether it may take the place of the one it began from, `reasons` why not."""

    subject: Subject
    kept: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a revision is to do. `number` counts the job's revisions from 1, `begin` and `end` are its progress around this one.

    `known` is what was found in the text before, and None if no judge has read it.
    """

    number: int
    chosen: Sequence[ChosenFinding]
    instructions: str
    known: Sequence[FoundIssue] | None
    begin: float
    end: float

    @property
    def name(self) -> str:
        return f"revise/{self.number}"

    @property
    def assessment(self) -> str:
        """The step in which the result is assessed; the text before the first revision was assessed in `assess/1`."""
        return f"assess/{self.number + 1}"

    def at(self, share: float) -> float:
        return self.begin + share * (self.end - self.begin)


class Reviser:
    """Within one run. `writer` makes the edits, `judge` compares, the assessor assesses the result."""

    def __init__(
        self, means: Means, run: JobRun, questions: Questions, assessor: Assessor, *, writer: str, judge: str, temperature: float
    ) -> None:
        self._means = means
        self._run = run
        self._questions = questions
        self._assessor = assessor
        self._writer = writer
        self._judge = judge
        self._temperature = temperature

    async def revise(
        self, old: Subject, surroundings: Surroundings, order: Order, *, on_saved: Callable[[Subject], None] = lambda _: None
    ) -> Revision:
        """Raises NothingChanged, NotMeasured, AnswerUnusable, and what ModelCalls.complete raises."""
        self._questions.progress(JobStage.REVISING, order.begin, "Revising what was found.")
        new = await self._revised_before(old, surroundings, order) or await self._edit(old, surroundings, order)
        on_saved(new)
        self._questions.progress(JobStage.CHECKING, order.at(REVISED_SHARE), "Comparing the revision with the text before.")
        acceptance = await self._accept(old, new, order)
        return Revision(subject=new, kept=acceptance.kept, reasons=acceptance.reasons)

    async def _edit(self, old: Subject, surroundings: Surroundings, order: Order) -> Subject:
        language = old.material.project.language
        plan = await asyncio.to_thread(plan_revision, old.text, order.chosen, order.instructions, language=language)
        calls = await asyncio.to_thread(revision_calls, plan, old.material, count=self._count)
        answers = [await self._ask(f"{order.name}/{number}", plan, call) for number, call in enumerate(calls, start=1)]
        edits = all_edits(plan, answers)
        text = apply_edits(old.text, edits.edits).text
        if text == old.text or not text.strip():
            raise NothingChanged(
                "The model's edits leave the text as it is, or nothing of it. Start another revision, and say in its instructions what is to change."
            )
        return await self._save(old, text, surroundings, order, calls)

    def _count(self, text: str) -> int:
        return self._means.tokens.count(text, model=self._writer)

    async def _ask(self, step: str, plan: RevisionPlan, call: RevisionCall) -> Edits:
        request = CompletionRequest(
            model=self._writer,
            messages=call.messages,
            temperature=self._temperature,
            max_tokens=call.max_tokens,
            response_schema=ANSWER_SCHEMA,
            schema_name=ANSWER_NAME,
        )
        return await self._questions.ask(
            step,
            request,
            read=lambda answer: read_edits(plan, call, answer),
            broken=BrokenEdits,
            repair=lambda answer, broken: repair_messages(call, answer, broken),
        )

    async def _save(self, old: Subject, text: str, surroundings: Surroundings, order: Order, calls: Sequence[RevisionCall]) -> Subject:
        """Behind the version it began from, which stays the current one for now."""
        means, began = self._means, self._means.clock()
        receipt_id = means.ids() if calls else None
        version = await means.version(old.job, text, VersionOrigin.REVISION, parent_id=old.version_id, receipt_id=receipt_id)
        measurement = await surroundings.measure(text)
        prompt = (
            await asyncio.to_thread(revision_prompt, calls, version_id=old.version_id, model=self._writer, tokens=means.tokens)
            if calls
            else None
        )
        await self._run.log.flush()
        async with means.library.writing(self._run.claim.user_id) as records:
            await means.hold(records, self._run)
            at = means.clock()
            if prompt is not None and receipt_id is not None:
                await records.jobs.add_prompt(
                    prompt, receipt_id=receipt_id, job_id=old.job.id, chapter_id=version.chapter_id, at=at, step=order.name
                )
            added = await records.versions.add(version, make_current=False)
            await keep_measurement(records, added, measurement, ids=means.ids, at=at, job_id=old.job.id)
            events = (StepFinished(order.name, Usage()),)
            await records.jobs.complete_step(self._run.claim, order.name, started_at=began, at=at, events=events)
        if measurement is None:
            raise NotMeasured("The revision is saved, but could not be measured. The server's log says why.")
        return old.of(added.id, text, measurement)

    async def _revised_before(self, old: Subject, surroundings: Surroundings, order: Order) -> Subject | None:
        """What an earlier worker has saved of this revision."""
        async with self._means.library.reading(self._run.claim.user_id) as records:
            saved = await revisions_of(records, old.job.id)
            if len(saved) < order.number:
                return None
            version = saved[order.number - 1]
            text = await text_of(records, version.id)
        measurement = await surroundings.measure(text)
        if measurement is None:
            raise NotMeasured("The revision is saved, but could not be measured. The server's log says why.")
        return old.of(version.id, text, measurement)

    async def _accept(self, old: Subject, new: Subject, order: Order) -> Acceptance:
        words = min(count_words(old.text), count_words(new.text))
        first = judge_revision(old.measurement, new.measurement, METRICS_BY_NAME, (), Preference.TIE, words=words)
        if not first.kept:
            return first
        preferred = await self._prefer(old, new, order)
        if preferred is Preference.WORSE:
            return judge_revision(old.measurement, new.measurement, METRICS_BY_NAME, (), preferred, words=words)
        _, findings = await self._assessor.assess(new, name=order.assessment, begin=order.at(0.5), end=order.end)
        known = old.measurement.findings if order.known is None else order.known
        blocking = newly_blocking([*known, *(issue for _, issue in order.chosen)], [each.issue for each in findings])
        if order.known is None:
            blocking = [issue for issue in blocking if not _stood(issue, old, new)]
        return judge_revision(old.measurement, new.measurement, METRICS_BY_NAME, blocking, preferred, words=words)

    async def _prefer(self, old: Subject, new: Subject, order: Order) -> Preference:
        calls = await asyncio.to_thread(comparison_calls, old.text, new.text, old.material, model=self._judge, tokens=self._means.tokens)
        if calls is None:
            return Preference.TIE
        first, second = [await self._choose(f"compare/{order.number}/{call.name}", call) for call in calls]
        return preference(first, second)

    async def _choose(self, step: str, call: ComparisonCall) -> Choice:
        return await self._questions.ask(
            step,
            call.request,
            read=lambda answer: read_preference(answer, call),
            broken=Broken,
            repair=lambda _, broken: repair_preference(call, broken),
        )


def _stood(issue: FoundIssue, old: Subject, new: Subject) -> bool:
    """Whether all that the finding quotes from the new text stands in the old one too, so that the revision has not brought it."""
    conflict = issue.conflicts_with
    quotes = [issue.quote, conflict.quote] if conflict is not None and conflict.source.id == new.version_id else [issue.quote]
    return all(quote and quote in old.text for quote in quotes)


async def revisions_of(records: Records, job_id: UUID) -> Sequence[ChapterVersion]:
    """The revisions that a job has saved, in order."""
    return [version for version in await records.versions.of_job(job_id) if version.origin is VersionOrigin.REVISION]


async def make_current(records: Records, version_id: UUID, *, in_place_of: UUID | None, at: datetime) -> bool:
    """Whether it has become the chapter's current text: not where somebody has saved another one meanwhile."""
    version = (await records.versions.get_many([version_id])).get(version_id)
    if version is None:
        raise NotFound(version_id)
    chapter = await records.chapters.lock(version.chapter_id)
    if chapter is None or chapter.current_version_id != in_place_of:
        return chapter is not None and chapter.current_version_id == version_id
    await records.versions.make_current(version_id, at=at)
    return True
