"""Prompts compared by their receipts: of two versions, of a version and a preview, of a preview and one with more room."""

import asyncio
from dataclasses import replace
from typing import Final
from uuid import UUID

from domain.access import Role
from domain.chapters import ChapterVersion
from domain.errors import InvalidInput
from domain.ports import Records
from domain.prompting.comparison import ReceiptComparison, compare
from domain.prompting.receipts import PromptReceipt
from domain.writing import checks
from resolvers.access import Path, find_version
from resolvers.context import RequestContext
from resolvers.prompts import Preview, build_again

MORE_TOKENS: Final = 100_000
"""How much larger a budget can be tried out."""


async def compare_versions(context: RequestContext, *, before_id: UUID, after_id: UUID) -> ReceiptComparison:
    """Raises NotFound, or InvalidInput for versions of two projects and for one that no model wrote."""
    async with context.reading() as records:
        before = await find_version(records, before_id, Role.VIEWER, ("before",))
        after = await find_version(records, after_id, Role.VIEWER, ("after",))
        _require_project(after, before.project_id, ("after",))
        receipts = await _receipt(records, before, ("before",)), await _receipt(records, after, ("after",))
    return await _compare(*receipts)


async def compare_with_version(context: RequestContext, preview: Preview, version_id: UUID) -> ReceiptComparison:
    """From the version's prompt to the preview's. Raises NotFound or InvalidInput, as for two versions."""
    path = ("versionId",)
    async with context.reading() as records:
        version = await find_version(records, version_id, Role.VIEWER, path)
        _require_project(version, preview.material.project.id, path)
        receipt = await _receipt(records, version, path)
    return await _compare(receipt, preview.prompt.receipt)


async def compare_with_more(context: RequestContext, preview: Preview, tokens: int) -> ReceiptComparison:
    """From the preview's prompt to the one that a budget larger by `tokens` would make of the same material and wish."""
    checks.between(1, MORE_TOKENS)(tokens, ("tokens",))
    wish = replace(preview.wish, token_budget=preview.wish.token_budget + tokens)
    roomier = await build_again(context, preview.material, wish)
    return await _compare(preview.prompt.receipt, roomier.prompt.receipt)


async def _compare(before: PromptReceipt, after: PromptReceipt) -> ReceiptComparison:
    """Off the event loop: receipts may have ten thousand items."""
    return await asyncio.to_thread(compare, before, after)


def _require_project(version: ChapterVersion, project_id: UUID, path: Path) -> None:
    if version.project_id != project_id:
        raise InvalidInput("This version belongs to another project: only prompts of one project can be compared.", path)


async def _receipt(records: Records, version: ChapterVersion, path: Path) -> PromptReceipt:
    receipt = (await records.jobs.receipts([version.receipt_id])).get(version.receipt_id) if version.receipt_id else None
    if receipt is None:
        raise InvalidInput("This version has no receipt to compare: only what a model wrote has one.", path)
    return receipt
