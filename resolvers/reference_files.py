"""Reference files: what the author knows about the book."""

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from domain.access import Role
from domain.projects import Project
from domain.prompting.index.saved_text import NewText
from domain.reference_files import InclusionPolicy, ReferenceFile
from domain.writing import checks
from resolvers.access import find_project, find_reference_file, lock_project
from resolvers.context import RequestContext

ID = ("input", "id")


async def create_reference_file(context: RequestContext, project_id: UUID, values: Mapping[str, Any]) -> ReferenceFile:
    accepted = checks.checked({name: value for name, value in values.items() if value is not None}, checks.REFERENCE_FILE)
    checks.story_time(accepted.get("valid_from_chapter"), accepted.get("valid_until_chapter"))
    async with context.reading() as records:
        project = await find_project(records, project_id, Role.EDITOR)
    content, measured = await _measure(context, accepted.pop("content"), project)
    now = context.clock()
    file = ReferenceFile(
        id=context.ids(),
        project_id=project_id,
        name=accepted["name"],
        kind=accepted["kind"],
        aliases=accepted.get("aliases", ()),
        inclusion=accepted.get("inclusion", InclusionPolicy.WHEN_RELEVANT),
        valid_from_chapter=accepted.get("valid_from_chapter"),
        valid_until_chapter=accepted.get("valid_until_chapter"),
        media_type="text/markdown",
        created_at=now,
        updated_at=now,
        **measured,
    )
    async with context.writing() as records:
        await lock_project(records, project_id, Role.EDITOR)
        count = (await records.reference_files.counts([project_id], kind=None)).get(project_id, 0)
        checks.at_most(count + 1, limit_name="referenceFiles", limit=checks.REFERENCE_FILES, path=("input",))
        await records.reference_files.create(file, content=content)
    return file


async def update_reference_file(context: RequestContext, file_id: UUID, values: Mapping[str, Any]) -> ReferenceFile:
    changes = checks.checked(values, checks.REFERENCE_FILE)
    given: str | None = changes.pop("content", None)
    async with context.reading() as records:
        file = await find_reference_file(records, file_id, Role.EDITOR)
        project = await find_project(records, file.project_id, Role.EDITOR, ID)
    content = None
    if given is not None:
        content, measured = await _measure(context, given, project)
        changes |= measured
    async with context.writing() as records:
        await lock_project(records, file.project_id, Role.EDITOR, ID)
        file = await find_reference_file(records, file_id, Role.EDITOR)
        checks.story_time(
            changes.get("valid_from_chapter", file.valid_from_chapter), changes.get("valid_until_chapter", file.valid_until_chapter)
        )
        await records.reference_files.update(file_id, changes | {"updated_at": context.clock()}, content=content)
        return await find_reference_file(records, file_id, Role.EDITOR)


async def delete_reference_file(context: RequestContext, file_id: UUID) -> None:
    async with context.writing() as records:
        await find_reference_file(records, file_id, Role.EDITOR)
        await records.reference_files.delete(file_id)


async def _measure(context: RequestContext, content: str, project: Project) -> tuple[NewText, dict[str, Any]]:
    """The content with its index, and what else is stored about it, by field name. Off the event loop: a long text takes a while."""
    model = project.settings.model or context.default_model
    encoded = content.encode()

    def measure() -> tuple[NewText, dict[str, Any]]:
        return NewText.of(content), {
            "size_bytes": len(encoded),
            "token_count": context.tokens.count(content, model=model),
            "sha256": hashlib.sha256(encoded).hexdigest(),
        }

    return await asyncio.to_thread(measure)
