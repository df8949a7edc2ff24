"""Inputs that ask for a prompt, checked and as the resolvers take them. Null and absent are the same in them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from strawberry import ID

from domain.chapters import Chapter
from domain.errors import NotFound
from domain.reference_files import ReferenceFile
from domain.writing import checks
from resolvers.generation import StartRequest
from resolvers.prompts import PromptRequest
from schema import ids
from schema.fields import present
from schema.job_requests import checked_request, terms
from schema.jobs import StartChapterGenerationInput
from schema.prompts import PromptPreviewInput


def preview_request(sent: PromptPreviewInput) -> PromptRequest:
    return PromptRequest(**_shared(sent), **_checked(sent))


def start_request(sent: StartChapterGenerationInput) -> StartRequest:
    checked = _checked(sent)
    asked_of_any = terms(sent.priority, checked)
    return StartRequest(prompt=PromptRequest(**_shared(sent), **checked), terms=asked_of_any)


def _checked(sent: PromptPreviewInput | StartChapterGenerationInput) -> dict[str, Any]:
    return checked_request(sent, "chapter_id", "include", "exclude", "model", "priority")


def _shared(sent: PromptPreviewInput | StartChapterGenerationInput) -> dict[str, Any]:
    return {
        "chapter_id": ids.require(Chapter, sent.chapter_id, "input", "chapterId"),
        "include": _pins(present(sent.include), "include"),
        "exclude": _pins(present(sent.exclude), "exclude"),
        "model": present(sent.model),
    }


def _pins(sent: Sequence[ID] | None, name: str) -> tuple[UUID, ...]:
    """Reference files and chapters alike; raises NotFound for anything else."""
    checks.at_most(len(sent or ()), limit_name=name, limit=checks.PINS, path=("input", name))
    return tuple(_pin(text, "input", name, str(index)) for index, text in enumerate(sent or ()))


def _pin(text: ID, *path: str) -> UUID:
    value = ids.find(ReferenceFile, text) or ids.find(Chapter, text)
    if value is None:
        raise NotFound(text, path=path)
    return value
