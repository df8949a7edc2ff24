"""Prompts before anything is spent: what would be sent, what it would cost, what a text mentions."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.access import Role
from domain.chapters import Chapter, ChapterVersion
from domain.errors import InvalidInput, NotFound
from domain.ports import Records
from domain.projects import Project
from domain.prompting.comparison import ReceiptChange
from domain.prompting.lengths import PART_TOKENS, expected_completion_tokens
from domain.prompting.loading import LoadedMaterial, load_material
from domain.prompting.material import PromptMaterial, PromptWish
from domain.prompting.mentions import Mention, find_mentions
from domain.prompting.optimizer import build_prompt
from domain.prompting.receipts import Prompt, PromptItem, Source, SourceKind
from domain.reference_files import ReferenceFile
from domain.spending import CostEstimate, estimate_call
from domain.writing import checks
from resolvers.access import find_chapter, find_project
from resolvers.context import RequestContext
from resolvers.models import writing_model

MENTION_TEXT_BYTES = checks.REFERENCE_CONTENT_BYTES


@dataclass(frozen=True, slots=True)
class Preview:
    """A prompt with what it was built from: it may be asked for what another wish would make of the same material."""

    prompt: Prompt
    estimate: CostEstimate
    material: PromptMaterial
    wish: PromptWish


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptRequest:
    """What a caller asks of a prompt, checked; None stands for the project's own setting."""

    chapter_id: UUID
    include: tuple[UUID, ...]
    exclude: tuple[UUID, ...]
    model: str | None
    token_budget: int | None = None
    instructions: str = ""
    brief: str | None = None


async def preview(context: RequestContext, request: PromptRequest) -> Preview:
    """Free: no model is called. The prompt is the one a job started now would send."""
    async with context.reading() as records:
        chapter = await find_chapter(records, request.chapter_id, Role.VIEWER)
        loaded, wish = await gather(context, records, chapter, request)
    return await build(context, loaded, wish)


async def gather(context: RequestContext, records: Records, chapter: Chapter, request: PromptRequest) -> tuple[LoadedMaterial, PromptWish]:
    """What the prompt is made of, and what is asked of it. Raises NotFound for a pin that is not of the chapter's project."""
    loaded = await load_material(records, chapter, context.prompt_memory)
    await _check_pins(records, chapter.project_id, request)
    return loaded, _wish(context, loaded.project, request)


async def build(context: RequestContext, loaded: LoadedMaterial, wish: PromptWish) -> Preview:
    """Outside of any transaction and off the event loop: choosing among thousands of candidates takes a while. Raises PromptTooSmall."""
    return await asyncio.to_thread(lambda: _build(context, loaded.material(), wish))


async def build_again(context: RequestContext, material: PromptMaterial, wish: PromptWish) -> Preview:
    """As `build`, of material that has been worked out before."""
    return await asyncio.to_thread(_build, context, material, wish)


def _build(context: RequestContext, material: PromptMaterial, wish: PromptWish) -> Preview:
    prompt = build_prompt(material, wish, tokens=context.tokens)
    return Preview(prompt, _estimate(context, material, prompt), material, wish)


async def mentions(context: RequestContext, project_id: UUID, text: str) -> Sequence[tuple[Mention, ReferenceFile]]:
    text = checks.clean(text, ("text",))
    checks.at_most(len(text.encode()), limit_name="textBytes", limit=MENTION_TEXT_BYTES, path=("text",))
    async with context.reading() as records:
        await find_project(records, project_id, Role.VIEWER, ("projectId",))
        files = {file.id: file for file in await records.reference_files.of_project(project_id)}
    found = await asyncio.to_thread(find_mentions, text, tuple(files.values()))
    return [(mention, files[mention.file_id]) for mention in found]


async def source_of(context: RequestContext, item: PromptItem | ReceiptChange) -> Any:
    """The entity a candidate came from, unless it has been deleted since."""
    return None if item.source is None else await entity_of(context, item.source)


async def entity_of(context: RequestContext, source: Source) -> ReferenceFile | ChapterVersion | None:
    """None for what has been deleted since."""
    if source.kind is SourceKind.REFERENCE_FILE:
        return await context.loaders.reference_files.load(source.id)
    return await context.loaders.versions.load(source.id)


async def _check_pins(records: Records, project_id: UUID, request: PromptRequest) -> None:
    wanted = (*request.include, *request.exclude)
    if not wanted:
        return
    files = await records.reference_files.get_many(wanted)
    chapters = await records.chapters.get_many(wanted)
    project_of = {file.id: file.project_id for file in files.values()} | {chapter.id: chapter.project_id for chapter in chapters.values()}
    for name, ids in (("include", request.include), ("exclude", request.exclude)):
        for index, wanted_id in enumerate(ids):
            if project_of.get(wanted_id) != project_id:
                raise NotFound(wanted_id, path=("input", name, str(index)))


def _wish(context: RequestContext, project: Project, request: PromptRequest) -> PromptWish:
    if request.model is not None and context.models.find(request.model) is None:
        raise InvalidInput("This server does not offer this model: see `models`.", ("input", "model"))
    return PromptWish(
        model=request.model or writing_model(context, project.settings),
        token_budget=request.token_budget or project.settings.prompt_token_budget,
        instructions=request.instructions,
        brief=request.brief,
        include=request.include,
        exclude=request.exclude,
    )


def _estimate(context: RequestContext, material: PromptMaterial, prompt: Prompt) -> CostEstimate:
    return estimate_call(
        prompt.receipt.model,
        prompt_tokens=prompt.receipt.tokens_used,
        completion_tokens=expected_completion_tokens(material),
        part_tokens=PART_TOKENS,
        cost=context.prices.cost,
    )
