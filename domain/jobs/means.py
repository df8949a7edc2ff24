"""What every kind of work is given, and what all of them do alike: find their job, add a version, and keep what was written."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from domain.access import Role
from domain.chapters import Chapter, NewVersion, VersionOrigin
from domain.errors import Forbidden, NotFound
from domain.jobs.job import AssessmentRequest, Job
from domain.jobs.model_calls import ModelCalls
from domain.jobs.ports import JobDesk
from domain.jobs.run import JobRun
from domain.llm.failures import ModelMisconfigured
from domain.ports import Clock, Ids, Library, Records, Tokens
from domain.prompting.index.saved_text import NewText
from domain.prompting.memory import PromptMemory
from domain.writing.words import count_words

WRONG_MODEL = "Since this job was started, the server has changed between rehearsing and a real model. Start it anew."


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """The outside world. `rehearsal`: whether texts and judgements come from the stand-in instead of a language model."""

    library: Library
    desk: JobDesk
    calls: ModelCalls
    tokens: Tokens
    memory: PromptMemory
    clock: Clock
    ids: Ids
    rehearsal: bool

    async def find(self, records: Records, run: JobRun) -> tuple[Job, Chapter]:
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

    async def hold(self, records: Records, run: JobRun) -> tuple[Job, Chapter]:
        """As `find`, with the project and the chapter held until the transaction ends. Call before anything of the job is written: whoever
        deletes a project takes it before its jobs and its jobs before its chapters, and neither may wait for the other.
        """
        job, chapter = await self.find(records, run)
        held = await records.chapters.lock(chapter.id)
        if held is None:
            raise NotFound(chapter.id)
        return job, held

    def require_same_model(self, job: Job) -> None:
        """Raises ModelMisconfigured where a rehearsal would go by a writer's name, or a writer by a rehearsal's."""
        if job.rehearsal != self.rehearsal:
            raise ModelMisconfigured(WRONG_MODEL)

    async def settle(self, run: JobRun) -> None:
        """Call before a job ends well. Calls that died with earlier workers, and that nobody had to ask for again, are counted as well:
        the way to the end may have become a shorter one, as when the author has dismissed the finding that was being seen to.
        """
        if run.claim.attempt > 1:
            await self.desk.write_off(run.claim, at=self.clock())

    async def version(self, job: Job, text: str, origin: VersionOrigin, *, parent_id: UUID | None, receipt_id: UUID | None) -> NewVersion:
        """Counted and indexed off the event loop, before the transaction that adds it."""
        assert job.chapter_id is not None
        assert not isinstance(job.request, AssessmentRequest)
        model = job.request.model
        saved, tokens = await asyncio.to_thread(lambda: (NewText.of(text), self.tokens.count(text, model=model)))
        return NewVersion(
            id=self.ids(),
            chapter_id=job.chapter_id,
            text=saved,
            word_count=count_words(text),
            token_count=tokens,
            origin=origin,
            created_at=self.clock(),
            rehearsal=job.rehearsal,
            job_id=job.id,
            parent_id=parent_id,
            receipt_id=receipt_id,
        )
