"""The port to language models: a request goes in, a stream of text and one closing record come out."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

REHEARSAL = "rehearsal"
"""The name under which the built-in stand-in is offered. It is free, and its usage is exact by definition."""


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionRequest:
    """A request whose last but one message is the assistant's asks to go on behind that text.

    `call_id` names this one attempt to the provider, so that its records can be matched with ours. The `last_look` at such a
    request is taken when nothing but the sending is left to do; what it raises leaves it unsent, and is raised by `stream`.
    With a `response_schema`, the answer is to be one JSON value of this schema (JSON Schema, every property required, none added, as
    OpenAI's strict mode wants it), known to the provider as `schema_name`. Not every server heeds it: read the answer with care.
    """

    model: str
    messages: tuple[Message, ...]
    temperature: float
    max_tokens: int
    response_schema: Mapping[str, Any] | None = field(default=None, hash=False)
    schema_name: str = "answer"
    call_id: UUID | None = None
    last_look: Callable[[], None] = field(default=lambda: None, compare=False, repr=False)


class FinishReason(StrEnum):
    STOP = "stop"
    LENGTH = "length"
    CONTENT_FILTER = "content_filter"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsage:
    """`cached_prompt_tokens` is the part of `prompt_tokens` billed at the discount; `estimated`: counted by us, as the provider did not say."""

    prompt_tokens: int
    cached_prompt_tokens: int
    completion_tokens: int
    estimated: bool

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """Always the last item of a stream that ended well, and only of such a stream."""

    finish: FinishReason
    usage: TokenUsage
    request_id: str | None


class LanguageModel(Protocol):
    @property
    def rehearsal(self) -> bool:
        """Whether texts come from the stand-in instead of a language model."""

    async def prepare(self) -> None:
        """Get ready what a first call would have to wait for, so that a call that is intended is made at once."""

    def stream(self, request: CompletionRequest) -> AbstractAsyncContextManager[AsyncIterator[TextDelta | Completed]]:
        """One attempt, never repeated behind the caller's back. Leaving the context, for whatever reason, ends the call at once.

        Entering and iterating raise ModelFailure and nothing else (besides cancellation, and what the request's last look raises).
        """

    async def aclose(self) -> None:
        """Let go of idle connections."""
