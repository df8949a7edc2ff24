"""Starting chapter generations: the prompt is built once, to know that it fits and what it may cost."""

from dataclasses import dataclass

from domain.access import Role
from domain.chapters import Chapter
from domain.jobs.job import GenerationRequest, Job, JobKind
from domain.projects import Project
from resolvers.access import find_chapter
from resolvers.context import RequestContext
from resolvers.models import judging_model
from resolvers.prompts import PromptRequest, build, gather
from resolvers.starting import Start, Terms, start, started_before

CHAPTER = ("input", "chapterId")


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    prompt: PromptRequest
    terms: Terms

    @property
    def fingerprint(self) -> str:
        prompt = self.prompt
        return self.terms.fingerprint(
            str(prompt.chapter_id),
            prompt.instructions,
            [str(pin) for pin in prompt.include],
            [str(pin) for pin in prompt.exclude],
            prompt.model,
            prompt.token_budget,
        )


async def start_chapter_generation(context: RequestContext, request: StartRequest) -> Job:
    """The prompt is built before the transaction that starts the job, for it takes a while; the job builds its own when it runs.

    What the draft's assessment and revisions will cost is not part of the estimate: they are left out where the money does not reach.
    """
    async with context.reading() as records:
        chapter = await find_chapter(records, request.prompt.chapter_id, Role.EDITOR)
        if (started := await started_before(context, records, request.terms, request.fingerprint)) is not None:
            return started
        loaded, wish = await gather(context, records, chapter, request.prompt)
    preview = await build(context, loaded, wish)
    receipt = preview.prompt.receipt

    def asked(project: Project, chapter: Chapter) -> GenerationRequest:
        settings = project.settings
        return GenerationRequest(
            instructions=request.prompt.instructions,
            include=request.prompt.include,
            exclude=request.prompt.exclude,
            model=receipt.model,
            token_budget=receipt.token_budget,
            temperature=settings.temperature,
            base_version_id=chapter.current_version_id,
            assessor_model=judging_model(context, settings),
            quality_target=settings.quality_target,
            max_revisions=settings.max_revisions,
        )

    return await start(
        context,
        Start(
            kind=JobKind.CHAPTER,
            chapter=chapter,
            path=CHAPTER,
            terms=request.terms,
            fingerprint=request.fingerprint,
            estimate=preview.estimate,
            request=asked,
        ),
    )
