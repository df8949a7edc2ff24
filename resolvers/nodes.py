"""Finding anything by its kind and id."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from domain.access import User
from domain.assessing.assessment import Assessment, Finding
from domain.chapters import Chapter, ChapterVersion
from domain.jobs.job import Job
from domain.projects import Project
from domain.reference_files import ReferenceFile
from resolvers.context import RequestContext

Named = tuple[type, UUID]


async def find(context: RequestContext, named: Named | None, *, kind: type | None = None) -> Any:
    """None for what is not there, not to be seen, or not of the `kind` asked for."""
    if named is None or kind not in {None, named[0]}:
        return None
    return await _loader(context, named[0]).load(named[1])


async def find_all(context: RequestContext, named: Sequence[Named | None]) -> list[Any]:
    """In the same order; one statement for each kind."""
    return await asyncio.gather(*(find(context, each) for each in named))


def _loader(context: RequestContext, kind: type) -> Any:
    loaders = context.loaders
    return {
        User: loaders.users,
        Project: loaders.projects,
        Chapter: loaders.chapters,
        ChapterVersion: loaders.versions,
        ReferenceFile: loaders.reference_files,
        Job: loaders.jobs,
        Assessment: loaders.assessments,
        Finding: loaders.findings,
    }[kind]
