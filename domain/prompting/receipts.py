"""Prompt receipts: every candidate for a prompt, and what became of it and why."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain.llm.model import Message


class Decision(StrEnum):
    FULL = "FULL"
    REDUCED = "REDUCED"
    LEFT_OUT = "LEFT_OUT"


class Reason(StrEnum):
    """Why: the first eight let a candidate in, the others kept it out."""

    MANDATORY = "MANDATORY"
    ALWAYS = "ALWAYS"
    PINNED = "PINNED"
    MENTIONED = "MENTIONED"
    RELATED = "RELATED"
    RELEVANT = "RELEVANT"
    RECENT = "RECENT"
    NO_ROOM = "NO_ROOM"
    DUPLICATE = "DUPLICATE"
    NOT_RELEVANT = "NOT_RELEVANT"
    HIDDEN_BY_STORY_TIME = "HIDDEN_BY_STORY_TIME"
    NEVER = "NEVER"
    EXCLUDED = "EXCLUDED"
    EMPTY = "EMPTY"


class SourceKind(StrEnum):
    REFERENCE_FILE = "REFERENCE_FILE"
    CHAPTER_VERSION = "CHAPTER_VERSION"


@dataclass(frozen=True, slots=True)
class Source:
    """The entity a candidate came from, named without loading it."""

    kind: SourceKind
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptItem:
    """One candidate. `tokens` counts what is sent (0 if left out); `score` is 0..1; `evidence` reads like '"the Captain" in the brief'."""

    source: Source | None
    label: str
    group: str
    decision: Decision
    reason: Reason
    evidence: tuple[str, ...]
    score: float
    tokens: int
    tokens_in_full: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptReceipt:
    """`digest` is the sha256 of the messages as `prompt_digest` defines it: equal for a preview and the call it predicts."""

    digest: str
    model: str
    tokenizer: str
    tokenizer_exact: bool
    token_budget: int
    tokens_used: int
    stable_prefix_tokens: int
    items: tuple[PromptItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What is sent, with its receipt; `message_tokens[i]` counts `messages[i]`."""

    messages: tuple[Message, ...]
    message_tokens: tuple[int, ...]
    receipt: PromptReceipt
